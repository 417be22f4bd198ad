import ipaddr from 'ipaddr.js';

/** 4 for IPv4, 6 for IPv6. */
export type Family = 4 | 6;

/** A prefix in canonical form: `address` has its host bits cleared. */
export interface Prefix {
  readonly family: Family;
  readonly address: string;
  readonly length: number;
}

/** The canonical spelling of an address (dotted quad, or RFC 5952), or undefined when `text` is none. Zones are refused. */
export function canonicalAddress(text: string): string | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString();
  if (text.includes('%') || !text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined;
  return ipaddr.IPv6.parse(text).toRFC5952String();
}

/** The family of an address in canonical form. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** `10.1.2.3/16` → 10.1.0.0/16. Undefined when `text` is no prefix. */
export function parsePrefix(text: string): Prefix | undefined {
  const [addressText = '', lengthText = '', rest] = text.split('/');
  const address = canonicalAddress(addressText);
  if (address === undefined || rest !== undefined || !/^\d{1,3}$/.test(lengthText)) return undefined;
  const family = familyOf(address);
  const length = Number(lengthText);
  if (length > (family === 4 ? 32 : 128)) return undefined;
  const bytes = addressBytes(address);
  for (let bit = length; bit < bytes.length * 8; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) & ~(0x80 >> (bit & 7));
  return { family, address: addressFromBytes(bytes), length };
}

export function prefixText(prefix: Prefix): string {
  return `${prefix.address}/${prefix.length}`;
}

export function prefixContains(prefix: Prefix, address: string): boolean {
  return (
    familyOf(address) === prefix.family &&
    sharesBits(addressBytes(prefix.address), addressBytes(address), prefix.length)
  );
}

/** Whether two addresses of one family, in bytes, have their first `bits` bits in common. */
export function sharesBits(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const mask = (0xff00 >> (bits & 7)) & 0xff;
  return (((a[whole] ?? 0) ^ (b[whole] ?? 0)) & mask) === 0;
}

/** 4 or 16 bytes in network order. `address` must be an address: anything else is a bug of the caller. */
export function addressBytes(address: string): Uint8Array {
  if (familyOf(address) === 6) return ipv6Bytes(address);
  const number = ipv4Number(address);
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}

/** 4 or 16 bytes to the canonical spelling. */
export function addressFromBytes(bytes: Uint8Array): string {
  const parsed = ipaddr.fromByteArray([...bytes]);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}

/** A canonical IPv4 address as an unsigned 32-bit number. Written out: it is asked of each of a hundred thousand guests. */
export function ipv4Number(address: string): number {
  let number = 0;
  let part = 0;
  for (let i = 0; i < address.length; i++) {
    const character = address.charCodeAt(i);
    if (character === dot) {
      number = (number << 8) | part;
      part = 0;
    } else part = part * 10 + character - zero;
  }
  return ((number << 8) | part) >>> 0;
}

/** A canonical IPv6 address; written out for the same reason. The spelling may end in a dotted quad (RFC 5952 §5). */
function ipv6Bytes(address: string): Uint8Array {
  if (address.includes('.')) return Uint8Array.from(ipaddr.parse(address).toByteArray());
  const bytes = new Uint8Array(16);
  let at = 0;
  let gap = -1;
  let group = 0;
  let digits = 0;
  for (let i = 0; i <= address.length; i++) {
    const character = i === address.length ? colon : address.charCodeAt(i);
    if (character !== colon) {
      group = (group << 4) | (character <= nine ? character - zero : (character | 0x20) - letterA + 10);
      digits += 1;
      continue;
    }
    if (digits > 0) {
      bytes[at] = group >>> 8;
      bytes[at + 1] = group;
      at += 2;
    } else if (i > 0 && gap < 0 && i < address.length) gap = at;
    group = 0;
    digits = 0;
  }
  // `::` stands for as many zeroes as are missing: what came after it is moved to the end.
  if (gap >= 0 && at < 16) {
    bytes.copyWithin(16 - (at - gap), gap, at);
    bytes.fill(0, gap, 16 - (at - gap));
  }
  return bytes;
}

const colon = ':'.charCodeAt(0);
const nine = '9'.charCodeAt(0);
const letterA = 'a'.charCodeAt(0);
const dot = '.'.charCodeAt(0);
const zero = '0'.charCodeAt(0);

/** An unsigned 32-bit number as a dotted quad. */
export function ipv4Text(number: number): string {
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}

/** The dotted netmask of an IPv4 prefix length. */
export function netmaskText(length: number): string {
  return ipv4Text(length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);
}

/** Lower case with colons (`52:54:00:00:00:01`), or undefined when `text` is no Ethernet address. */
export function canonicalMac(text: string): string | undefined {
  const mac = text.toLowerCase().replaceAll('-', ':');
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined;
}

/** The EUI-64 link-local address an Ethernet address makes (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const bytes = Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  return addressFromBytes(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f));
}
