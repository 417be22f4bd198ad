import { createSocket, type Socket } from 'node:dgram';

/**
 * Runs inside a network namespace (`ip netns exec`), makes the sockets there and hands them to the parent process; a socket
 * stays in the namespace it was made in. Arguments: interface, DHCPv4 server address or `-`.
 */
const [device = '', serverId = '-'] = process.argv.slice(2);

const wanted: [name: string, make: () => Promise<Socket>][] = [
  ...(serverId === '-'
    ? []
    : ([
        ['receive4', () => bound('udp4', 67, '0.0.0.0')],
        // Broadcasts leave without a route only from a socket that has an address of its own, and unicast renewals arrive here.
        ['send4', () => bound('udp4', 67, serverId)],
      ] satisfies typeof wanted)),
  ['both6', () => bound('udp6', 547, '::')],
];

for (const [name, make] of wanted) {
  const socket = await make();
  if (name === 'send4') socket.setBroadcast(true);
  // All_DHCP_Relay_Agents_and_Servers (RFC 9915 §7.1).
  if (name === 'both6') socket.addMembership('ff02::1:2', `::%${device}`);
  await new Promise<void>((resolve, reject) => {
    process.send?.(name, socket, {}, (error) => (error ? reject(error) : resolve()));
  });
}
process.disconnect?.();
process.exit(0);

function bound(type: 'udp4' | 'udp6', port: number, address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' });
    socket.once('error', reject);
    socket.bind(port, address, () => resolve(socket));
  });
}
