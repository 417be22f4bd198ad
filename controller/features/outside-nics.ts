import type { Nic, Segment } from './tables.ts';

/**
 * NICs that another plugin attaches, to something else than `br-int` (a Linux bridge, a VLAN, a macvtap, an SR-IOV VF): nobody binds
 * their port, which has no addresses so that OVN has no flows for it. It tells the node's agent whom to answer (docs/bus.md).
 */
export function isOutside({ attach }: Pick<Nic, 'attach'>): boolean {
  return attach === 'outside';
}

/** A plugin makes up a MAC when none is asked for and tells nobody, so that the guest's requests could not be told from others'. */
export function lacksMac({ attach, request }: Nic): boolean {
  return attach === 'outside' && request.mac === undefined && request.complaint === undefined;
}

export const whyMacIsNeeded = 'another plugin attaches the NIC, and its guest is known by its MAC';

/** `hawser:guest-server` of such a NIC; undefined where the segment is on no physical network. */
export function serverOnLink({ key, localnet }: Segment): string | undefined {
  if (localnet === undefined) return undefined;
  const { physicalNetwork, vlan } = localnet;
  return [`${key}/outside`, physicalNetwork, ...(vlan === undefined ? [] : [String(vlan)])].join(' ');
}
