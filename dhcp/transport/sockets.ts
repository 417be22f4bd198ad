import { spawn } from 'node:child_process';
import { Socket } from 'node:dgram';
import { familyOf, ipv4Text } from '../address.ts';
import type { GuestBinding, Guests } from '../guests.ts';
import { ip } from './command.ts';
import { makeAndHandOver } from './socket-maker.ts';
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
    const sockets = await makeSockets(options);
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
        if (destination.to === 'relay') send4?.send(bytes, 67, ipv4Text(destination.address), ignoreLoss);
        else send4?.send(bytes, 68, ipv4Text(destination.address), ignoreLoss);
      },
      sendDhcpv6(bytes, { address, port }) {
        both6?.send(bytes, port, address, ignoreLoss);
      },
      async close() {
        stopFollowing();
        for (const socket of [receive4, send4, both6]) socket?.close();
      },
    };
    return transport;
  };
}

/** UDP promises nothing; a guest that got no answer asks again. */
function ignoreLoss(): void {}

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

interface Sockets {
  readonly receive4?: Socket;
  readonly send4?: Socket;
  readonly both6?: Socket;
}

function makeSockets({ device, netns, serverId }: SocketsOptions): Promise<Sockets> {
  const text = `(${makeAndHandOver})(${JSON.stringify(device)}, ${JSON.stringify(serverId ?? '-')})`;
  const node = [process.execPath, '--eval', text];
  const [program = '', ...args] = netns === undefined ? node : ['ip', 'netns', 'exec', netns, ...node];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const sockets: Record<string, Socket> = {};
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.on('message', (name, handle) => {
      if (typeof name === 'string' && handle instanceof Socket) sockets[name] = handle;
    });
    child.on('error', (error) => reject(new TransportError(`${program}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) return resolve(sockets);
      for (const socket of Object.values(sockets)) socket.close();
      const reason = /Error: (.*)/.exec(complaint)?.[1] ?? complaint.trim().split('\n').at(-1) ?? `exit ${code}`;
      reject(new TransportError(`sockets on ${device}: ${reason}`));
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
