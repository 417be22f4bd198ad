import { linkLocalOf } from '../address.ts';
import type { Guests, Segment } from '../guests.ts';
import { advertisementOf } from '../server/advertisement.ts';
import { type AdvertisingSettings, segmentServer } from '../server/segment-server.ts';
import { Counter } from '../server/tally.ts';
import { decodeDhcpv4 } from '../wire/dhcpv4-message.ts';
import { decodeDhcpv6 } from '../wire/dhcpv6-message.ts';
import { describeAdvertisement, describeDhcpv4, describeDhcpv6 } from './describe.ts';
import { discover, solicit } from './requests.ts';

/** What is advertised on a segment, and in whose name (a link-local address). */
export interface Advertised extends AdvertisingSettings {
  readonly from: string;
}

/** What our server would offer the guest `mac` on the segment, in lines for a person. No packet is sent. */
export function offered(
  segment: Segment,
  guests: Guests,
  mac: string,
  advertised: Advertised | undefined,
): readonly string[] {
  const server = segmentServer(segment, guests, new Counter());
  const sender = { mac, address: linkLocalOf(mac), port: 546 };
  const lines = [`segment ${segment.name}`];
  const way = {
    sendDhcpv4(bytes: Uint8Array): void {
      const message = decodeDhcpv4(bytes);
      if (typeof message !== 'string') lines.push(...describeDhcpv4(message));
    },
    sendDhcpv6(bytes: Uint8Array): void {
      const packet = decodeDhcpv6(bytes);
      if (typeof packet !== 'string') lines.push(...describeDhcpv6(packet.message));
    },
  };
  server.dhcpv4(discover(mac, 1), sender, way);
  const byCode = guests.byMac.get(mac)?.settings.options?.dhcpv6 ?? [];
  server.dhcpv6(
    solicit(
      mac,
      1,
      byCode.map(({ code }) => code),
    ),
    sender,
    way,
  );
  if (advertised === undefined) return lines;
  const { settings, isRouter, from } = advertised;
  return [...lines, ...describeAdvertisement(advertisementOf(settings, segment, isRouter), { address: from })];
}
