import { canonicalMac, linkLocalOf } from '../address.ts';
import { offered } from '../probe/offered.ts';
import { readConfig } from './config.ts';
import { ConfigError } from './config-error.ts';

/** What our server would offer the guest `mac` on each segment that knows it; no packet is sent. @throws ConfigError */
export async function offer(file: string, macText: string): Promise<string> {
  const mac = canonicalMac(macText);
  if (mac === undefined) throw new ConfigError([`--mac: ${JSON.stringify(macText)} is not an Ethernet address`]);
  const { segments } = await readConfig(file);
  const lines = segments
    .filter(({ guests }) => guests.byMac.has(mac))
    .flatMap(({ segment, guests, settings, advertises, router, mac: own }) => {
      const from = router?.linkLocal ?? linkLocalOf(own);
      return offered(segment, guests, mac, advertises ? { settings, isRouter: router !== undefined, from } : undefined);
    });
  return lines.length > 0
    ? lines.join('\n')
    : `${mac}: no segment of ${file} has this guest, so it would be offered nothing`;
}
