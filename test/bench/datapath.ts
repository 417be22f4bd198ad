import { askGuest } from '#test/lab/guest/report-port.ts';
import { type QemuMachine, startMachine } from '#test/lab/qemu/machine.ts';
import { type Bed, type BedPod, startBed } from '#test/node-agent/bed.ts';
import { answerDhcp, attachGuestTap } from '#test/node-agent/guest-taps.ts';
import { makePort } from '#test/node-agent/lab-ports.ts';
import { percentiles } from './controller/percentiles.ts';
import { prepareMeasuringGuest } from './datapath/measuring-guest.ts';
import { latencyUs, type MeasuringGuest, type Protocol, serveQperf, throughputMbits } from './datapath/qperf.ts';
import { type Figure, mustBeAtMost } from './figures.ts';

const kinds = ['tap', 'managedTap', 'podTap'] as const;
type Kind = (typeof kinds)[number];

interface Guest extends MeasuringGuest {
  readonly machine: QemuMachine;
}

/** Two guests of one kind on one node. */
type Pair = readonly [from: Guest, to: Guest];

const protocols: readonly Protocol[] = ['tcp', 'udp'];

/** Bytes of a message, and how often each kind has its turn. The largest UDP message is 65,507 bytes (RFC 768, RFC 791). */
const sizes: readonly { readonly bytes: Readonly<Record<Protocol, number>>; readonly rounds: number }[] = [
  { bytes: { tcp: 64, udp: 64 }, rounds: 9 },
  { bytes: { tcp: 1024, udp: 1024 }, rounds: 5 },
  { bytes: { tcp: 16_384, udp: 16_384 }, rounds: 5 },
  { bytes: { tcp: 65_536, udp: 65_507 }, rounds: 5 },
];
const throughput = { bytes: { tcp: 65_536, udp: 1024 }, rounds: 5 } as const;

/**
 * `npm run bench -- datapath`: latency and throughput between two guests on one node, by qperf in the guests: on direct taps, behind
 * managedTap (tap, bridge, veth) and behind taps with tc redirect. The kinds take turns of a second, so that what else the machine does
 * meets all of them; the guests of the others are stopped meanwhile, for the idle cost cores, too.
 */
export async function* bench(): AsyncGenerator<Figure> {
  const image = await prepareMeasuringGuest((line) => console.error(line));
  await using bed = await startBed(1);
  const machines: QemuMachine[] = [];
  const start = async (kind: Kind, end: string): Promise<Guest> => {
    const name = `${kind.toLowerCase()}-${end}`;
    const vm = await bed.pod('node-a', { attach: kind, name: `vm/default/${name}` });
    const machine = await startGuest(bed, vm, kind, `${bed.topology.folder}/${name}`, image);
    machines.push(machine);
    await askGuest(machine.reportSocket, { until: ({ ipv4 }) => ipv4.length > 0, timeoutMs: 180_000 });
    return { machine, consoleSocket: machine.consoleSocket, ipv4: vm.ipv4 };
  };
  try {
    const pairs = new Map<Kind, Pair>();
    for (const kind of kinds) {
      const [from, to] = await Promise.all([start(kind, 'from'), start(kind, 'to')]);
      await serveQperf(to);
      pairs.set(kind, [from, to]);
      for (const { machine } of [from, to]) await machine.qmp.execute('stop');
    }
    yield* figures(pairs);
  } finally {
    await Promise.all(machines.map((machine) => machine.kill()));
  }
}

async function startGuest(
  bed: Bed,
  vm: BedPod,
  kind: Kind,
  folder: string,
  image: Awaited<ReturnType<typeof prepareMeasuringGuest>>,
): Promise<QemuMachine> {
  await makePort(bed.topology, vm.port);
  await answerDhcp(bed.topology, vm);
  const { netns, tap } = await attachGuestTap(bed, 'node-a', { name: vm.port.name, kind }, vm.sandbox);
  const { env } = bed.topology.node('node-a');
  return await startMachine({ name: kind, folder, place: { netns, env }, image, nics: [{ tap, mac: vm.mac }] });
}

async function* figures(pairs: ReadonlyMap<Kind, Pair>): AsyncGenerator<Figure> {
  for (const { bytes, rounds } of sizes) {
    for (const protocol of protocols) {
      const us = await inTurns(pairs, rounds, ([from, to]) => latencyUs(from, to, protocol, bytes[protocol]));
      const isHeldToPeers = bytes.tcp === 64;
      yield figure(`${protocol.toUpperCase()} latency one way, ${bytes[protocol]} B, median`, 'µs', us, isHeldToPeers);
    }
  }
  const { bytes, rounds } = throughput;
  for (const protocol of protocols) {
    const mbits = await inTurns(pairs, rounds, ([from, to]) => throughputMbits(from, to, protocol, bytes[protocol]));
    yield figure(`${protocol.toUpperCase()} throughput, ${bytes[protocol]} B, median`, 'Mbit/s', mbits);
  }
}

/**
 * The median of each kind's turns. A first round does not count: ARP, the switch's flow caches, the guests' translated code. Nobody is always
 * the first of a round.
 */
async function inTurns(
  pairs: ReadonlyMap<Kind, Pair>,
  rounds: number,
  measure: (pair: Pair) => Promise<number>,
): Promise<ReadonlyMap<Kind, number>> {
  const values = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  for (let round = -1; round < rounds; round++) {
    const order = [...pairs];
    order.push(...order.splice(0, (round + kinds.length) % kinds.length));
    for (const [kind, pair] of order) {
      for (const { machine } of pair) await machine.qmp.execute('cont');
      const value = await measure(pair);
      for (const { machine } of pair) await machine.qmp.execute('stop');
      if (round >= 0) values.get(kind)?.push(value);
    }
  }
  return new Map([...values].map(([kind, measured]) => [kind, percentiles(measured).p50]));
}

function figure(what: string, unit: string, values: ReadonlyMap<Kind, number>, isHeldToPeers = false): Figure {
  const ours = values.get('tap') ?? Number.NaN;
  const managedTap = values.get('managedTap') ?? Number.NaN;
  return {
    figure: what,
    unit,
    ours,
    peers: { 'tap+bridge+veth': managedTap, 'tap+tc': values.get('podTap') ?? Number.NaN },
    ...(isHeldToPeers && mustBeAtMost(ours, managedTap, unit, "tap+bridge+veth's")),
  };
}
