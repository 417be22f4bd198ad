import { canonicalMac } from '../address.ts';
import { offered } from '../probe/offered.ts';
import { ConfigError, readConfig } from './config.ts';

/** What our server would offer the guest `mac` on each segment that knows it; no packet is sent. @throws ConfigError */
export async function offer(file: string, macText: string): Promise<string> {
  const mac = canonicalMac(macText);
  if (mac === undefined) throw new ConfigError([`--mac: ${JSON.stringify(macText)} is not an Ethernet address`]);
  const { segments } = await readConfig(file);
  const lines = segments
    .filter(({ guests }) => guests.byMac.has(mac))
    .flatMap(({ segment, guests }) => offered(segment, guests, mac));
  return lines.length > 0
    ? lines.join('\n')
    : `${mac}: no segment of ${file} has this guest, so it would be offered nothing`;
}
