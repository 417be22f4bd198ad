import { join } from 'node:path';
import { prepareGuest } from '#test/lab/guest/guest.ts';
import { askGuest } from '#test/lab/guest/report-port.ts';
import { type Machine, startMachine } from '#test/lab/qemu/machine.ts';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, type BedPod, startBed } from '#test/node-agent/bed.ts';
import { answerDhcp, guestTaps } from '#test/node-agent/guest-taps.ts';
import { makePort } from '#test/node-agent/lab-ports.ts';
import { percentiles } from './controller/percentiles.ts';
import type { Figure } from './figures.ts';

const kinds = ['tap', 'managedTap', 'podTap'] as const;
type Kind = (typeof kinds)[number];

const sizes = [64, 1024, 16_384, 65_536] as const;
const rounds = 4;
const secondsPerRound = 0.5;

/**
 * `npm run bench -- datapath`: request and response between a pod and a guest's echo server on the same node, for a guest on a direct
 * tap, behind managedTap (tap, bridge, veth) and behind a tap with tc redirect. All three run at once and take turns, so that
 * what else the machine does meets all of them.
 */
export async function* bench(): AsyncGenerator<Figure> {
  const image = await prepareGuest((line) => console.error(line));
  await using bed = await startBed(1);
  const client = await bed.pod('node-a');
  await makePort(bed.topology, client.port);
  await client.sandbox.add();
  const guests = new Map<Kind, BedPod>();
  const machines: Machine[] = [];
  try {
    for (const kind of kinds) {
      const vm = await bed.pod('node-a', { attach: kind, name: `vm/default/${kind.toLowerCase()}` });
      machines.push(await startGuest(bed, vm, kind, image));
      guests.set(kind, vm);
    }
    yield* figures(client, guests);
  } finally {
    await Promise.all(machines.map((machine) => machine.kill()));
  }
}

async function startGuest(
  bed: Bed,
  vm: BedPod,
  kind: Kind,
  image: Awaited<ReturnType<typeof prepareGuest>>,
): Promise<Machine> {
  await makePort(bed.topology, vm.port);
  await answerDhcp(bed.topology, vm);
  const { netns, tap } = await guestTaps[kind](bed, vm);
  const machine = await startMachine({
    name: kind,
    folder: `${bed.topology.folder}/${kind}`,
    place: { netns, env: bed.topology.node('node-a').env },
    image,
    nics: [{ tap, mac: vm.mac }],
  });
  await askGuest(machine.reportSocket, { until: ({ ipv4 }) => ipv4.length > 0, timeoutMs: 180_000 });
  return machine;
}

async function* figures(client: BedPod, guests: ReadonlyMap<Kind, BedPod>): AsyncGenerator<Figure> {
  const { netns } = client.sandbox;
  for (const bytes of sizes) {
    const us = await inTurns(guests, async ({ ipv4 }) => await tcpRoundTrips(netns, ipv4, bytes));
    const p50 = new Map([...us].map(([kind, values]) => [kind, percentiles(values).p50]));
    yield figure(`TCP request and response, ${bytes} B, p50`, 'µs', p50, bytes === 64 ? 'at most' : undefined);
    if (bytes === sizes.at(-1)) {
      const mbits = new Map([...p50].map(([kind, value]) => [kind, (2 * 8 * bytes) / value]));
      yield figure('TCP, both directions together', 'Mbit/s', mbits);
    }
  }
  for (const bytes of [64, 1024]) {
    const us = await inTurns(guests, async ({ ipv4 }) => await icmpRoundTrips(netns, ipv4, bytes));
    const p50 = new Map([...us].map(([kind, values]) => [kind, percentiles(values).p50]));
    yield figure(`datagrams (ICMP echo), ${bytes} B, p50`, 'µs', p50);
  }
}

/** A first round that does not count: ARP, the switch's flow caches, the guest's translated code. */
async function inTurns(
  guests: ReadonlyMap<Kind, BedPod>,
  measure: (vm: BedPod) => Promise<readonly number[]>,
): Promise<ReadonlyMap<Kind, readonly number[]>> {
  const all = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [kind, vm] of guests) {
      const values = await measure(vm);
      if (round >= 0) all.get(kind)?.push(...values);
    }
  }
  return all;
}

async function tcpRoundTrips(netns: string, host: string, bytes: number): Promise<readonly number[]> {
  const program = join(import.meta.dirname, 'datapath/echo-client.ts');
  const printed: unknown = JSON.parse(
    await run(process.execPath, [program, host, String(bytes), String(secondsPerRound)], { netns }),
  );
  return Array.isArray(printed) ? printed.filter((value) => typeof value === 'number') : [];
}

async function icmpRoundTrips(netns: string, host: string, bytes: number): Promise<readonly number[]> {
  const printed = await run('ping', ['-c', '200', '-i', '0.002', '-s', String(bytes), host], { netns });
  return [...printed.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms) * 1000);
}

function figure(what: string, unit: string, values: ReadonlyMap<Kind, number>, bar?: 'at most'): Figure {
  const ours = values.get('tap') ?? Number.NaN;
  const managedTap = values.get('managedTap') ?? Number.NaN;
  return {
    figure: what,
    unit,
    ours,
    peers: { 'tap+bridge+veth': managedTap, 'tap+tc': values.get('podTap') ?? Number.NaN },
    ...(bar && { bar: managedTap, ok: ours <= managedTap }),
  };
}
