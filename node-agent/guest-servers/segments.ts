import { canonicalAddress, linkLocalOf, parsePrefix, prefixText } from '#dhcp/address.ts';
import type { GuestBinding, Segment } from '#dhcp/guests.ts';
import { serverDuid } from '#dhcp/server-duid.ts';
import { type GuestSettings, mergeGuestSettings } from '#dhcp/settings.ts';
import type { PortRequest } from '../port-request.ts';
import type { SegmentPlace, ServedGuest } from './served-guest.ts';

/** One segment as the server of a node needs it; equal on every node, and for every guest of the segment. */
export interface ServedSegment {
  readonly segment: Segment;
  readonly place: SegmentPlace;
  /** In whose name routers are advertised; absent where they are somebody else's, who advertise themselves. */
  readonly router?: { readonly mac: string; readonly linkLocal: string };
  /** What routers are advertised with. */
  readonly settings: GuestSettings;
}

/** The segment a guest is on, as the guest's own row tells it. */
export function segmentOf({ addresses, mtuBytes }: PortRequest, guest: ServedGuest): ServedSegment {
  const gateways = addresses.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  const subnets = addresses.flatMap(({ address, prefixLength, gateway }) => {
    const prefix = gateway === undefined ? undefined : parsePrefix(`${address}/${prefixLength}`);
    return prefix === undefined ? [] : [prefixText(prefix)];
  });
  const serverId = gateways.find((address) => !address.includes(':'));
  const { segment: name, place, network } = guest;
  const routerMac = place.kind === 'localport' ? place.routerMac : undefined;
  return {
    segment: {
      name,
      subnets,
      gateways,
      mtu: mtuBytes,
      serverDuid: serverDuid(name),
      relays: [],
      trustDuid: false,
      // The gateway, as with OVN: an address of the segment that no guest can have.
      ...(serverId !== undefined && { serverId }),
    },
    place,
    ...(routerMac !== undefined && { router: { mac: routerMac, linkLocal: linkLocalOf(routerMac) } }),
    settings: network,
  };
}

export function bindingOf({ mac, addresses }: PortRequest, guest: ServedGuest): GuestBinding {
  return {
    mac,
    addresses: addresses.map(({ address }) => canonicalAddress(address) ?? address),
    settings: mergeGuestSettings(guest.network, guest.own),
    ...(guest.hostName !== undefined && { hostName: guest.hostName }),
  };
}
