import { addressBytes, familyOf, ipv4Number, netmaskText, type Prefix, parsePrefix } from '../address.ts';
import type { Segment } from '../guests.ts';
import { defaultLeaseSeconds, type GuestSettings, type RawOption } from '../settings.ts';
import { ascii, be16, be32, concat, fromHex } from '../wire/bytes.ts';
import { encodedDomains } from '../wire/domain-name.ts';

/** Option code → content. */
export type OptionSet = ReadonlyMap<number, Uint8Array>;

/** Times of a lease, in seconds. */
export function leaseTimes(settings: GuestSettings): {
  readonly lease: number;
  readonly t1: number;
  readonly t2: number;
} {
  const lease = settings.leaseSeconds ?? defaultLeaseSeconds;
  return {
    lease,
    t1: settings.renewSeconds ?? Math.floor(lease / 2),
    t2: settings.rebindSeconds ?? Math.floor((lease * 7) / 8),
  };
}

/**
 * Everything guests with these settings can be told by DHCPv4, whoever asks. What depends on the client (host name, boot
 * file, options 43, 60, 81, 97) is not in here.
 */
export function dhcpv4OptionSet(settings: GuestSettings, segment: Segment, subnet: Prefix): OptionSet {
  const options = new Map<number, Uint8Array>();
  const { dns, boot } = settings;
  const netmask = ipv4Number(netmaskText(subnet.length));
  const router =
    settings.defaultRoute === false ? undefined : (settings.gateway ?? segment.gateways.find((a) => familyOf(a) === 4));
  const mtu = settings.mtu ?? segment.mtu;
  const servers = ofFamily4(dns?.servers);
  const ntp = ofFamily4(settings.ntp);
  const routes = routesOf(settings, router);

  options.set(1, be32(netmask));
  options.set(28, be32((ipv4Number(subnet.address) | ~netmask) >>> 0));
  if (router !== undefined) options.set(3, addressBytes(router));
  if (servers.length > 0) options.set(6, packed(servers));
  if (settings.domain !== undefined) options.set(15, ascii(settings.domain));
  if (mtu !== undefined) options.set(26, be16(mtu));
  if (ntp.length > 0) options.set(42, packed(ntp));
  if (boot?.tftpServer !== undefined) options.set(66, ascii(boot.tftpServer));
  if (settings.ipv6OnlyPreferredSeconds !== undefined) options.set(108, be32(settings.ipv6OnlyPreferredSeconds));
  if (settings.captivePortal !== undefined) options.set(114, ascii(settings.captivePortal));
  if (dns?.search?.length) options.set(119, encodedDomains(dns.search));
  if (routes.length > 0) {
    options.set(121, concat(...routes));
    options.set(249, concat(...routes));
  }
  if (boot?.tftpServers?.length) options.set(150, packed(boot.tftpServers));
  if (boot?.pathPrefix !== undefined) options.set(210, ascii(boot.pathPrefix));
  for (const option of settings.options?.dhcpv4 ?? []) options.set(option.code, rawContent(option));
  return options;
}

/** The bytes an arbitrary option carries, in either protocol. */
export function rawContent(option: RawOption): Uint8Array {
  if (option.text !== undefined) return ascii(option.text);
  if (option.addresses !== undefined) return packed(option.addresses);
  if (option.domains !== undefined) return encodedDomains(option.domains);
  if (option.hex !== undefined) return fromHex(option.hex);
  if (option.uint32 !== undefined) return be32(option.uint32);
  if (option.uint16 !== undefined) return be16(option.uint16);
  return Uint8Array.of(option.uint8 ?? Number(option.flag ?? false));
}

export function packed(addresses: readonly string[]): Uint8Array {
  return concat(...addresses.map(addressBytes));
}

function ofFamily4(addresses: readonly string[] = []): string[] {
  return addresses.filter((address) => familyOf(address) === 4);
}

/** RFC 3442: a client that reads this option ignores option 3, so the default route is repeated here. */
function routesOf(settings: GuestSettings, router: string | undefined): Uint8Array[] {
  const routes = (settings.routes ?? []).filter(({ via }) => familyOf(via) === 4);
  if (routes.length === 0) return [];
  const all = router === undefined ? routes : [...routes, { to: '0.0.0.0/0', via: router }];
  return all.flatMap(({ to, via }) => {
    const prefix = parsePrefix(to);
    if (prefix === undefined) return [];
    const significant = addressBytes(prefix.address).subarray(0, Math.ceil(prefix.length / 8));
    return [concat(Uint8Array.of(prefix.length), significant, addressBytes(via))];
  });
}
