import { run } from './command.ts';

/**
 * The underlay is one Ethernet segment: a Linux bridge in a namespace of its own, a veth to every other namespace.
 *
 * Its MTU is 9000 so that 1500-byte guests fit into geneve (58 bytes over IPv4) without the guests' MTU being part of
 * the picture. 192.0.2.0/24 (RFC 5737) cannot be mistaken for an address of a guest or of the machine.
 */
export const underlayMtu = 9000;

/** One end of the underlay in a namespace: `uplink` there, `port` on the bridge's side. */
export interface UnderlayMember {
  readonly netns: string;
  readonly port: string;
  readonly mac: string;
  readonly ip: string;
}

/** Prefix length of the underlay's addresses. */
export const underlayPrefix = 24;

/** The interface that every member namespace has. */
export const uplink = 'uplink';

export function underlayMember(netns: string, port: string, hostNumber: number): UnderlayMember {
  const lastByte = hostNumber.toString(16).padStart(2, '0');
  return { netns, port, mac: `02:00:c0:00:02:${lastByte}`, ip: `192.0.2.${hostNumber}` };
}

/** Makes the namespaces, the bridge and the veths, all up. Addresses are the members' own business. */
export async function createUnderlay(bridgeNetns: string, members: readonly UnderlayMember[]): Promise<void> {
  const create = [
    `netns add ${bridgeNetns}`,
    ...members.flatMap(({ netns, port, mac }) => [
      `netns add ${netns}`,
      `link add name ${uplink} netns ${netns} mtu ${underlayMtu} address ${mac} type veth peer name ${port} netns ${bridgeNetns} mtu ${underlayMtu}`,
    ]),
  ];
  await run('ip', ['-batch', '-'], { input: lines(create) });
  const bridge = [
    `link add name underlay mtu ${underlayMtu} type bridge forward_delay 0 mcast_snooping 0`,
    'link set underlay up',
    ...members.map(({ port }) => `link set ${port} master underlay up`),
  ];
  await Promise.all([
    inNamespace(
      bridgeNetns,
      bridge,
      members.map(({ port }) => port),
    ),
    ...members.map(({ netns }) => inNamespace(netns, ['link set lo up', `link set ${uplink} up`], [uplink])),
  ]);
}

/**
 * Checksums are never left to the receiver's hardware on a veth: a userspace datapath reads frames from a packet socket,
 * where they would arrive with a checksum nobody has filled in.
 */
async function inNamespace(netns: string, ipLines: readonly string[], veths: readonly string[]): Promise<void> {
  const script = 'ip -batch - && for veth; do ethtool -K "$veth" tx off >/dev/null || exit; done';
  await run('sh', ['-c', script, 'sh', ...veths], { netns, input: lines(ipLines) });
}

function lines(commands: readonly string[]): string {
  return commands.map((command) => `${command}\n`).join('');
}
