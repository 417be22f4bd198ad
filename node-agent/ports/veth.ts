import type { PortRequest } from '../port-request.ts';
import type { PodNic } from './pod-nic.ts';

/**
 * `veth`: the pod's own kernel is the guest. The NIC carries addresses, routes and MTU.
 *
 * No duplicate address detection: an address is usable when CNI ADD answers (OVN guarantees that it is unique), and no router
 * advertisement is taken: routes come from here, and autoconfigured addresses would be dropped by port security.
 */
export function veth(request: PortRequest, interfaceName: string): PodNic {
  const hasIPv6 = request.addresses.some(({ family }) => family === 6);
  const device = `dev ${interfaceName}`;
  return {
    ipv6: { accept_dad: 0, accept_ra: 0, ...(hasIPv6 && { disable_ipv6: 0 }) },
    ip: [
      ...request.addresses.map(
        ({ address, prefixLength, family }) =>
          `address add ${address}/${prefixLength} ${device}${family === 6 ? ' nodad' : ''}`,
      ),
      `link set ${device} up`,
      ...defaultGateways(request).map((gateway) => `route add default via ${gateway} ${device}`),
      ...request.routes.map(({ destination, nextHop }) => `route add ${destination} via ${nextHop} ${device}`),
    ],
  };
}

/**
 * The gateways through which the NIC gets default routes: none for a further NIC, whose logical port is named
 * `<kind>/<namespace>/<name>/<nic>` (docs/bus.md), since the pod's first NIC has them.
 */
export function defaultGateways(request: PortRequest): readonly string[] {
  if (request.logicalPort.split('/').length > 3) return [];
  return request.addresses.flatMap(({ gateway }) => gateway ?? []);
}
