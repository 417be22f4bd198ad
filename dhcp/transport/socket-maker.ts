import type { Socket } from 'node:dgram';

/**
 * Makes the sockets of one segment and hands them to the parent process, then ends. A socket stays in the namespace it was
 * made in, so this runs in a short-lived process inside that namespace; its text is what that process is started with, hence
 * it uses nothing from outside itself.
 */
export async function makeAndHandOver(device: string, serverId: string): Promise<void> {
  const { createSocket } = process.getBuiltinModule('node:dgram');
  const bound = (type: 'udp4' | 'udp6', port: number, address: string): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' });
      socket.once('error', reject);
      socket.bind(port, address, () => resolve(socket));
    });
  const handOver = (name: string, socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      process.send?.(name, socket, {}, (error) => (error ? reject(error) : resolve()));
    });
  if (serverId !== '-') {
    await handOver('receive4', await bound('udp4', 67, '0.0.0.0'));
    // Broadcasts leave without a route only from a socket that has an address of its own; unicast renewals arrive here too.
    const send4 = await bound('udp4', 67, serverId);
    send4.setBroadcast(true);
    await handOver('send4', send4);
  }
  const both6 = await bound('udp6', 547, '::');
  // All_DHCP_Relay_Agents_and_Servers (RFC 9915 §7.1).
  both6.addMembership('ff02::1:2', `::%${device}`);
  await handOver('both6', both6);
  process.exit(0);
}
