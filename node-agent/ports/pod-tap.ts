import type { PortRequest } from '../port-request.ts';
import type { PodNic, PodNicOptions } from './pod-nic.ts';

/**
 * `podTap` (KubeVirt `domainAttachmentType: tap`, pkg/network/domainspec/generators.go): virt-launcher opens a tap that it finds in
 * its namespace. Frames pass between it and the NIC by tc redirect, with no bridge and no learning in between; the NIC itself
 * stays as silent as that of `managedTap`.
 */
export function podTap(request: PortRequest, interfaceName: string, { tapOwner }: PodNicOptions): PodNic {
  const tap = podTapDevice(interfaceName);
  return {
    ipv6: { disable_ipv6: 1 },
    devices: [tap],
    ip: [
      `tuntap add dev ${tap} mode tap user ${tapOwner} group ${tapOwner} vnet_hdr`,
      `link set dev ${tap} mtu ${request.mtuBytes} addrgenmode none`,
      `link set dev ${tap} up`,
      `link set dev ${interfaceName} arp off`,
      `link set dev ${interfaceName} up`,
    ],
    tc: [...redirect(interfaceName, tap), ...redirect(tap, interfaceName)],
  };
}

/** The tap that KubeVirt looks for beside an interface (pkg/network/link/names.go): `tap0` for the first, the same hash for others. */
export function podTapDevice(interfaceName: string): string {
  const [, suffix] = /^(?:pod|net)([0-9a-f]+)$/.exec(interfaceName) ?? [];
  return `tap${suffix ?? '0'}`;
}

/** Everything that comes in at one device goes out of the other. */
function redirect(from: string, to: string): readonly string[] {
  return [
    `qdisc add dev ${from} ingress`,
    `filter add dev ${from} parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev ${to}`,
  ];
}
