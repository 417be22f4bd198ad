import { prepareClients } from '#test/dhcp/clients/packages.ts';
import { installDebianPackages } from '#test/setup/debian-packages.ts';
import { attackOurs } from './dhcp/attack.ts';
import { type HighestRate, highestRate } from './dhcp/highest-rate.ts';
import { type Delays, openRig, type Rig } from './dhcp/rig.ts';
import { dhcpd, dnsmasq, kea, ours, oursWith, type StartServer } from './dhcp/servers.ts';
import { type Figure, mustBeAtLeast, mustBeAtMost } from './figures.ts';

export const benchPackages = [
  'kea-admin',
  'kea-dhcp4-server',
  'kea-dhcp6-server',
  'isc-dhcp-server',
  'dnsmasq-base',
  'util-linux',
] as const;

const ladders = { fast: [8000, 12_000, 16_000, 20_000, 24_000, 28_000], slow: [100, 250, 500, 1000] } as const;
const delayRate = 4000;

/** What one server showed in one family. NaN stands for what it could not be measured at. */
interface Measured extends HighestRate {
  readonly delays: Delays;
  /** Seconds until 5,000 guests that boot at once are bound. */
  readonly avalancheSeconds: number;
}

const unmeasured: Measured = {
  highestRate: 0,
  cpuUs: new Map(),
  delays: { meanMs: Number.NaN, p99Ms: Number.NaN },
  avalancheSeconds: Number.NaN,
};

interface Contestant {
  readonly name: 'ours' | 'kea' | 'dhcpd' | 'dnsmasq';
  readonly start: StartServer;
  /** Whether it gets near the rates of delays and of the avalanche at all. */
  readonly isFast: boolean;
}

const contestants: readonly Contestant[] = [
  { name: 'ours', start: ours, isFast: true },
  { name: 'kea', start: kea, isFast: true },
  { name: 'dhcpd', start: dhcpd, isFast: true },
  { name: 'dnsmasq', start: dnsmasq, isFast: false },
];

/** `npm run bench -- dhcp`: our server beside Kea, ISC dhcpd and dnsmasq, one after the other on the same core. */
export async function* bench(): AsyncGenerator<Figure> {
  const log = (line: string): void => console.error(line);
  await prepareClients();
  await installDebianPackages(benchPackages, log);
  await using rig = await openRig();
  for (const family of [4, 6] as const) {
    const measured = new Map<Contestant['name'], Measured>();
    for (const contestant of contestants) measured.set(contestant.name, await measure(rig, contestant, family, log));
    yield* figuresOf(measured, family);
  }
  yield await memory(rig);
  yield await delayUnderAttack(rig.folder);
}

/** A peer that does not start on this machine is named and left without figures. */
async function measure(
  rig: Rig,
  { name, start, isFast }: Contestant,
  family: 4 | 6,
  log: (line: string) => void,
): Promise<Measured> {
  log(`${name}, DHCPv${family}`);
  try {
    await using server = await start(rig, family);
    await rig.perfdhcp(family, isFast ? 2000 : 100, 2);
    const rates = await highestRate(rig, server, family, isFast ? ladders.fast : ladders.slow, log);
    const delays = isFast ? await delaysOf(rig, family) : unmeasured.delays;
    const avalancheSeconds = isFast ? await avalanche(rig, family) : Number.NaN;
    return { ...rates, delays, avalancheSeconds };
  } catch (error) {
    if (name === 'ours') throw error;
    log(`${name}, DHCPv${family}, is left out: ${error instanceof Error ? error.message : String(error)}`);
    return unmeasured;
  }
}

function* figuresOf(measured: ReadonlyMap<Contestant['name'], Measured>, family: 4 | 6): Generator<Figure> {
  const our = measured.get('ours') ?? unmeasured;
  const keas = measured.get('kea') ?? unmeasured;
  const peers = (pick: (measured: Measured) => number, names: readonly Contestant['name'][]) =>
    Object.fromEntries(names.map((name) => [name, pick(measured.get(name) ?? unmeasured)]));
  const all = ['kea', 'dhcpd', 'dnsmasq'] as const;
  const fast = ['kea', 'dhcpd'] as const;
  yield rateFigure(
    our,
    keas,
    family,
    peers(({ highestRate }) => highestRate, all),
  );
  yield costFigure(our, keas, family, peers(cpuAtHighest, all));
  const atMost = (name: string, bar: number, unit: string, pick: (measured: Measured) => number): Figure => ({
    figure: name,
    unit,
    ours: pick(our),
    peers: peers(pick, fast),
    ...mustBeAtMost(pick(our), bar, unit),
  });
  yield atMost(`DHCPv${family} mean delay at 4,000/s`, 0.15, 'ms', ({ delays }) => delays.meanMs);
  yield atMost(`DHCPv${family} p99 delay at 4,000/s`, 5, 'ms', ({ delays }) => delays.p99Ms);
  yield atMost(
    `DHCPv${family} 5,000 guests booting at once, all bound`,
    2,
    's',
    ({ avalancheSeconds }) => avalancheSeconds,
  );
}

const nothingToCompare = 'Kea passed no rung of the ladder, so there is no bar and nothing is shown.';

/** The bar is 1.5 × Kea's, or what perfdhcp itself can do where that is less. */
function rateFigure(our: Measured, keas: Measured, family: 4 | 6, peers: Figure['peers']): Figure {
  const figure = family === 4 ? 'DHCPv4 DORA with < 1 % drops' : 'DHCPv6 SARR with < 1 % drops';
  const common = { figure, unit: '1/s', ours: our.highestRate, peers };
  if (keas.highestRate === 0) return { ...common, ok: false, note: nothingToCompare };
  const held = mustBeAtLeast(our.highestRate, 1.5 * keas.highestRate, '1/s', "1.5 × Kea's");
  if (held.ok) return { ...common, ...held };
  const isLadders = our.highestRate === ladders.fast.at(-1);
  if (our.perfdhcpEndedAt === undefined && !isLadders) return { ...common, ...held };
  const note = isLadders
    ? 'Ours passed the top of the ladder.'
    : `At ${our.perfdhcpEndedAt}/s perfdhcp's core was fully busy and ours was not: the limit is perfdhcp's own.`;
  return { ...common, ...held, limit: our.highestRate, ok: true, note };
}

/** Processor time at the highest rate that each passed; beside it, in words, at the highest that both ours and Kea passed. */
function costFigure(our: Measured, keas: Measured, family: 4 | 6, peers: Figure['peers']): Figure {
  const common = { figure: `DHCPv${family} processor time per exchange`, unit: 'µs', ours: cpuAtHighest(our), peers };
  const rate = Math.max(0, ...[...our.cpuUs.keys()].filter((passed) => keas.cpuUs.has(passed)));
  const [ours, theirs] = [our.cpuUs.get(rate), keas.cpuUs.get(rate)];
  if (ours === undefined || theirs === undefined) return { ...common, ok: false, note: nothingToCompare };
  const note = `Each at the highest rate it passed; at ${rate}/s ours takes ${ours.toFixed(1)} µs and Kea ${theirs.toFixed(1)} µs.`;
  const held = mustBeAtMost(common.ours, 0.7 * cpuAtHighest(keas), 'µs', "0.7 × Kea's");
  return { ...common, ...held, note };
}

function cpuAtHighest({ cpuUs, highestRate }: Measured): number {
  return cpuUs.get(highestRate) ?? Number.NaN;
}

/** The best of three runs: what else the machine does only ever adds. */
async function delaysOf(rig: Rig, family: 4 | 6): Promise<Delays> {
  const runs: Delays[] = [];
  for (let i = 0; i < 3; i++) runs.push(await rig.delays(family, delayRate, 3));
  return runs.reduce((best, run) => (run.meanMs < best.meanMs ? run : best));
}

async function avalanche(rig: Rig, family: 4 | 6): Promise<number> {
  return Math.min(await rig.avalanche(family, 5000), await rig.avalanche(family, 5000));
}

async function memory(rig: Rig): Promise<Figure> {
  await using server = await oursWith(rig, 6, 100_000);
  const rssMb = server.rssMb();
  const figure = 'RSS with 100,000 bindings';
  return { figure, unit: 'MB', ours: rssMb, peers: {}, ...mustBeAtMost(rssMb, 150, 'MB') };
}

async function delayUnderAttack(folder: string): Promise<Figure> {
  const { asked, waitsMs } = await attackOurs(folder);
  const isComplete = waitsMs.length >= asked * 0.99;
  const p99Ms = waitsMs[Math.floor(waitsMs.length * 0.99)] ?? Number.NaN;
  return {
    figure: 'p99 delay beside a rogue that sends 10,000 packets/s',
    unit: 'ms',
    ours: p99Ms,
    peers: {},
    ...mustBeAtMost(isComplete ? p99Ms : Number.POSITIVE_INFINITY, 20, 'ms'),
  };
}
