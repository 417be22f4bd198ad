import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { canonicalAddress, canonicalMac, parsePrefix, prefixText } from '../address.ts';
import { type GuestBinding, GuestBook, type Segment } from '../guests.ts';
import { serverDuid } from '../server-duid.ts';
import { type GuestSettings, mergeGuestSettings, parseGuestSettings, type SettingsProblem } from '../settings.ts';

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

/** A file of a hundred thousand guests may be wrong in every line. */
const shownProblems = 20;

/** The user's configuration is wrong; `problems` are sentences that begin with the field. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const hidden = problems.length - shownProblems;
    super([...problems.slice(0, shownProblems), ...(hidden > 0 ? [`… and ${hidden} more`] : [])].join('\n'));
    this.problems = problems;
  }
}

const guestShape = {
  mac: z.string(),
  addresses: z.array(z.string()).min(1),
  hostName: z.exactOptional(z.string()),
  guest: z.exactOptional(z.unknown()),
};
const guestSchema = z.strictObject(guestShape);

const configSchema = z.strictObject({
  metricsPort: z.exactOptional(z.int().min(1).max(65535)),
  segments: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        interface: z.string().min(1),
        netns: z.exactOptional(z.string().min(1)),
        transport: z.exactOptional(z.enum(['sockets', 'frames'])),
        subnets: z.array(z.string()).min(1),
        gateways: z.exactOptional(z.array(z.string())),
        mtu: z.exactOptional(z.int().min(576).max(65535)),
        serverId: z.exactOptional(z.string()),
        mac: z.exactOptional(z.string()),
        relays: z.exactOptional(z.array(z.string())),
        trustDuid: z.exactOptional(z.boolean()),
        guest: z.exactOptional(z.unknown()),
        guests: z.exactOptional(z.array(guestSchema)),
        guestsFile: z.exactOptional(z.string()),
        advertise: z.exactOptional(z.boolean()),
        router: z.exactOptional(z.strictObject({ mac: z.string(), linkLocal: z.string() })),
      }),
    )
    .min(1),
});

type SegmentInput = z.output<typeof configSchema>['segments'][number];

/**
 * Reads a configuration and the guest files it names (one JSON object per line, read as a stream).
 *
 * @throws ConfigError for whatever the user has to change, an unreadable file included.
 */
export async function readConfig(file: string): Promise<ServeConfig> {
  const parsed = configSchema.safeParse(jsonOf(file));
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.') || file}: ${message}`));
  }
  const segments: SegmentConfig[] = [];
  for (const [index, input] of parsed.data.segments.entries()) {
    segments.push(await segmentConfig(input, `segments.${index}`, dirname(file)));
  }
  return { segments, metricsPort: parsed.data.metricsPort };
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

async function segmentConfig(input: SegmentInput, path: string, folder: string): Promise<SegmentConfig> {
  const problems: string[] = [];
  const check = <Value>(
    field: string,
    text: string,
    what: string,
    value: Value | undefined,
    fallback: Value,
  ): Value => {
    if (value === undefined) problems.push(`${path}.${field}: ${JSON.stringify(text)} is not ${what}`);
    return value ?? fallback;
  };
  const address = (field: string, text: string): string =>
    check(field, text, 'an address', canonicalAddress(text), '::');
  const mac = (field: string, text: string): string =>
    check(field, text, 'an Ethernet address', canonicalMac(text), '');
  const settings = settingsOf(input.guest, `${path}.guest`, problems);
  const parser = guestParser(settings);
  const guests = new GuestBook();
  for (const [index, guest] of (input.guests ?? []).entries()) {
    addGuest(guests, parser(guest, `${path}.guests.${index}`, problems));
  }
  const segment: Segment = {
    name: input.name,
    subnets: input.subnets.map((text, i) => {
      const prefix = parsePrefix(text);
      return check(`subnets.${i}`, text, 'a prefix', prefix && prefixText(prefix), '');
    }),
    gateways: (input.gateways ?? []).map((text, i) => address(`gateways.${i}`, text)),
    relays: (input.relays ?? []).map((text, i) => address(`relays.${i}`, text)),
    ...(input.mtu !== undefined && { mtu: input.mtu }),
    ...(input.serverId !== undefined && { serverId: address('serverId', input.serverId) }),
    serverDuid: serverDuid(input.name),
    trustDuid: input.trustDuid ?? false,
  };
  const router = input.router && {
    mac: mac('router.mac', input.router.mac),
    linkLocal: address('router.linkLocal', input.router.linkLocal),
  };
  const ownMac = input.mac === undefined ? derivedMac(input.name) : mac('mac', input.mac);
  if (input.guestsFile !== undefined) await readGuests(resolve(folder, input.guestsFile), guests, parser, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    segment,
    settings,
    guests,
    device: input.interface,
    netns: input.netns,
    transport: input.transport ?? 'frames',
    mac: ownMac,
    advertises: input.advertise ?? false,
    router,
  };
}

/** A locally administered Ethernet address, a different one on each node of a shared segment. */
function derivedMac(name: string): string {
  const digest = createHash('sha256').update(`hawser server address of ${name} on ${hostname()}`).digest('hex');
  return `0a:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}:${digest.slice(6, 8)}:${digest.slice(8, 10)}`;
}

function settingsOf(input: unknown, path: string, problems: string[]): GuestSettings {
  const parsed = parseGuestSettings(input ?? {});
  if (parsed.settings !== undefined) return parsed.settings;
  problems.push(...parsed.problems.map(({ sentence }: SettingsProblem) => `${path}.${sentence}`));
  return {};
}

type GuestParser = (input: z.output<typeof guestSchema>, path: string, problems: string[]) => GuestBinding | undefined;

/** Guests with the same settings of their own share one object, so that they share what is computed from it. */
function guestParser(network: GuestSettings): GuestParser {
  const known = new Map<string, GuestSettings>();
  return (input, path, problems) => {
    const mac = canonicalMac(input.mac);
    const addresses = input.addresses.flatMap((text) => canonicalAddress(text) ?? []);
    if (mac === undefined) problems.push(`${path}.mac: ${JSON.stringify(input.mac)} is not an Ethernet address`);
    if (addresses.length < input.addresses.length) problems.push(`${path}.addresses: not all of them are addresses`);
    if (mac === undefined) return undefined;
    let settings = network;
    if (input.guest !== undefined) {
      const key = JSON.stringify(input.guest);
      settings = known.get(key) ?? mergeGuestSettings(network, settingsOf(input.guest, `${path}.guest`, problems));
      known.set(key, settings);
    }
    return { mac, addresses, settings, ...(input.hostName !== undefined && { hostName: input.hostName }) };
  };
}

function addGuest(guests: GuestBook, guest: GuestBinding | undefined): void {
  if (guest !== undefined) guests.set(guest);
}

async function readGuests(file: string, guests: GuestBook, parser: GuestParser, problems: string[]): Promise<void> {
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (line === '') continue;
      const input: unknown = JSON.parse(line);
      if (isGuestInput(input)) addGuest(guests, parser(input, `${file}:${number}`, problems));
      else problems.push(`${file}:${number}: ${guestSchema.safeParse(input).error?.issues[0]?.message}`);
    }
  } catch (error) {
    problems.push(`${file}:${number}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What `guestSchema` accepts. Written out because a file may hold a hundred thousand guests. */
function isGuestInput(input: unknown): input is z.output<typeof guestSchema> {
  if (typeof input !== 'object' || input === null || !('mac' in input) || !('addresses' in input)) return false;
  for (const key of Object.keys(input)) if (!(key in guestShape)) return false;
  const { mac, addresses } = input;
  const namesWell = !('hostName' in input) || typeof input.hostName === 'string';
  const isFull = Array.isArray(addresses) && addresses.length > 0;
  return namesWell && typeof mac === 'string' && isFull && addresses.every((address) => typeof address === 'string');
}
