import { addressFromBytes } from '../address.ts';
import { macAt, macBytes, putU16, u16 } from './bytes.ts';

// Ethernet frames with the few protocols a guest service speaks. Parsing never throws and looks at headers only.

export const broadcastMac = 'ff:ff:ff:ff:ff:ff';
const ethertype = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
const protocol = { udp: 17, icmpv6: 58 } as const;

/** What a frame is to us; every other frame is undefined. Contents alias the frame. */
export type GuestFrame =
  | {
      readonly kind: 'udp4' | 'udp6';
      readonly sourceMac: string;
      readonly source: string;
      readonly sourcePort: number;
      readonly destinationPort: number;
      readonly payload: Uint8Array;
    }
  | {
      readonly kind: 'icmp6';
      readonly sourceMac: string;
      readonly source: string;
      readonly destination: string;
      readonly hopLimit: number;
      readonly payload: Uint8Array;
    }
  | { readonly kind: 'arpRequest'; readonly sourceMac: string; readonly source: string; readonly target: string };

/** Fragments are not put together: no client sends a request that needs it, and a rogue's must not fill memory. */
export function parseFrame(frame: Uint8Array): GuestFrame | undefined {
  if (frame.length < 42) return undefined;
  switch (u16(frame, 12)) {
    case ethertype.ipv4:
      return parseIpv4(frame);
    case ethertype.ipv6:
      return parseIpv6(frame);
    case ethertype.arp: {
      if (u16(frame, 20) !== 1) return undefined;
      const text = (at: number): string => addressFromBytes(frame.subarray(at, at + 4));
      return { kind: 'arpRequest', sourceMac: macAt(frame, 6), source: text(28), target: text(38) };
    }
    default:
      return undefined;
  }
}

function parseIpv4(frame: Uint8Array): GuestFrame | undefined {
  const headerLength = ((frame[14] ?? 0) & 15) * 4;
  const end = 14 + u16(frame, 16);
  const udp = 14 + headerLength;
  const isWhole = (u16(frame, 20) & 0x3fff) === 0;
  if (headerLength < 20 || frame[23] !== protocol.udp || !isWhole || end > frame.length || udp + 8 > end)
    return undefined;
  const length = u16(frame, udp + 4);
  if (length < 8 || udp + length > end) return undefined;
  return {
    kind: 'udp4',
    sourceMac: macAt(frame, 6),
    // Spelling an address costs more than all the rest, and a flood's are never looked at.
    get source() {
      return addressFromBytes(frame.subarray(26, 30));
    },
    sourcePort: u16(frame, udp),
    destinationPort: u16(frame, udp + 2),
    payload: frame.subarray(udp + 8, udp + length),
  };
}

function parseIpv6(frame: Uint8Array): GuestFrame | undefined {
  const end = 54 + u16(frame, 18);
  if (end > frame.length) return undefined;
  const sourceMac = macAt(frame, 6);
  const source = addressFromBytes(frame.subarray(22, 38));
  if (frame[20] === protocol.icmpv6 && end >= 58) {
    if (checksumOf6(frame, end) !== 0) return undefined;
    const destination = addressFromBytes(frame.subarray(38, 54));
    const hopLimit = frame[21] ?? 0;
    return { kind: 'icmp6', sourceMac, source, destination, hopLimit, payload: frame.subarray(54, end) };
  }
  if (frame[20] !== protocol.udp || end < 62) return undefined;
  const length = u16(frame, 58);
  if (length < 8 || 54 + length > end) return undefined;
  return {
    kind: 'udp6',
    sourceMac,
    source,
    sourcePort: u16(frame, 54),
    destinationPort: u16(frame, 56),
    payload: frame.subarray(62, 54 + length),
  };
}

/** An end of a conversation: 4 or 16 address bytes, and the port for UDP. */
export interface FrameEnd {
  readonly mac: string;
  readonly address: Uint8Array;
  readonly port: number;
}

export function udp4Frame(from: FrameEnd, to: FrameEnd, payload: Uint8Array): Uint8Array {
  const frame = ethernet(from.mac, to.mac, ethertype.ipv4, 28 + payload.length);
  frame[14] = 0x45;
  putU16(frame, 16, 28 + payload.length);
  frame[22] = 64;
  frame[23] = protocol.udp;
  frame.set(from.address, 26);
  frame.set(to.address, 30);
  putU16(frame, 24, finished(sum(frame, 14, 34)));
  putUdp(frame, 34, from, to, payload);
  const pseudo = sum(frame, 26, 34) + protocol.udp + 8 + payload.length;
  putU16(frame, 40, finished(pseudo + sum(frame, 34, frame.length)) || 0xffff);
  return frame;
}

export function udp6Frame(from: FrameEnd, to: FrameEnd, payload: Uint8Array): Uint8Array {
  const frame = ipv6(from, to, protocol.udp, 64, 8 + payload.length);
  putUdp(frame, 54, from, to, payload);
  putU16(frame, 60, checksumOf6(frame, frame.length) || 0xffff);
  return frame;
}

/** `message` is an ICMPv6 message with a zero checksum; Neighbor Discovery demands hop limit 255 (RFC 4861 §6.1). */
export function icmp6Frame(from: FrameEnd, to: FrameEnd, message: Uint8Array): Uint8Array {
  const frame = ipv6(from, to, protocol.icmpv6, 255, message.length);
  frame.set(message, 54);
  putU16(frame, 56, checksumOf6(frame, frame.length));
  return frame;
}

export function arpReplyFrame(from: FrameEnd, to: FrameEnd): Uint8Array {
  const frame = ethernet(from.mac, to.mac, ethertype.arp, 28);
  frame.set([0, 1, 8, 0, 6, 4, 0, 2], 14);
  frame.set(macBytes(from.mac), 22);
  frame.set(from.address, 28);
  frame.set(macBytes(to.mac), 32);
  frame.set(to.address, 38);
  return frame;
}

function ethernet(from: string, to: string, type: number, payloadLength: number): Uint8Array {
  const frame = Buffer.alloc(14 + payloadLength);
  frame.set(macBytes(to), 0);
  frame.set(macBytes(from), 6);
  putU16(frame, 12, type);
  return frame;
}

function ipv6(from: FrameEnd, to: FrameEnd, next: number, hopLimit: number, payloadLength: number): Uint8Array {
  const frame = ethernet(from.mac, to.mac, ethertype.ipv6, 40 + payloadLength);
  frame[14] = 0x60;
  putU16(frame, 18, payloadLength);
  frame[20] = next;
  frame[21] = hopLimit;
  frame.set(from.address, 22);
  frame.set(to.address, 38);
  return frame;
}

function putUdp(frame: Uint8Array, at: number, from: FrameEnd, to: FrameEnd, payload: Uint8Array): void {
  putU16(frame, at, from.port);
  putU16(frame, at + 2, to.port);
  putU16(frame, at + 4, 8 + payload.length);
  frame.set(payload, at + 8);
}

/** Over pseudo header and payload: what to write when the field is zero, and zero when it already holds the right value. */
function checksumOf6(frame: Uint8Array, end: number): number {
  return finished(sum(frame, 22, 54) + (frame[20] ?? 0) + (end - 54) + sum(frame, 54, end));
}

function sum(bytes: Uint8Array, from: number, to: number): number {
  let total = 0;
  for (let at = from; at + 1 < to; at += 2) total += u16(bytes, at);
  return (to - from) % 2 === 0 ? total : total + ((bytes[to - 1] ?? 0) << 8);
}

function finished(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}
