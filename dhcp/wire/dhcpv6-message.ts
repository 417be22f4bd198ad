import { concat, freshBytes, plainBytes, putU16, u16, u32 } from './bytes.ts';
import type { Malformed } from './malformed.ts';

/** Message types (RFC 9915 §7.3). */
export const MessageType6 = {
  solicit: 1,
  advertise: 2,
  request: 3,
  confirm: 4,
  renew: 5,
  rebind: 6,
  reply: 7,
  release: 8,
  decline: 9,
  reconfigure: 10,
  informationRequest: 11,
  relayForward: 12,
  relayReply: 13,
} as const;

/** Status codes (RFC 9915 §21.13). */
export const Status = {
  success: 0,
  unspecFail: 1,
  noAddrsAvail: 2,
  noBinding: 3,
  notOnLink: 4,
  noPrefixAvail: 6,
} as const;

export interface Dhcpv6Option {
  readonly code: number;
  readonly content: Uint8Array;
}

/** A message between client and server (RFC 9915 §8). */
export interface Dhcpv6Message {
  readonly type: number;
  /** 24 bits. */
  readonly transactionId: number;
  readonly options: readonly Dhcpv6Option[];
}

/** One relay a message went through (RFC 9915 §9). */
export interface RelayLayer {
  readonly hopCount: number;
  readonly linkAddress: Uint8Array;
  readonly peerAddress: Uint8Array;
  readonly options: readonly Dhcpv6Option[];
}

/** A message as it arrived: through no relay, or through `relays`, the one nearest the server first. */
export interface Dhcpv6Packet {
  readonly relays: readonly RelayLayer[];
  readonly message: Dhcpv6Message;
}

/** Relays may nest this deep (HOP_COUNT_LIMIT, RFC 9915 §7.6). */
const deepestRelay = 8;

/** Never throws; relay layers are unwrapped in a loop of at most eight turns. Contents alias `packet`. */
export function decodeDhcpv6(packet: Uint8Array): Dhcpv6Packet | Malformed {
  const relays: RelayLayer[] = [];
  let inner = plainBytes(packet);
  while (inner[0] === MessageType6.relayForward || inner[0] === MessageType6.relayReply) {
    if (relays.length === deepestRelay) return 'nestedTooDeep';
    if (inner.length < 34) return 'tooShort';
    const options = decodeOptions6(inner.subarray(34));
    if (options === undefined) return 'optionOverrun';
    const relayed = options.find(({ code }) => code === 9);
    if (relayed === undefined) return 'noRelayedMessage';
    relays.push({
      hopCount: inner[1] ?? 0,
      linkAddress: inner.subarray(2, 18),
      peerAddress: inner.subarray(18, 34),
      options: options.filter(({ code }) => code !== 9),
    });
    inner = relayed.content;
  }
  if (inner.length < 4) return 'tooShort';
  const options = decodeOptions6(inner.subarray(4));
  if (options === undefined) return 'optionOverrun';
  return { relays, message: { type: inner[0] ?? 0, transactionId: u32(inner, 0) & 0xffffff, options } };
}

/** Undefined when an option runs past the end. */
export function decodeOptions6(bytes: Uint8Array): readonly Dhcpv6Option[] | undefined {
  const options: Dhcpv6Option[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = u16(bytes, at + 2);
    if (at + 4 > bytes.length || at + 4 + length > bytes.length) return undefined;
    options.push({ code: u16(bytes, at), content: bytes.subarray(at + 4, at + 4 + length) });
    at += 4 + length;
  }
  return options;
}

export function encodeDhcpv6(message: Dhcpv6Message): Uint8Array {
  return assembleDhcpv6(message.type, message.transactionId, [encodeOptions6(message.options)]);
}

/** A message from ready-made pieces of options, in a zeroed buffer. */
export function assembleDhcpv6(type: number, transactionId: number, options: readonly Uint8Array[]): Uint8Array {
  let length = 4;
  for (const piece of options) length += piece.length;
  const bytes = freshBytes(length);
  bytes[0] = type;
  bytes[1] = transactionId >>> 16;
  putU16(bytes, 2, transactionId & 0xffff);
  let at = 4;
  for (const piece of options) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export function encodeOptions6(options: Iterable<Dhcpv6Option>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { code, content } of options) parts.push(option6(code, content));
  return concat(...parts);
}

/** A decoded option as it came, with its header; it aliases the packet. */
export function asReceived({ content }: Dhcpv6Option): Uint8Array {
  return new Uint8Array(content.buffer, content.byteOffset - 4, content.length + 4);
}

/** One option with its header. */
export function option6(code: number, ...content: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of content) length += part.length;
  const bytes = new Uint8Array(4 + length);
  putU16(bytes, 0, code);
  putU16(bytes, 2, length);
  let at = 4;
  for (const part of content) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A relay layer around `inner`, which is a message or another layer. */
export function encodeRelay(type: number, layer: RelayLayer, inner: Uint8Array): Uint8Array {
  return concat(
    Uint8Array.of(type, layer.hopCount),
    layer.linkAddress,
    layer.peerAddress,
    encodeOptions6(layer.options),
    option6(9, inner),
  );
}
