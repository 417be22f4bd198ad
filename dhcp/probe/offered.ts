import { linkLocalOf } from '../address.ts';
import type { Guests, Segment } from '../guests.ts';
import { segmentServer } from '../server/segment-server.ts';
import { Counter } from '../server/tally.ts';
import { decodeDhcpv4 } from '../wire/dhcpv4-message.ts';
import { decodeDhcpv6 } from '../wire/dhcpv6-message.ts';
import { describeDhcpv4, describeDhcpv6 } from './describe.ts';
import { discover, solicit } from './requests.ts';

/** What our server would offer the guest `mac` on the segment, in lines for a person. No packet is sent. */
export function offered(segment: Segment, guests: Guests, mac: string): readonly string[] {
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
  server.dhcpv6(solicit(mac, 1), sender, way);
  return lines;
}
