/** Two hexadecimal digits for each byte value. */
const hexOf: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Unsigned, network order. Reads past the end are zero: callers check lengths first. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Unsigned, network order. */
export function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, value >>> 16);
  putU16(bytes, at + 2, value & 0xffff);
}

/** Numbers as bytes in network order. */
export function be16(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  for (let i = 0; i < values.length; i++) putU16(bytes, 2 * i, values[i] ?? 0);
  return bytes;
}

export function be32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (let i = 0; i < values.length; i++) putU32(bytes, 4 * i, values[i] ?? 0);
  return bytes;
}

/** ASCII text as bytes. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0x7f);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

let slab = new ArrayBuffer(0);
let slabUsed = 0;
const slabBytes = 64 * 1024;

/**
 * Zeroes for a message to be written into: a piece of memory that was given to nobody before and is given to nobody again. One
 * allocation serves hundreds of messages, which a collector has less work with than with one for each.
 */
export function freshBytes(length: number): Uint8Array {
  if (length > slabBytes / 8) return new Uint8Array(length);
  if (slabUsed + length > slab.byteLength) {
    slab = new ArrayBuffer(slabBytes);
    slabUsed = 0;
  }
  const bytes = new Uint8Array(slab, slabUsed, length);
  slabUsed += length;
  return bytes;
}

export function hexText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexOf[byte];
  return text;
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Six bytes at `at` as `52:54:00:00:00:01`. Made in one piece: a lookup by text that is put together of pieces costs twice as much. */
export function macAt(bytes: Uint8Array, at: number): string {
  const colon = 0x3a;
  // biome-ignore format: a line for each byte
  return String.fromCharCode(
    highDigit(bytes[at]), lowDigit(bytes[at]), colon,
    highDigit(bytes[at + 1]), lowDigit(bytes[at + 1]), colon,
    highDigit(bytes[at + 2]), lowDigit(bytes[at + 2]), colon,
    highDigit(bytes[at + 3]), lowDigit(bytes[at + 3]), colon,
    highDigit(bytes[at + 4]), lowDigit(bytes[at + 4]), colon,
    highDigit(bytes[at + 5]), lowDigit(bytes[at + 5]),
  );
}

/** The character codes of a byte's two hexadecimal digits; of a byte past the end, those of 0. */
const highDigit = (byte = 0): number => digitCode(byte >>> 4);
const lowDigit = (byte = 0): number => digitCode(byte & 15);
const digitCode = (value: number): number => (value < 10 ? value + 48 : value + 87);

export function macBytes(mac: string): Uint8Array {
  const bytes = new Uint8Array(6);
  putMac(bytes, 0, mac);
  return bytes;
}

/** Writes a canonical Ethernet address (`52:54:00:00:00:01`) into `bytes`. */
export function putMac(bytes: Uint8Array, at: number, mac: string): void {
  for (let i = 0; i < 6; i++) bytes[at + i] = (digit(mac.charCodeAt(3 * i)) << 4) | digit(mac.charCodeAt(3 * i + 1));
}

/** `0`–`9`, `a`–`f`. */
function digit(characterCode: number): number {
  return characterCode <= 57 ? characterCode - 48 : characterCode - 87;
}

/** The same bytes as a plain Uint8Array, whose `subarray` is several times faster than a Buffer's. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What text a byte string holds, for people: printable ASCII, everything else as `?`. */
export function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
  return text;
}
