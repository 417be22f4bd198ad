import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;

/** A subnet as numbers: `first` is the network address, `size` how many addresses it spans. */
export interface Cidr {
  readonly family: Family;
  readonly first: bigint;
  readonly prefixLength: number;
  readonly size: bigint;
}

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** `10.244.0.5` or `fd00::5`; undefined for anything else, the shortened IPv4 spellings of inet_aton among it. */
export function parseAddress(text: string): Address | undefined {
  for (const { text: written, address } of justWritten) if (written === text) return address;
  const value = ipv4Value(text);
  if (value !== undefined) return { family: 4, value: BigInt(value) };
  if (!text.includes(':') || text.includes('%')) return undefined;
  const plain = ipv6Value(text);
  if (plain !== undefined) return { family: 6, value: plain };
  return ipaddr.IPv6.isValid(text) ? { family: 6, value: bigintOf(ipaddr.IPv6.parse(text)) } : undefined;
}

/**
 * Every address of every port passes here at a start: what is plain needs no library and leaves no litter. `::` stands for as many zeros as are
 * missing (RFC 4291 §2.2); undefined for anything that is not plain hexadecimal groups.
 */
function ipv6Value(text: string): bigint | undefined {
  const groups = addressGroups;
  let count = 0;
  let gap = -1;
  let group = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code !== colon) {
      const digit = hexDigit(code);
      if (digit === undefined || digits === 4) return undefined;
      group = group * 16 + digit;
      digits += 1;
      continue;
    }
    const isDouble = text.charCodeAt(i + 1) === colon;
    if (digits === 0 && !(isDouble && i === 0)) return undefined;
    if (digits > 0) {
      if (count === 8) return undefined;
      groups[count] = group;
      count += 1;
      group = 0;
      digits = 0;
    }
    if (isDouble) {
      if (gap >= 0) return undefined;
      gap = count;
      i += 1;
    } else if (i + 1 === text.length) return undefined;
  }
  if (digits > 0) {
    if (count === 8) return undefined;
    groups[count] = group;
    count += 1;
  }
  if (gap < 0 ? count !== 8 : count > 7) return undefined;
  if (gap >= 0) {
    groups.copyWithin(gap + 8 - count, gap, count);
    groups.fill(0, gap, gap + 8 - count);
  }
  return (halfOf(groups, 0) << 64n) | halfOf(groups, 4);
}

/** What `ipv6Value` has read so far, or `formatIpv6` is to write. */
const addressGroups = new Uint16Array(8);
const colon = 0x3a;

function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

/** Four groups: numbers as far as they go, so that few bigints are made. */
function halfOf(groups: Uint16Array, start: number): bigint {
  const pair = (at: number) => BigInt((groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0));
  return (pair(start) << 32n) | pair(start + 2);
}

function ipv4Value(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** `10.244.0.0/16`; host bits are cut off. */
export function parseCidr(text: string): Cidr | undefined {
  const [base = '', length = '', ...rest] = text.split('/');
  const address = parseAddress(base);
  if (address === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  const prefixLength = Number(length);
  if (prefixLength > bits) return undefined;
  const size = 1n << BigInt(bits - prefixLength);
  return { family: address.family, prefixLength, size, first: address.value - (address.value % size) };
}

export function formatAddress(address: Address): string {
  const { family, value } = address;
  const text = family === 4 ? formatIpv4(Number(value)) : formatIpv6(value);
  const [, last] = justWritten;
  justWritten = [last, { text, address }];
  return text;
}

interface Written {
  readonly text: string;
  readonly address: Address;
}

/** The texts of the last two: what has just been given to a NIC is read next. */
let justWritten: readonly [Written, Written] = [
  { text: '0.0.0.0', address: { family: 4, value: 0n } },
  { text: '::', address: { family: 6, value: 0n } },
];

function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** RFC 5952, which is also how OVN prints and compares IPv6: lower case, the first of the longest runs of zeros shortened. */
function formatIpv6(value: bigint): string {
  for (let i = 0; i < 8; i += 2) {
    const two = Number(BigInt.asUintN(32, value >> BigInt(96 - 16 * i)));
    addressGroups[i] = two >>> 16;
    addressGroups[i + 1] = two & 0xffff;
  }
  const { start, length } = longestZeros(addressGroups);
  const texts: string[] = [];
  for (let i = 0; i < 8; i += 1) {
    if (i !== start) {
      texts.push((addressGroups[i] ?? 0).toString(16));
      continue;
    }
    // An empty text makes two colons between others, and one at an end.
    texts.push('');
    if (start === 0) texts.push('');
    i += length - 1;
    if (i === 7) texts.push('');
  }
  return texts.join(':');
}

/** The first of the longest runs of two zeros or more; `start` is −1 when there is none. */
function longestZeros(groups: Uint16Array): { readonly start: number; readonly length: number } {
  let start = -1;
  let length = 1;
  let run = 0;
  for (let i = 0; i < 8; i += 1) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > length) {
      start = i + 1 - run;
      length = run;
    }
  }
  return { start, length };
}

/** The first address of each family; a prefix length, as a claim has it, is not looked at. */
export function addressesOf(ips: readonly string[]): readonly Address[] {
  const byFamily = new Map<number, Address>();
  for (const text of ips) {
    const address = parseAddress(text.split('/')[0] ?? '');
    if (address !== undefined && !byFamily.has(address.family)) byFamily.set(address.family, address);
  }
  return [...byFamily.values()];
}

export function formatCidr(cidr: Cidr): string {
  return `${formatAddress({ family: cidr.family, value: cidr.first })}/${cidr.prefixLength}`;
}

export function contains(cidr: Cidr, address: Address): boolean {
  return address.family === cidr.family && address.value >= cidr.first && address.value < cidr.first + cidr.size;
}

/**
 * A locally administered MAC that is as unique in a network as the address it is made of: `0a:58` and the IPv4 address, as
 * OVN-Kubernetes has it, or `0a:59` and the low 32 bits of the IPv6 address.
 */
export function macOf(address: Address): string {
  const low = Number(address.value & 0xffffffffn)
    .toString(16)
    .padStart(8, '0');
  const prefix = address.family === 4 ? '58' : '59';
  return ['0a', prefix, low.slice(0, 2), low.slice(2, 4), low.slice(4, 6), low.slice(6)].join(':');
}

function bigintOf(address: { toByteArray(): number[] }): bigint {
  const hex = address.toByteArray().map((byte) => byte.toString(16).padStart(2, '0'));
  return BigInt(`0x${hex.join('')}`);
}
