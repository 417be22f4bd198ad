import { addressBytes, familyOf } from '../address.ts';
import { defaultLeaseSeconds, type GuestSettings } from '../settings.ts';
import { ascii, be16, be32, concat } from '../wire/bytes.ts';
import { option6 } from '../wire/dhcpv6-message.ts';
import { encodedDomains } from '../wire/domain-name.ts';
import { packed, rawContent } from './dhcpv4-options.ts';

/** Seconds before a client without service asks again (SOL_MAX_RT and INF_MAX_RT, RFC 9915 §21.24). */
const maxRetransmissionSeconds = 600;

/** Everything guests with these settings can be told by DHCPv6, by code, encoded with their headers. */
export function dhcpv6OptionSet(settings: GuestSettings): ReadonlyMap<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  const put = (code: number, content: Uint8Array): void => {
    if (content.length > 0) options.set(code, option6(code, content));
  };
  const { dns, boot } = settings;
  const ntp = ofFamily6(settings.ntp);
  put(23, packed(ofFamily6(dns?.servers)));
  put(24, encodedDomains(dns?.search ?? []));
  put(31, packed(ntp));
  // One NTP_SUBOPTION_SRV_ADDR for each server (RFC 5908 §4.1).
  put(56, concat(...ntp.map((address) => concat(be16(1, 16), addressBytes(address)))));
  put(59, ascii(boot?.ipv6Url ?? ''));
  put(60, concat(...(boot?.ipv6Parameters ?? []).map((text) => concat(be16(text.length), ascii(text)))));
  put(82, be32(maxRetransmissionSeconds));
  put(83, be32(maxRetransmissionSeconds));
  put(103, ascii(settings.captivePortal ?? ''));
  for (const option of settings.options?.dhcpv6 ?? [])
    options.set(option.code, option6(option.code, rawContent(option)));
  return options;
}

/** Lifetimes of an IA and its addresses, in seconds (RFC 9915 §21.4). */
export function iaTimes(settings: GuestSettings): { readonly t1: number; readonly t2: number; readonly valid: number } {
  const valid = settings.leaseSeconds ?? defaultLeaseSeconds;
  const isInfinite = valid === 0xffff_ffff;
  return {
    t1: settings.renewSeconds ?? (isInfinite ? valid : Math.floor(valid / 2)),
    t2: settings.rebindSeconds ?? (isInfinite ? valid : Math.floor(valid * 0.8)),
    valid,
  };
}

function ofFamily6(addresses: readonly string[] = []): string[] {
  return addresses.filter((address) => familyOf(address) === 6);
}
