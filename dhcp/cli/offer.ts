import { canonicalMac, linkLocalOf } from '../address.ts';
import { describeDhcpv4, describeDhcpv6 } from '../probe/describe.ts';
import { discover, solicit } from '../probe/requests.ts';
import { segmentServer } from '../server/segment-server.ts';
import { Counter } from '../server/tally.ts';
import { decodeDhcpv4 } from '../wire/dhcpv4-message.ts';
import { decodeDhcpv6 } from '../wire/dhcpv6-message.ts';
import { ConfigError, readConfig } from './config.ts';

/** What our server would offer the guest `mac` on each segment that knows it; no packet is sent. @throws ConfigError */
export async function offer(file: string, macText: string): Promise<string> {
  const mac = canonicalMac(macText);
  if (mac === undefined) throw new ConfigError([`--mac: ${JSON.stringify(macText)} is not an Ethernet address`]);
  const { segments } = await readConfig(file);
  const lines: string[] = [];
  for (const { segment, guests } of segments.filter((config) => config.guests.byMac.has(mac))) {
    const server = segmentServer(segment, guests, new Counter());
    const sender = { mac, address: linkLocalOf(mac), port: 546 };
    lines.push(`segment ${segment.name}`);
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
  }
  return lines.length > 0
    ? lines.join('\n')
    : `${mac}: no segment of ${file} has this guest, so it would be offered nothing`;
}
