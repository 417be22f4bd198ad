import { setTimeout as sleep } from 'node:timers/promises';
import { addressBytes, canonicalMac, linkLocalOf } from '../address.ts';
import { describeAdvertisement, describeDhcpv4, describeDhcpv6 } from '../probe/describe.ts';
import { discover, routerSolicitation, solicit } from '../probe/requests.ts';
import { ip } from '../transport/command.ts';
import { openTap, type Tap } from '../transport/tap.ts';
import { decodeDhcpv4 } from '../wire/dhcpv4-message.ts';
import { decodeDhcpv6 } from '../wire/dhcpv6-message.ts';
import { broadcastMac, icmp6Frame, parseFrame, udp4Frame, udp6Frame } from '../wire/frame.ts';
import { decodeRouterAdvertisement } from '../wire/router-advertisement.ts';
import { ConfigError } from './config-error.ts';

export interface ProbeOptions {
  readonly device: string;
  readonly netns?: string;
  /** Whom to ask as; the interface's own address when absent. */
  readonly mac?: string;
  /** How long to listen. */
  readonly seconds: number;
}

/** What is asked for, and how its absence is said. */
const asked = { dhcpv4: 'DHCPv4 server', dhcpv6: 'DHCPv6 server', ra: 'router' } as const;

interface Answer {
  readonly to: keyof typeof asked;
  readonly lines: readonly string[];
}

/**
 * Asks a segment by DISCOVER, SOLICIT and router solicitation, and describes every answer, those that say the same once. Nothing is
 * requested, so nothing is bound. It works through a macvtap on the interface; asked as the interface itself, that takes the
 * interface's traffic for as long as the probe lasts.
 *
 * @throws ConfigError when `mac` is none, TransportError when the interface cannot be had
 */
export async function probe(options: ProbeOptions): Promise<string> {
  const { device, netns, seconds } = options;
  const own = await macOf(options);
  const mac = options.mac === undefined ? own : canonicalMac(options.mac);
  if (mac === undefined) {
    throw new ConfigError([
      options.mac === undefined
        ? `--interface: ${device} has no Ethernet address; give one with --mac`
        : `--mac: ${JSON.stringify(options.mac)} is not an Ethernet address`,
    ]);
  }
  const xid = Math.floor(Math.random() * 0xffff_ffff);
  const answers = new Map<string, Answer>();
  const tap = await openTap({
    parent: device,
    ...(netns !== undefined && { netns }),
    mac,
    takesOver: mac === own,
    onFrame: (frame) => {
      const answer = describeAnswer(frame, xid);
      if (answer !== undefined) answers.set(answer.lines.join('\n'), answer);
    },
    onEnd: () => {},
  });
  try {
    ask(tap, mac, xid);
    await sleep(seconds * 1000);
  } finally {
    await tap.close();
  }
  const heard = [...answers.values()];
  const silent = Object.entries(asked).filter(([name]) => !heard.some(({ to }) => to === name));
  return [
    `${device}, asked as ${mac}`,
    ...heard.flatMap(({ lines }) => lines),
    ...silent.map(([, who]) => `no ${who} answered within ${seconds} s`),
  ].join('\n');
}

function ask(tap: Tap, mac: string, xid: number): void {
  const linkLocal = addressBytes(linkLocalOf(mac));
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
      { mac: '33:33:00:01:00:02', address: addressBytes('ff02::1:2'), port: 547 },
      solicit(mac, xid & 0xffffff),
    ),
  );
  tap.send(
    icmp6Frame(
      { mac, address: linkLocal, port: 0 },
      { mac: '33:33:00:00:00:02', address: addressBytes('ff02::2'), port: 0 },
      routerSolicitation(mac),
    ),
  );
}

function describeAnswer(frame: Uint8Array, xid: number): Answer | undefined {
  const parsed = parseFrame(frame);
  if (parsed === undefined || parsed.kind === 'arpRequest') return undefined;
  const from = { address: parsed.source, mac: parsed.sourceMac };
  if (parsed.kind === 'icmp6') {
    const ra = parsed.payload[0] === 134 ? decodeRouterAdvertisement(parsed.payload) : 'badCode';
    return typeof ra === 'string' ? undefined : { to: 'ra', lines: describeAdvertisement(ra, from) };
  }
  if (parsed.kind === 'udp4') {
    const message = parsed.destinationPort === 68 ? decodeDhcpv4(parsed.payload) : 'badCode';
    if (typeof message === 'string' || message.xid !== xid) return undefined;
    return { to: 'dhcpv4', lines: describeDhcpv4(message, from) };
  }
  const packet = parsed.destinationPort === 546 ? decodeDhcpv6(parsed.payload) : 'badCode';
  if (typeof packet === 'string' || packet.message.transactionId !== (xid & 0xffffff)) return undefined;
  return { to: 'dhcpv6', lines: describeDhcpv6(packet.message, from) };
}

async function macOf({ device, netns }: ProbeOptions): Promise<string | undefined> {
  const text = await ip(netns, ['-o', 'link', 'show', 'dev', device]);
  return canonicalMac(/link\/ether (\S+)/.exec(text)?.[1] ?? '');
}
