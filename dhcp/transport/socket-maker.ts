import type { Socket, SocketOptions } from 'node:dgram';

/** The sockets of one segment; without a DHCPv4 server address only the last. */
export interface Sockets {
  readonly receive4?: Socket;
  readonly send4?: Socket;
  readonly both6: Socket;
}

/**
 * Makes the sockets of one segment in the namespace that this process is in. Its text is also what a process is started with in
 * another namespace, hence it uses nothing from outside itself.
 *
 * @param serverId address of this host on the device, or `-`.
 */
export async function makeSockets(
  createSocket: (options: SocketOptions) => Socket,
  device: string,
  serverId: string,
): Promise<Sockets> {
  const bound = (type: 'udp4' | 'udp6', port: number, address: string): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' });
      socket.once('error', reject);
      socket.bind(port, address, () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
  const opened: Socket[] = [];
  try {
    const both6 = await bound('udp6', 547, '::');
    opened.push(both6);
    // All_DHCP_Relay_Agents_and_Servers (RFC 9915 §7.1).
    both6.addMembership('ff02::1:2', `::%${device}`);
    if (serverId === '-') return { both6 };
    const receive4 = await bound('udp4', 67, '0.0.0.0');
    opened.push(receive4);
    // Broadcasts leave without a route only from a socket that has an address of its own; unicast renewals arrive here too.
    const send4 = await bound('udp4', 67, serverId);
    opened.push(send4);
    send4.setBroadcast(true);
    return { receive4, send4, both6 };
  } catch (error) {
    for (const socket of opened) socket.close();
    throw error;
  }
}

/** Gives sockets to the parent process and ends; uses nothing from outside itself, like the other. A socket stays in the namespace it was made in. */
export async function handOver(sockets: Sockets): Promise<void> {
  for (const [name, socket] of Object.entries(sockets)) {
    await new Promise<void>((resolve, reject) => {
      process.send?.(name, socket, {}, (error) => (error ? reject(error) : resolve()));
    });
  }
  process.exit(0);
}
