import { readdirSync, readFileSync } from 'node:fs';
import { type GuestFrame, parseFrame } from '#dhcp/wire/frame.ts';

/** One frame that a real program sent. */
export interface Capture {
  /** The conversation it is of, by the name of its file: `<who asked>-<who answered>.pcap`. */
  readonly file: string;
  readonly frame: Uint8Array;
  readonly parsed: GuestFrame | undefined;
}

/** Every frame of the conversations in this folder, as tcpdump wrote them; any tool for pcap files shows them. */
export function captures(): readonly Capture[] {
  const folder = new URL('./', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.pcap'));
  return files.sort().flatMap((file) => {
    const frames = framesOf(readFileSync(new URL(file, folder)));
    return frames.map((frame) => ({ file, frame, parsed: parseFrame(frame) }));
  });
}

/** What is in the captured frames of one kind: DHCPv4, DHCPv6 or neighbour discovery messages. */
export function capturedPayloads(kind: 'udp4' | 'udp6' | 'icmp6'): readonly Uint8Array[] {
  return captures().flatMap(({ parsed }) => (parsed?.kind === kind ? [parsed.payload] : []));
}

const fileHeader = 24;
const frameHeader = 16;

/** Pcap of the classic kind: a header of 24 bytes, then for each frame 16, with its length at 8 (little endian). */
function framesOf(file: Buffer): Uint8Array[] {
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('not a little-endian pcap file');
  const frames: Uint8Array[] = [];
  for (let at = fileHeader; at < file.length; ) {
    const length = file.readUInt32LE(at + 8);
    frames.push(Uint8Array.from(file.subarray(at + frameHeader, at + frameHeader + length)));
    at += frameHeader + length;
  }
  return frames;
}
