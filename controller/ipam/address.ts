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
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  return { family: 6, value: bigintOf(ipaddr.IPv6.parse(text)) };
}

/** Every address of every port passes here at a start, and IPv4 needs no library. */
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
  const bytes = bytesOf(value, 16);
  // RFC 5952, which is also how OVN prints and compares IPv6.
  return ipaddr.fromByteArray(bytes).toString();
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

function bytesOf(value: bigint, length: number): number[] {
  const hex = value.toString(16).padStart(length * 2, '0');
  return Array.from({ length }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
