import { spawn } from 'node:child_process';
import { createSocket, Socket, type SocketOptions } from 'node:dgram';
import { familyOf, ipv4Text } from '../address.ts';
import type { GuestBinding, Guests } from '../guests.ts';
import { ip } from './command.ts';
import { handOver, makeSockets, type Sockets } from './socket-maker.ts';
import { type OpenTransport, type Transport, TransportError, type TransportEvents } from './transport.ts';

export interface SocketsOptions {
  /** The only interface of its namespace, since a socket cannot tell which one a datagram came in on. */
  readonly device: string;
  /** Name as `ip netns` knows it; the process's own namespace when absent. */
  readonly netns?: string;
  /** DHCPv4 server address, which must be on the interface; no DHCPv4 when absent. */
  readonly serverId?: string;
  /** Guests that get a permanent neighbour entry, so that plain unicast reaches them before they have an address. */
  readonly guests?: Guests;
}

/** A burst of 5,000 guests that boot at once fits, bytes. */
const receiveBufferBytes = 4 * 1024 * 1024;

/**
 * DHCPv4 and DHCPv6 over UDP sockets made inside a namespace and handed over to this process. It sees no frames: the sender's
 * Ethernet address is unknown, and an answer reaches only the guest it is about because the neighbour entry says where that
 * guest is. It sends no router advertisements.
 */
export function socketsTransport(options: SocketsOptions): OpenTransport {
  return async (events) => {
    const sockets = await openSockets(options);
    const { receive4, send4, both6 } = sockets;
    const stopFollowing = await followGuests(options, events);
    for (const socket of [receive4, send4, both6]) socket?.on('error', (error) => events.failed(error));
    for (const socket of [receive4, send4]) {
      socket?.on('message', (bytes, { address, port }) => events.dhcpv4(bytes, { mac: undefined, address, port }));
    }
    both6?.on('message', (bytes, { address, port }) => {
      events.dhcpv6(bytes, { mac: undefined, address: withoutZone(address), port });
    });
    for (const socket of [receive4, both6]) growBuffer(socket);
    const transport: Transport = {
      sendDhcpv4(bytes, destination) {
        // Without a callback what goes wrong is ignored: UDP promises nothing, and a guest that got no answer asks again.
        send4?.send(bytes, destination.to === 'relay' ? 67 : 68, ipv4Text(destination.address));
      },
      sendDhcpv6(bytes, { address, port }) {
        both6?.send(bytes, port, address);
      },
      async close() {
        stopFollowing();
        for (const socket of [receive4, send4, both6]) socket?.close();
      },
    };
    return transport;
  };
}

/** The zone is resolved in this process's namespace and names the wrong interface, if any. */
function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}

function growBuffer(socket: Socket | undefined): void {
  try {
    socket?.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // net.core.rmem_max says less is allowed; the kernel's default has to do.
  }
}

/** Addresses are numbers here, and Node looks up even those, a turn of the event loop later. */
function createOwnSocket(options: SocketOptions): Socket {
  return createSocket({
    ...options,
    lookup: (address, _options, callback) => callback(null, address, options.type === 'udp4' ? 4 : 6),
  });
}

async function openSockets({ device, netns, serverId = '-' }: SocketsOptions): Promise<Partial<Sockets>> {
  try {
    if (netns === undefined) return await makeSockets(createOwnSocket, device, serverId);
    return await socketsFromInside(netns, device, serverId);
  } catch (error) {
    throw new TransportError(`sockets on ${device}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A process in the namespace makes them and gives them to this one. */
function socketsFromInside(netns: string, device: string, serverId: string): Promise<Partial<Sockets>> {
  const making = `(${makeSockets})(process.getBuiltinModule('node:dgram').createSocket, ${JSON.stringify(device)}, ${JSON.stringify(serverId)})`;
  const args = ['netns', 'exec', netns, process.execPath, '--eval', `${making}.then(${handOver})`];
  return new Promise((resolve, reject) => {
    const child = spawn('ip', args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const sockets: Record<string, Socket> = {};
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.on('message', (name, handle) => {
      if (typeof name === 'string' && handle instanceof Socket) sockets[name] = handle;
    });
    child.on('error', (error) => reject(new Error(`ip: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) return resolve(sockets);
      for (const socket of Object.values(sockets)) socket.close();
      reject(new Error(/Error: (.*)/.exec(complaint)?.[1] ?? complaint.trim().split('\n').at(-1) ?? `exit ${code}`));
    });
  });
}

/** Neighbour entries given to one run of `ip`. */
const linesAtOnce = 2000;

/** Keeps one permanent neighbour entry for each IPv4 address of a guest, ahead of the first answer. */
async function followGuests(options: SocketsOptions, events: TransportEvents): Promise<() => void> {
  const { guests, device, netns } = options;
  if (guests === undefined || options.serverId === undefined) return () => {};
  const ipv4Of = (guest: GuestBinding | undefined): string[] =>
    guest?.addresses.filter((address) => familyOf(address) === 4) ?? [];
  const lines = (mac: string, now: GuestBinding | undefined, before?: GuestBinding): string[] => {
    const wanted = ipv4Of(now);
    const gone = ipv4Of(before).filter((address) => !wanted.includes(address));
    return [
      ...gone.map((address) => `neigh del ${address} dev ${device}`),
      ...wanted.map((address) => `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`),
    ];
  };
  const apply = (batch: readonly string[]): Promise<string> =>
    ip(netns, ['-force', '-batch', '-'], `${batch.join('\n')}\n`);
  let first: string[] = [];
  for (const [mac, guest] of guests.byMac) {
    first.push(...lines(mac, guest));
    if (first.length < linesAtOnce) continue;
    await apply(first);
    first = [];
  }
  if (first.length > 0) await apply(first);
  return guests.subscribe((mac, before) => {
    const batch = lines(mac, guests.byMac.get(mac), before);
    if (batch.length > 0) apply(batch).catch((error: Error) => events.failed(error));
  });
}
