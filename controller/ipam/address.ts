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
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 4, value: bigintOf(ipaddr.IPv4.parse(text)) };
  if (ipaddr.IPv6.isValid(text) && !text.includes('%')) return { family: 6, value: bigintOf(ipaddr.IPv6.parse(text)) };
  return undefined;
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
  const bytes = bytesOf(value, family === 4 ? 4 : 16);
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
  const low = bytesOf(address.value & 0xffffffffn, 4);
  return [0x0a, address.family === 4 ? 0x58 : 0x59, ...low].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function bigintOf(address: { toByteArray(): number[] }): bigint {
  return address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function bytesOf(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
}
