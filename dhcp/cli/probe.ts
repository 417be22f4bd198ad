import { setTimeout as sleep } from 'node:timers/promises';
import { addressBytes, canonicalMac, linkLocalOf } from '../address.ts';
import { describeAdvertisement, describeDhcpv4, describeDhcpv6 } from '../probe/describe.ts';
import { discover, routerSolicitation, solicit } from '../probe/requests.ts';
import { ip } from '../transport/command.ts';
import { openTap } from '../transport/tap.ts';
import { TransportError } from '../transport/transport.ts';
import { decodeDhcpv4 } from '../wire/dhcpv4-message.ts';
import { decodeDhcpv6 } from '../wire/dhcpv6-message.ts';
import { broadcastMac, icmp6Frame, parseFrame, udp4Frame, udp6Frame } from '../wire/frame.ts';
import { decodeRouterAdvertisement } from '../wire/router-advertisement.ts';

export interface ProbeOptions {
  readonly device: string;
  readonly netns?: string;
  /** Whom to ask as; the interface's own address when absent. */
  readonly mac?: string;
  /** How long to listen. */
  readonly seconds: number;
}

/**
 * Asks a segment by DISCOVER, SOLICIT and router solicitation, and describes every answer. Nothing is requested, so nothing
 * is bound. It works through a macvtap on the interface; asked as the interface itself, that takes the interface's traffic for
 * as long as the probe lasts. @throws TransportError
 */
export async function probe(options: ProbeOptions): Promise<string> {
  const own = await macOf(options);
  const mac = options.mac === undefined ? own : canonicalMac(options.mac);
  if (mac === undefined) throw new TransportError(`--mac: ${JSON.stringify(options.mac)} is not an Ethernet address`);
  const xid = Math.floor(Math.random() * 0xffff_ffff);
  const answers: string[][] = [];
  const tap = await openTap({
    parent: options.device,
    ...(options.netns !== undefined && { netns: options.netns }),
    mac,
    takesOver: mac === own,
    onFrame: (frame) => {
      const answer = describeAnswer(frame, xid);
      if (answer !== undefined) answers.push(answer);
    },
    onEnd: () => {},
  });
  const linkLocal = addressBytes(linkLocalOf(mac));
  const group = (text: string) => addressBytes(text);
  try {
    tap.send(
      udp4Frame(
        { mac, address: new Uint8Array(4), port: 68 },
        { mac: broadcastMac, address: Uint8Array.of(255, 255, 255, 255), port: 67 },
        discover(mac, xid),
      ),
    );
    tap.send(
      udp6Frame(
        { mac, address: linkLocal, port: 546 },
        { mac: '33:33:00:01:00:02', address: group('ff02::1:2'), port: 547 },
        solicit(mac, xid & 0xffffff),
      ),
    );
    tap.send(
      icmp6Frame(
        { mac, address: linkLocal, port: 0 },
        { mac: '33:33:00:00:00:02', address: group('ff02::2'), port: 0 },
        routerSolicitation(mac),
      ),
    );
    await sleep(options.seconds * 1000);
  } finally {
    await tap.close();
  }
  if (answers.length === 0) return `nobody on ${options.device} answered ${mac} within ${options.seconds} s`;
  return answers.map((lines) => lines.join('\n')).join('\n');
}

function describeAnswer(frame: Uint8Array, xid: number): string[] | undefined {
  const parsed = parseFrame(frame);
  if (parsed?.kind === 'udp4' && parsed.destinationPort === 68) {
    const message = decodeDhcpv4(parsed.payload);
    return typeof message === 'string' || message.xid !== xid ? undefined : describeDhcpv4(message);
  }
  if (parsed?.kind === 'udp6' && parsed.destinationPort === 546) {
    const packet = decodeDhcpv6(parsed.payload);
    const isOurs = typeof packet !== 'string' && packet.message.transactionId === (xid & 0xffffff);
    return isOurs ? describeDhcpv6(packet.message) : undefined;
  }
  if (parsed?.kind === 'icmp6' && parsed.payload[0] === 134) {
    const ra = decodeRouterAdvertisement(parsed.payload);
    return typeof ra === 'string' ? undefined : describeAdvertisement(ra, parsed.source);
  }
  return undefined;
}

async function macOf({ device, netns }: ProbeOptions): Promise<string | undefined> {
  const text = await ip(netns, ['-o', 'link', 'show', 'dev', device]);
  return canonicalMac(/link\/ether (\S+)/.exec(text)?.[1] ?? '');
}
