import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import type { Run } from './commands.ts';
import type { Config } from './config.ts';
import type { PortRequest } from './port-request.ts';

/**
 * Bytes that a tunnel adds to a guest's IP packet: inner Ethernet 14, outer IP 20 or 40, UDP 8, and VXLAN 8 (RFC 7348) or Geneve 8
 * with OVN's one option of 8 (ovn-architecture(7), "Tunnel Encapsulations").
 */
export function tunnelOverheadBytes({ type, ip }: Config['encap']): number {
  return 14 + (ip.includes(':') ? 40 : 20) + 8 + (type === 'geneve' ? 16 : 8);
}

/**
 * The largest MTU of a NIC whose packets pass this node's tunnels whole: that of the device with the tunnel's address, less the overhead.
 * @returns undefined when no device has the address.
 */
export async function tunnelMtuBytes(run: Run, encap: Config['encap']): Promise<number | undefined> {
  const device = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => address === encap.ip),
  )?.[0];
  if (device === undefined) return undefined;
  const [link] = links.parse(JSON.parse(await run('ip', ['-json', 'link', 'show', 'dev', device])));
  return link && link.mtu - tunnelOverheadBytes(encap);
}

/**
 * Ports whose largest packets this node's tunnels do not carry. A NIC outside of `br-int` is behind no tunnel, whatever its MTU; one of an
 * underlay on `br-int` is while its guest migrates (OVN tunnels everything of a port that two chassis have).
 */
export function portsAboveTunnelMtu(
  ports: Iterable<PortRequest>,
  tunnelMtu: number | undefined,
): readonly PortRequest[] {
  if (tunnelMtu === undefined) return [];
  return [...ports].filter(({ attach, mtuBytes }) => attach !== 'outside' && mtuBytes > tunnelMtu);
}

const links = z.array(z.object({ mtu: z.number() }));
