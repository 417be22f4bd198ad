import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { parsePrefix } from '../address.ts';
import type { GuestBook, Segment } from '../guests.ts';
import { serverDuid } from '../server-duid.ts';
import { problemsOf } from '../settings/problems.ts';
import { ethernetAddress, ipAddress, ipPrefix, ipv4Address, linkLocalAddress } from '../settings/values.ts';
import { type GuestSettings, parseGuestSettings } from '../settings.ts';
import { ConfigError } from './config-error.ts';
import { GuestReader } from './guest-reader.ts';

/** One segment to serve, ready to run. */
export interface SegmentConfig {
  readonly segment: Segment;
  readonly settings: GuestSettings;
  readonly guests: GuestBook;
  readonly device: string;
  readonly netns: string | undefined;
  readonly transport: 'sockets' | 'frames';
  readonly mac: string;
  readonly advertises: boolean;
  readonly router: { readonly mac: string; readonly linkLocal: string } | undefined;
}

export interface ServeConfig {
  readonly segments: readonly SegmentConfig[];
  /** Port for `/metrics` on the loopback address. */
  readonly metricsPort: number | undefined;
}

const list = <Item extends z.ZodType>(item: Item) => z.exactOptional(z.array(item));
const text = z.string().min(1);

/** Checked with all the rest, so that everything that is wrong is told at once. */
const guestSettings = z.unknown().transform((input, context): GuestSettings => {
  const { settings, problems } = parseGuestSettings(input);
  if (settings !== undefined) return settings;
  for (const { field, sentence } of problems) {
    const message = sentence.slice(sentence.indexOf(': ') + 2);
    context.addIssue({ code: 'custom', path: field === '' ? [] : [field], message });
  }
  return z.NEVER;
});

const segmentSchema = z.strictObject({
  name: text,
  interface: text,
  netns: z.exactOptional(text),
  transport: z.exactOptional(z.enum(['sockets', 'frames'])),
  subnets: z.array(ipPrefix).min(1),
  gateways: list(ipAddress),
  mtu: z.exactOptional(z.int().min(576).max(65535)),
  serverId: z.exactOptional(ipv4Address),
  mac: z.exactOptional(ethernetAddress),
  relays: list(ipAddress),
  trustDuid: z.exactOptional(z.boolean()),
  guest: z.exactOptional(guestSettings),
  guests: list(z.unknown()),
  guestsFile: z.exactOptional(text),
  advertise: z.exactOptional(z.boolean()),
  router: z.exactOptional(z.strictObject({ mac: ethernetAddress, linkLocal: linkLocalAddress })),
});

const configSchema = z.strictObject({
  metricsPort: z.exactOptional(z.int().min(1).max(65535)),
  segments: z.array(segmentSchema).min(1),
});

type SegmentInput = z.output<typeof segmentSchema>;

/**
 * Reads a configuration and the guest files it names (one JSON object per line, read as a stream).
 *
 * @throws ConfigError for whatever the user has to change, an unreadable file included.
 */
export async function readConfig(file: string): Promise<ServeConfig> {
  const parsed = configSchema.safeParse(jsonOf(file), { reportInput: true });
  if (!parsed.success) {
    throw new ConfigError(
      problemsOf(parsed.error.issues, 'field of the configuration', file).map(({ sentence }) => sentence),
    );
  }
  const problems: string[] = [];
  const segments: SegmentConfig[] = [];
  for (const [index, input] of parsed.data.segments.entries()) {
    segments.push(await segmentConfig(input, `segments[${index}]`, dirname(file), problems));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { segments, metricsPort: parsed.data.metricsPort };
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

async function segmentConfig(
  input: SegmentInput,
  path: string,
  folder: string,
  problems: string[],
): Promise<SegmentConfig> {
  const { name, subnets, gateways = [], relays = [], transport = 'frames', advertise = false } = input;
  for (const sentence of contradictions(input)) problems.push(`${path}.${sentence}`);
  const { guest: settings = {} } = input;
  const reader = new GuestReader(settings, subnets, problems);
  for (const [index, guest] of (input.guests ?? []).entries()) reader.add(guest, `${path}.guests[${index}]`);
  if (input.guestsFile !== undefined) await reader.addFile(resolve(folder, input.guestsFile));
  return {
    segment: {
      ...{ name, subnets, gateways, relays, serverDuid: serverDuid(name), trustDuid: input.trustDuid ?? false },
      ...(input.mtu !== undefined && { mtu: input.mtu }),
      ...(input.serverId !== undefined && { serverId: input.serverId }),
    },
    settings,
    guests: reader.guests,
    device: input.interface,
    netns: input.netns,
    transport,
    mac: input.mac ?? derivedMac(name),
    advertises: advertise,
    router: input.router,
  };
}

/** What each by itself may be, and not together. */
function* contradictions({ transport, advertise, router, serverId, subnets }: SegmentInput): Generator<string> {
  const hasFamily = (family: 4 | 6) => subnets.some((subnet) => parsePrefix(subnet)?.family === family);
  if (advertise && transport === 'sockets') yield 'advertise: sockets cannot send router advertisements; frames can';
  if (advertise && !hasFamily(6)) yield 'advertise: there is no IPv6 subnet to advertise';
  if (router !== undefined && !advertise) yield 'router: nothing is said in its name unless advertise is true';
  if (serverId !== undefined && !hasFamily(4)) yield 'serverId: is for DHCPv4, and there is no IPv4 subnet';
}

/** A locally administered Ethernet address, a different one on each node of a shared segment. */
function derivedMac(name: string): string {
  const digest = createHash('sha256').update(`hawser server address of ${name} on ${hostname()}`).digest('hex');
  return `0a:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}:${digest.slice(6, 8)}:${digest.slice(8, 10)}`;
}
