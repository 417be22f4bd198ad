import { Rig, type Sandbox } from './cni/rig.ts';
import { percentiles } from './controller/percentiles.ts';
import { type Figure, mustBeAtMost } from './figures.ts';

const alone = 40;
const atOnce = 50;
const many = 250;

interface Measured {
  readonly addMs: readonly number[];
  readonly delMs: readonly number[];
}

/**
 * `npm run bench -- cni`: ADD and DEL from the start of the plugin to its answer, `ovn-installed` included, beside Debian's `bridge`
 * and `host-local` on the same node. The ports are requested before, so that the controller and northd are not in it.
 */
export async function* bench(): AsyncGenerator<Figure> {
  await using rig = await Rig.open((line) => console.error(line));
  await one([...(await rig.ours(2)), ...(await rig.bridged(2))]);

  const phases = new Map<string, number[]>();
  const single = await one(await rig.ours(alone), async (add) => {
    await rig.settled();
    const before = await rig.phaseSeconds();
    const ms = await add();
    for (const [phase, seconds] of await rig.phaseSeconds()) {
      const spent = (seconds - (before.get(phase) ?? 0)) * 1000;
      phases.set(phase, [...(phases.get(phase) ?? []), spent]);
    }
    return ms;
  });
  const singlePeer = await one(await rig.bridged(alone));
  const installedMs = phases.get('installed') ?? [];
  const oursMs = single.addMs.map((ms, index) => ms - (installedMs[index] ?? 0));

  yield* both('ADD alone', single.addMs, singlePeer.addMs, 80);
  yield {
    figure: 'ADD alone p50, without ovn-controller',
    unit: 'ms',
    ours: percentiles(oursMs).p50,
    peers: {},
    ...mustBeAtMost(percentiles(oursMs).p50, 45, 'ms'),
  };
  for (const [phase, ms] of phases) {
    yield { figure: `ADD alone p50, phase ${phase}`, unit: 'ms', ours: percentiles(ms).p50, peers: {} };
  }
  yield* both('DEL alone', single.delMs, singlePeer.delMs);

  const together = await all(await rig.ours(atOnce));
  const togetherPeer = await all(await rig.bridged(atOnce));
  yield* both(`ADD, ${atOnce} at once`, together.addMs, togetherPeer.addMs);
  yield* both(`DEL, ${atOnce} at once`, together.delMs, togetherPeer.delMs);

  const plugged = await rig.ours(many);
  for (let start = 0; start < many; start += 10)
    await Promise.all(plugged.slice(start, start + 10).map((s) => s.add()));
  const rss = await rig.agentRssMib();
  yield { figure: `agent RSS with ${many} ports`, unit: 'MiB', ours: rss, peers: {}, ...mustBeAtMost(rss, 90, 'MiB') };
}

/** One after the other. */
async function one(
  sandboxes: readonly Sandbox[],
  around: (add: () => Promise<number>) => Promise<number> = (add) => add(),
): Promise<Measured> {
  const [addMs, delMs]: [number[], number[]] = [[], []];
  for (const sandbox of sandboxes) {
    addMs.push(await around(() => timed(() => sandbox.add())));
    delMs.push(await timed(() => sandbox.del()));
  }
  return { addMs, delMs };
}

async function all(sandboxes: readonly Sandbox[]): Promise<Measured> {
  const addMs = await Promise.all(sandboxes.map((sandbox) => timed(() => sandbox.add())));
  const delMs = await Promise.all(sandboxes.map((sandbox) => timed(() => sandbox.del())));
  return { addMs, delMs };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function* both(what: string, ours: readonly number[], peer: readonly number[], bar?: number): Iterable<Figure> {
  const [mine, theirs] = [percentiles(ours), percentiles(peer)];
  const name = 'bridge+host-local';
  yield {
    figure: `${what} p50`,
    unit: 'ms',
    ours: mine.p50,
    peers: { [name]: theirs.p50 },
    ...(bar && mustBeAtMost(mine.p50, bar, 'ms')),
  };
  yield { figure: `${what} p99`, unit: 'ms', ours: mine.p99, peers: { [name]: theirs.p99 } };
}
