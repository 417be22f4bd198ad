import { concat, freshBytes, macAt, plainBytes, putMac, putU16, putU32, u16, u32 } from './bytes.ts';
import type { Malformed } from './malformed.ts';

/** Message types, option 53 (RFC 2132 §9.6). */
export const MessageType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

/** A DHCPv4 message (RFC 2131 §2). Addresses are unsigned 32-bit numbers, the client an Ethernet address. */
export interface Dhcpv4Message {
  readonly op: number;
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  readonly flags: number;
  readonly ciaddr: number;
  readonly yiaddr: number;
  readonly siaddr: number;
  readonly giaddr: number;
  readonly chaddr: string;
  readonly sname: Uint8Array;
  readonly file: Uint8Array;
  /** Options by code, split and repeated ones joined (RFC 3396), in the order they first appear. */
  readonly options: ReadonlyMap<number, Uint8Array>;
}

export const broadcastFlag = 0x8000;
/** Fixed part with the magic cookie, bytes. */
export const headerLength = 240;
/** BOOTP relays and old clients want at least this many bytes (RFC 1542 §2.1). */
export const leastLength = 300;

const magicCookie = 0x63825363;
const pad = 0;
const end = 255;

/** Options whose length is fixed, and whether a wrong one condemns the packet or only the option. */
const fixedLength: ReadonlyMap<number, { readonly length: number; readonly condemns: boolean }> = new Map([
  [1, { length: 4, condemns: false }],
  [50, { length: 4, condemns: true }],
  [51, { length: 4, condemns: false }],
  [52, { length: 1, condemns: false }],
  [53, { length: 1, condemns: true }],
  [54, { length: 4, condemns: true }],
  [57, { length: 2, condemns: true }],
  [58, { length: 4, condemns: false }],
  [59, { length: 4, condemns: false }],
  [80, { length: 0, condemns: false }],
  [93, { length: 2, condemns: false }],
  [108, { length: 4, condemns: false }],
  [116, { length: 1, condemns: false }],
  [118, { length: 4, condemns: false }],
]);

/** Never throws; the work is linear in its length. Contents alias `packet`. */
export function decodeDhcpv4(packet: Uint8Array): Dhcpv4Message | Malformed {
  const bytes = plainBytes(packet);
  if (bytes.length < headerLength) return 'tooShort';
  if (u32(bytes, 236) !== magicCookie) return 'badCookie';
  if (bytes[1] !== 1 || bytes[2] !== 6) return 'notEthernet';
  const options = new Map<number, Uint8Array>();
  if (!readOptions(bytes, headerLength, bytes.length, options)) return 'optionOverrun';
  const overload = options.get(52);
  if (overload !== undefined && overload.length === 1) {
    const fields = overload[0] ?? 0;
    if ((fields & 1) !== 0 && !readOptions(bytes, 108, 236, options)) return 'optionOverrun';
    if ((fields & 2) !== 0 && !readOptions(bytes, 44, 108, options)) return 'optionOverrun';
  }
  for (const [code, content] of options) {
    const fixed = fixedLength.get(code);
    if (fixed === undefined || content.length === fixed.length) continue;
    if (fixed.condemns) return 'badOptionLength';
    options.delete(code);
  }
  return {
    op: bytes[0] ?? 0,
    hops: bytes[3] ?? 0,
    xid: u32(bytes, 4),
    secs: u16(bytes, 8),
    flags: u16(bytes, 10),
    ciaddr: u32(bytes, 12),
    yiaddr: u32(bytes, 16),
    siaddr: u32(bytes, 20),
    giaddr: u32(bytes, 24),
    chaddr: macAt(bytes, 28),
    sname: bytes.subarray(44, 108),
    file: bytes.subarray(108, 236),
    options,
  };
}

/** False when an option runs past `to`. A missing END is forgiven; what follows END is not read. */
function readOptions(bytes: Uint8Array, from: number, to: number, options: Map<number, Uint8Array>): boolean {
  let repeated: Map<number, Uint8Array[]> | undefined;
  let at = from;
  while (at < to) {
    const code = bytes[at] ?? end;
    if (code === end) break;
    if (code === pad) {
      at++;
      continue;
    }
    const length = bytes[at + 1];
    if (length === undefined || at + 2 + length > to) return false;
    const content = bytes.subarray(at + 2, at + 2 + length);
    const earlier = options.get(code);
    if (earlier === undefined) options.set(code, content);
    else {
      repeated ??= new Map();
      const pieces = repeated.get(code);
      if (pieces === undefined) repeated.set(code, [earlier, content]);
      else pieces.push(content);
    }
    at += 2 + length;
  }
  if (repeated !== undefined) for (const [code, pieces] of repeated) options.set(code, concat(...pieces));
  return true;
}

/** The message on the wire: options in the order given, long ones split (RFC 3396), END, padded to 300 bytes. */
export function encodeDhcpv4(message: Dhcpv4Message): Uint8Array {
  return assembleDhcpv4(message, [encodeOptions(message.options)]);
}

/** Options one after the other, without END. */
export function encodeOptions(options: Iterable<readonly [code: number, content: Uint8Array]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [code, content] of options) {
    for (let at = 0; at === 0 || at < content.length; at += 255) {
      const piece = content.subarray(at, at + 255);
      parts.push(Uint8Array.of(code, piece.length), piece);
    }
  }
  return concat(...parts);
}

/** Fixed part and ready-made pieces of options. The buffer is zeroed: nothing of an earlier packet can leak. */
export function assembleDhcpv4(message: Omit<Dhcpv4Message, 'options'>, options: readonly Uint8Array[]): Uint8Array {
  let length = headerLength + 1;
  for (const piece of options) length += piece.length;
  const bytes = freshBytes(Math.max(length, leastLength));
  bytes[0] = message.op;
  bytes[1] = 1;
  bytes[2] = 6;
  bytes[3] = message.hops;
  putU32(bytes, 4, message.xid);
  putU16(bytes, 8, message.secs);
  putU16(bytes, 10, message.flags);
  putU32(bytes, 12, message.ciaddr);
  putU32(bytes, 16, message.yiaddr);
  putU32(bytes, 20, message.siaddr);
  putU32(bytes, 24, message.giaddr);
  putMac(bytes, 28, message.chaddr);
  if (message.sname.length > 0) bytes.set(message.sname.subarray(0, 64), 44);
  if (message.file.length > 0) bytes.set(message.file.subarray(0, 128), 108);
  putU32(bytes, 236, magicCookie);
  let at = headerLength;
  for (const piece of options) {
    bytes.set(piece, at);
    at += piece.length;
  }
  bytes[at] = end;
  return bytes;
}
