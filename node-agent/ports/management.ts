import type { PortRequest } from '../port-request.ts';
import type { PodNic } from './pod-nic.ts';

/**
 * `management`: this node's own kernel is the guest. As `veth`, but without a default route, and every line can be said again to a
 * NIC that has been in use all along.
 */
export function management(request: PortRequest, interfaceName: string): PodNic {
  const hasIPv6 = request.addresses.some(({ family }) => family === 6);
  const device = `dev ${interfaceName}`;
  return {
    ipv6: { accept_dad: 0, accept_ra: 0, ...(hasIPv6 && { disable_ipv6: 0 }) },
    ip: [
      ...request.addresses.map(
        ({ address, prefixLength, family }) =>
          `address replace ${address}/${prefixLength} ${device}${family === 6 ? ' nodad' : ''}`,
      ),
      `link set ${device} up`,
      ...request.routes.map(({ destination, nextHop }) => `route replace ${destination} via ${nextHop} ${device}`),
    ],
  };
}
