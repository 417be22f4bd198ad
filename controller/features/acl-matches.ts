import { contains, formatCidr, parseCidr } from '../ipam/address.ts';
import type { PolicyPeer, PolicyPort } from '../kube/objects/network-policy.ts';

/** From where the policy's pods are: `ingress` is to them. */
export type Direction = 'ingress' | 'egress';

/**
 * What a NIC needs to have a network at all. OVN allows some of it by itself from 23.06 on, and its own DHCP answers always; 23.03 drops
 * neighbour discovery with everything else (ovn-northd(8), "Ingress/Egress ACLs").
 */
export function infrastructureMatch(direction: Direction): string {
  return direction === 'ingress'
    ? '(nd || nd_ra || mldv1 || mldv2)'
    : '(nd || nd_rs || mldv1 || mldv2 || (udp.src == 68 && udp.dst == 67) || (udp.src == 546 && udp.dst == 547))';
}

/** The ports of a rule: '' for all ports, undefined when none could be understood. */
export function portsMatch(ports: readonly PolicyPort[] | undefined): {
  readonly match?: string;
  readonly sentences: readonly string[];
} {
  if (ports === undefined) return { match: '', sentences: [] };
  const sentences: string[] = [];
  const matches = ports.flatMap(({ protocol, port, endPort }, index) => {
    const name = protocol.toLowerCase();
    if (typeof port === 'string') {
      sentences.push(`ports[${index}]: the named port "${port}" is not understood yet; write its number`);
      return [];
    }
    if (port === undefined) return [name];
    if (endPort === undefined || endPort === port) return [`${name}.dst == ${port}`];
    return [`(${name}.dst >= ${port} && ${name}.dst <= ${endPort})`];
  });
  if (matches.length === 0) return { sentences };
  return { match: matches.length === 1 ? (matches[0] ?? '') : `(${matches.join(' || ')})`, sentences };
}

/** An `ipBlock`: the addresses of `cidr` less those of `except`. */
export function blockMatch(
  { cidr: text, except }: Extract<PolicyPeer, { readonly kind: 'ipBlock' }>,
  side: 'src' | 'dst',
): { readonly match?: string; readonly sentence?: string } {
  const cidr = parseCidr(text);
  if (cidr === undefined) return { sentence: `ipBlock.cidr "${text}" is not a CIDR such as 10.0.0.0/8` };
  const field = `ip${cidr.family}.${side}`;
  const holes: string[] = [];
  for (const hole of except) {
    const parsed = parseCidr(hole);
    if (parsed === undefined || !contains(cidr, { family: parsed.family, value: parsed.first })) {
      return { sentence: `ipBlock.except "${hole}" is not a CIDR within ${text}` };
    }
    holes.push(formatCidr(parsed));
  }
  const without = holes.length === 0 ? '' : ` && ${field} != {${holes.join(', ')}}`;
  return { match: `(${field} == ${formatCidr(cidr)}${without})` };
}
