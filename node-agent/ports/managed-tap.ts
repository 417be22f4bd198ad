import type { PortRequest } from '../port-request.ts';
import type { PodNic } from './pod-nic.ts';

/**
 * `managedTap` (KubeVirt `domainAttachmentType: managedTap`, pkg/network/setup/netpod/netpod.go): virt-handler puts bridge and
 * tap behind the NIC and the guest answers for MAC and addresses.
 *
 * Until then the NIC must stay silent. It has the guest's MAC, and in a migration the guest still runs elsewhere: one
 * neighbour solicitation, MLD report or ARP reply of the pod's own kernel would draw the guest's traffic to the target early.
 * So it has no address, no IPv6 and no ARP. A bridge port needs none of them.
 */
export function managedTap(_request: PortRequest, interfaceName: string): PodNic {
  return {
    ipv6: { disable_ipv6: 1 },
    ip: [`link set dev ${interfaceName} arp off`, `link set dev ${interfaceName} up`],
  };
}
