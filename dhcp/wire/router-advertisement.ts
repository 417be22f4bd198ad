import { addressBytes, addressFromBytes } from '../address.ts';
import { ascii, be16, be32, concat, macAt, macBytes, u16, u32 } from './bytes.ts';
import { decodedDomains, encodedDomains } from './domain-name.ts';
import type { Malformed } from './malformed.ts';

/** For ever, in seconds. */
export const infinite = 0xffff_ffff;

export type RouterPreference = 'high' | 'medium' | 'low';

/** A router advertisement (RFC 4861 §4.2) with what RFC 4191, 8106, 8781 and 8910 add. Lifetimes are in seconds. */
export interface RouterAdvertisement {
  readonly hopLimit: number;
  /** M: addresses by DHCPv6. */
  readonly managed: boolean;
  /** O: other configuration by DHCPv6. */
  readonly other: boolean;
  readonly preference: RouterPreference;
  readonly routerLifetimeSeconds: number;
  /** The sender's Ethernet address; left out when other senders share the address. */
  readonly sourceMac?: string;
  readonly mtu?: number;
  readonly prefixes: readonly AdvertisedPrefix[];
  readonly routes: readonly AdvertisedRoute[];
  readonly dns?: {
    readonly servers: readonly string[];
    readonly search: readonly string[];
    readonly lifetimeSeconds: number;
  };
  /** Lifetime is rounded up to 8 s and cut at 65,528 s (RFC 8781 §4). */
  readonly pref64?: { readonly address: string; readonly length: number; readonly lifetimeSeconds: number };
  readonly captivePortal?: string;
}

export interface AdvertisedPrefix {
  readonly address: string;
  readonly length: number;
  readonly onLink: boolean;
  readonly autonomous: boolean;
  readonly validSeconds: number;
  readonly preferredSeconds: number;
}

export interface AdvertisedRoute {
  readonly address: string;
  readonly length: number;
  readonly preference: RouterPreference;
  readonly lifetimeSeconds: number;
}

const preferenceBits: Record<RouterPreference, number> = { high: 0x08, medium: 0x00, low: 0x18 };
/** Prefix length → PLC (RFC 8781 §4). */
const prefixLengthCode = new Map([
  [96, 0],
  [64, 1],
  [56, 2],
  [48, 3],
  [40, 4],
  [32, 5],
]);

/** The ICMPv6 message; its checksum is left zero for whoever knows the addresses. */
export function encodeRouterAdvertisement(ra: RouterAdvertisement): Uint8Array {
  const flags = (ra.managed ? 0x80 : 0) | (ra.other ? 0x40 : 0) | preferenceBits[ra.preference];
  return concat(
    Uint8Array.of(134, 0, 0, 0, ra.hopLimit, flags),
    be16(ra.routerLifetimeSeconds),
    be32(0, 0),
    ...(ra.sourceMac === undefined ? [] : [option(1, macBytes(ra.sourceMac))]),
    ...(ra.mtu === undefined ? [] : [option(5, be16(0), be32(ra.mtu))]),
    ...ra.prefixes.map(prefixInformation),
    ...ra.routes.map(routeInformation),
    ...dnsOptions(ra.dns),
    ...(ra.pref64 === undefined ? [] : [pref64(ra.pref64)]),
    ...(ra.captivePortal === undefined ? [] : [option(37, ascii(ra.captivePortal))]),
  );
}

/** Type, length in units of 8 bytes, content padded with zeros. */
function option(type: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concat(...content);
  const units = Math.ceil((body.length + 2) / 8);
  const bytes = new Uint8Array(units * 8);
  bytes[0] = type;
  bytes[1] = units;
  bytes.set(body, 2);
  return bytes;
}

function prefixInformation(prefix: AdvertisedPrefix): Uint8Array {
  const flags = (prefix.onLink ? 0x80 : 0) | (prefix.autonomous ? 0x40 : 0);
  const head = Uint8Array.of(prefix.length, flags);
  return option(3, head, be32(prefix.validSeconds, prefix.preferredSeconds, 0), addressBytes(prefix.address));
}

function routeInformation(route: AdvertisedRoute): Uint8Array {
  const head = Uint8Array.of(route.length, preferenceBits[route.preference]);
  const shown = addressBytes(route.address).subarray(0, route.length === 0 ? 0 : route.length <= 64 ? 8 : 16);
  return option(24, head, be32(route.lifetimeSeconds), shown);
}

function dnsOptions(dns: RouterAdvertisement['dns']): Uint8Array[] {
  if (dns === undefined) return [];
  const head = [be16(0), be32(dns.lifetimeSeconds)];
  const options: Uint8Array[] = [];
  if (dns.servers.length > 0) options.push(option(25, ...head, ...dns.servers.map(addressBytes)));
  if (dns.search.length > 0) options.push(option(31, ...head, encodedDomains(dns.search)));
  return options;
}

function pref64({ address, length, lifetimeSeconds }: NonNullable<RouterAdvertisement['pref64']>): Uint8Array {
  const scaled = Math.min(8191, Math.ceil(lifetimeSeconds / 8));
  return option(38, be16((scaled << 3) | (prefixLengthCode.get(length) ?? 0)), addressBytes(address).subarray(0, 12));
}

/** A router solicitation: the sender's Ethernet address when it says one. */
export interface RouterSolicitation {
  readonly sourceMac: string | undefined;
}

/**
 * An ICMPv6 message that passed its checksum, with the IPv6 header's hop limit and source (RFC 4861 §6.1.1). Never throws;
 * an option of length zero ends the reading, as the RFC demands.
 */
export function decodeRouterSolicitation(
  icmp: Uint8Array,
  header: { readonly hopLimit: number; readonly sourceIsUnspecified: boolean },
): RouterSolicitation | Malformed {
  if (header.hopLimit !== 255) return 'badHopLimit';
  if (icmp.length < 8) return 'tooShort';
  if (icmp[0] !== 133 || icmp[1] !== 0) return 'badCode';
  const options = ndOptions(icmp.subarray(8));
  if (options === undefined) return 'badOptionLength';
  const source = options.find(({ type, content }) => type === 1 && content.length === 6);
  if (source !== undefined && header.sourceIsUnspecified) return 'badSource';
  return { sourceMac: source && macAt(source.content, 0) };
}

/** What a router advertisement says, for `probe` and for tests; the inverse of `encodeRouterAdvertisement`. */
export function decodeRouterAdvertisement(icmp: Uint8Array): RouterAdvertisement | Malformed {
  if (icmp.length < 16) return 'tooShort';
  if (icmp[0] !== 134 || icmp[1] !== 0) return 'badCode';
  const options = ndOptions(icmp.subarray(16));
  if (options === undefined) return 'badOptionLength';
  const flags = icmp[5] ?? 0;
  const of = (type: number, least: number) => options.filter((o) => o.type === type && o.content.length >= least);
  const [source] = of(1, 6);
  const [mtu] = of(5, 6);
  const [rdnss] = of(25, 22);
  const [dnssl] = of(31, 7);
  const [nat64] = of(38, 14);
  const [portal] = of(37, 1);
  return {
    hopLimit: icmp[4] ?? 0,
    managed: (flags & 0x80) !== 0,
    other: (flags & 0x40) !== 0,
    preference: preferenceOf(flags),
    routerLifetimeSeconds: u16(icmp, 6),
    ...(source && { sourceMac: macAt(source.content, 0) }),
    ...(mtu && { mtu: u32(mtu.content, 2) }),
    prefixes: of(3, 30).map(({ content }) => ({
      address: addressAt(content, 14, 16),
      length: content[0] ?? 0,
      onLink: ((content[1] ?? 0) & 0x80) !== 0,
      autonomous: ((content[1] ?? 0) & 0x40) !== 0,
      validSeconds: u32(content, 2),
      preferredSeconds: u32(content, 6),
    })),
    routes: of(24, 6).map(({ content }) => ({
      address: addressAt(content, 6, content.length - 6),
      length: content[0] ?? 0,
      preference: preferenceOf(content[1] ?? 0),
      lifetimeSeconds: u32(content, 2),
    })),
    ...((rdnss || dnssl) && { dns: decodedDns(rdnss?.content, dnssl?.content) }),
    ...(nat64 && { pref64: decodedPref64(nat64.content) }),
    ...(portal && { captivePortal: textOf(portal.content) }),
  };
}

interface NdOption {
  readonly type: number;
  readonly content: Uint8Array;
}

function ndOptions(bytes: Uint8Array): readonly NdOption[] | undefined {
  const options: NdOption[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = (bytes[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > bytes.length) return undefined;
    options.push({ type: bytes[at] ?? 0, content: bytes.subarray(at + 2, at + length) });
    at += length;
  }
  return options;
}

function preferenceOf(flags: number): RouterPreference {
  const bits = flags & 0x18;
  return bits === 0x08 ? 'high' : bits === 0x18 ? 'low' : 'medium';
}

function decodedDns(
  rdnss: Uint8Array | undefined,
  dnssl: Uint8Array | undefined,
): NonNullable<RouterAdvertisement['dns']> {
  const servers: string[] = [];
  for (let at = 6; rdnss !== undefined && at + 16 <= rdnss.length; at += 16) servers.push(addressAt(rdnss, at, 16));
  const search = dnssl === undefined ? [] : (decodedDomains(dnssl.subarray(6)) ?? []).filter((name) => name !== '');
  return { servers, search, lifetimeSeconds: u32(rdnss ?? dnssl ?? new Uint8Array(6), 2) };
}

function decodedPref64(content: Uint8Array): NonNullable<RouterAdvertisement['pref64']> {
  const field = u16(content, 0);
  const length = [...prefixLengthCode].find(([, code]) => code === (field & 7))?.[0] ?? 96;
  return { address: addressAt(content, 2, 12), length, lifetimeSeconds: (field >>> 3) * 8 };
}

function addressAt(bytes: Uint8Array, at: number, length: number): string {
  const whole = new Uint8Array(16);
  whole.set(bytes.subarray(at, at + Math.min(16, length)));
  return addressFromBytes(whole);
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
}
