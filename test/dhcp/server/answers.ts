import { addressFromBytes } from '#dhcp/address.ts';
import { type GuestBinding, GuestBook, type Segment } from '#dhcp/guests.ts';
import type { Dhcpv4Destination } from '#dhcp/server/dhcpv4.ts';
import { type SegmentServer, segmentServer } from '#dhcp/server/segment-server.ts';
import { Counter } from '#dhcp/server/tally.ts';
import { hexText, u16, u32 } from '#dhcp/wire/bytes.ts';
import { type Dhcpv4Message, decodeDhcpv4 } from '#dhcp/wire/dhcpv4-message.ts';
import { type Dhcpv6Packet, decodeDhcpv6, decodeOptions6 } from '#dhcp/wire/dhcpv6-message.ts';
import { segment as blue, linkLocalA, macA } from './packets.ts';

export interface Answer4 {
  readonly message: Dhcpv4Message;
  readonly bytes: Uint8Array;
  readonly destination: Dhcpv4Destination;
}

/** A server of one segment, asked packet by packet; an answer, or the name under which the silence was counted. */
export function asking(guests: readonly GuestBinding[], segment: Segment = blue) {
  const counter = new Counter();
  const book = new GuestBook(guests);
  const server: SegmentServer = segmentServer(segment, book, counter);
  const silence = (before: ReadonlyMap<string, number>): string => {
    const changed = [...counter.tally].filter(
      ([name, count]) => count !== before.get(name) && !name.includes('received'),
    );
    return changed.map(([name]) => name.replace(/^.*\.(silent|malformed)\./, '$1 ')).join();
  };
  return {
    book,
    counter,
    server,
    /** `mac` is the frame's source, null on a socket. */
    ask4(bytes: Uint8Array, mac: string | null = macA): Answer4 | string {
      const before = new Map(counter.tally);
      let answer: Answer4 | undefined;
      const way = {
        sendDhcpv4(sent: Uint8Array, destination: Dhcpv4Destination): void {
          const message = decodeDhcpv4(sent);
          if (typeof message === 'string') throw new Error(`the server sent a message that is ${message}`);
          answer = { message, bytes: sent, destination };
        },
        sendDhcpv6(): void {},
      };
      server.dhcpv4(bytes, { mac: mac ?? undefined, address: '0.0.0.0', port: 68 }, way);
      return answer ?? silence(before);
    },
    ask6(bytes: Uint8Array, sender: { mac?: string; address?: string } = { mac: macA }): Dhcpv6Packet | string {
      const before = new Map(counter.tally);
      let answer: Dhcpv6Packet | undefined;
      const way = {
        sendDhcpv4(): void {},
        sendDhcpv6(sent: Uint8Array): void {
          const packet = decodeDhcpv6(sent);
          if (typeof packet === 'string') throw new Error(`the server sent a message that is ${packet}`);
          answer = packet;
        },
      };
      server.dhcpv6(bytes, { mac: sender.mac, address: sender.address ?? linkLocalA, port: 546 }, way);
      return answer ?? silence(before);
    },
  };
}

/** The answer; fails with the name of the silence. */
export function answered<Answer>(answer: Answer | string): Answer {
  if (typeof answer === 'string') throw new Error(`no answer: ${answer}`);
  return answer;
}

/** Option contents in hexadecimal, by code. */
export function hexOptions(message: Dhcpv4Message): Record<number, string> {
  return Object.fromEntries([...message.options].map(([code, content]) => [code, hexText(content)]));
}

/** A DHCPv6 answer as a readable value: message type, and each option by code. */
export function readable6({ message }: Dhcpv6Packet): Record<string, unknown> {
  return {
    type: message.type,
    ...Object.fromEntries(message.options.map(({ code, content }) => [code, value(code, content)])),
  };
}

function value(code: number, content: Uint8Array): unknown {
  if (code === 13) return u16(content, 0);
  if (code !== 3 && code !== 25 && code !== 4) return hexText(content);
  const inner = decodeOptions6(content.subarray(code === 4 ? 4 : 12)) ?? [];
  return {
    iaid: u32(content, 0),
    ...(code === 3 && { t1: u32(content, 4), t2: u32(content, 8) }),
    holds: inner.map((option) =>
      option.code === 5
        ? `${addressFromBytes(option.content.subarray(0, 16))} ${u32(option.content, 20)}`
        : `status ${u16(option.content, 0)}`,
    ),
  };
}
