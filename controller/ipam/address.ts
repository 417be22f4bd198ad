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
  const value = ipv4Value(text);
  if (value !== undefined) return { family: 4, value: BigInt(value) };
  if (!text.includes(':') || text.includes('%')) return undefined;
  const plain = ipv6Value(text);
  if (plain !== undefined) return { family: 6, value: plain };
  return ipaddr.IPv6.isValid(text) ? { family: 6, value: bigintOf(ipaddr.IPv6.parse(text)) } : undefined;
}

/** Every address of every port passes here at a start: what is plain needs no library, which took a tenth of the whole start. */
function ipv6Value(text: string): bigint | undefined {
  const [head = '', tail, more] = text.split('::');
  if (more !== undefined || !/^[0-9a-f:]+$/i.test(text)) return undefined;
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = 8 - left.length - right.length;
  if (tail === undefined ? zeros !== 0 : zeros < 1) return undefined;
  let hex = '0x';
  for (const group of [...left, ...Array<string>(zeros).fill('0'), ...right]) {
    if (group.length === 0 || group.length > 4) return undefined;
    hex += group.padStart(4, '0');
  }
  return BigInt(hex);
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

export function formatAddress({ family, value }: Address): string {
  if (family === 4) {
    const number = Number(value);
    return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
  }
  return formatIpv6(value);
}

/** RFC 5952, which is also how OVN prints and compares IPv6: lower case, the first of the longest runs of zeros shortened. */
function formatIpv6(value: bigint): string {
  const hex = value.toString(16).padStart(32, '0');
  const groups: string[] = [];
  for (let at = 0; at < 32; at += 4) groups.push(Number.parseInt(hex.slice(at, at + 4), 16).toString(16));
  let longest = { start: 0, length: 1 };
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== '0') start = i + 1;
    else if (i + 1 - start > longest.length) longest = { start, length: i + 1 - start };
  }
  if (longest.length === 1) return groups.join(':');
  const { start: first, length } = longest;
  return `${groups.slice(0, first).join(':')}::${groups.slice(first + length).join(':')}`;
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
  const bytes = `${low.slice(0, 2)}:${low.slice(2, 4)}:${low.slice(4, 6)}:${low.slice(6)}`;
  return `0a:${address.family === 4 ? '58' : '59'}:${bytes}`;
}

function bigintOf(address: { toByteArray(): number[] }): bigint {
  const hex = address.toByteArray().map((byte) => byte.toString(16).padStart(2, '0'));
  return BigInt(`0x${hex.join('')}`);
}
