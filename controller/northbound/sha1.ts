/**
 * SHA-1 (RFC 3174) of `length` bytes; `bytes` has room for the padding, `paddedLength(length)`, and may hold anything there. For a few
 * hundred bytes: OpenSSL is as fast in a rush, but its way there takes 0.1 ms when it has not been gone for some milliseconds, which is
 * the usual case between two pods.
 * @returns the digest as five words, which the next call overwrites.
 */
export function sha1(bytes: Uint8Array, length: number): Int32Array {
  const end = paddedLength(length);
  bytes.fill(0, length, end);
  bytes[length] = 0x80;
  for (let i = 1, bits = length * 8; i <= 4; i += 1, bits >>>= 8) bytes[end - i] = bits & 0xff;
  digest.set(initial);
  for (let start = 0; start < end; start += blockBytes) addBlock(bytes, start);
  return digest;
}

/** Whole blocks, the last of which ends with the length in bits. */
export function paddedLength(length: number): number {
  return Math.ceil((length + 9) / blockBytes) * blockBytes;
}

const blockBytes = 64;
const initial = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
const digest = new Int32Array(5);
const schedule = new Int32Array(80);

/** Section 6.1. */
function addBlock(bytes: Uint8Array, start: number): void {
  for (let t = 0, at = start; t < 16; t += 1, at += 4) schedule[t] = wordAt(bytes, at);
  for (let t = 16; t < 80; t += 1) {
    schedule[t] = rotated(
      word(schedule, t - 3) ^ word(schedule, t - 8) ^ word(schedule, t - 14) ^ word(schedule, t - 16),
      1,
    );
  }
  let a = word(digest, 0);
  let b = word(digest, 1);
  let c = word(digest, 2);
  let d = word(digest, 3);
  let e = word(digest, 4);
  for (let t = 0; t < 80; t += 1) {
    const next = (rotated(a, 5) + mixed(t, b, c, d) + e + word(schedule, t)) | 0;
    e = d;
    d = c;
    c = rotated(b, 30);
    b = a;
    a = next;
  }
  digest[0] = word(digest, 0) + a;
  digest[1] = word(digest, 1) + b;
  digest[2] = word(digest, 2) + c;
  digest[3] = word(digest, 3) + d;
  digest[4] = word(digest, 4) + e;
}

/** Functions and constants of section 5. */
function mixed(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function word(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
