import { on } from 'node:events';
import { parseArgs } from 'node:util';
import type { Pod } from '#controller/kube/objects/pod.ts';
import { benchCore, type StartTimes } from './bench-core.ts';
import { type Cluster, cluster, keyOf, nodeName, podOf, vmOf } from './objects.ts';
import { percentiles } from './percentiles.ts';

/** What one process measured; milliseconds and bytes. */
export interface ChildResult extends StartTimes {
  /** Processor time of the start, of all threads. */
  readonly startCpuMs: number;
  readonly operations: number;
  readonly problems: number;
  readonly peakRss: number;
  readonly worstStallMs: number;
  readonly changes?: Changes;
}

/** From the event to the transaction sent, in milliseconds. */
interface Changes {
  readonly p50: number;
  readonly p99: number;
  /** The p50 of each kind of change. */
  readonly p50s: Readonly<Record<string, number>>;
}

/** What the process is told to do next, before it says what it measured. */
export type Request = 'burst' | 'burst with its operations' | 'clear' | 'end';

/** Of one burst. */
export interface Burst {
  readonly milliseconds: number;
  readonly operations: readonly unknown[];
}

const { values } = parseArgs({
  options: {
    remote: { type: 'string' },
    size: { type: 'string' },
    phase: { type: 'string' },
    burst: { type: 'string' },
  },
});
const size = Number(values.size);
const objects = cluster(size);
globalThis.gc?.();
const bench = await benchCore(values.remote ?? '');
const cpuBefore = process.cpuUsage();
const start = await bench.start(objects);
const { user, system } = process.cpuUsage(cpuBefore);
const { operations, problems } = bench;
let result: ChildResult = {
  ...start,
  startCpuMs: (user + system) / 1000,
  operations,
  problems,
  peakRss: 0,
  worstStallMs: 0,
};
if (values.phase === 'changes') {
  const changes = await measureChanges(objects);
  result = { ...result, changes };
  await takeRequests(Number(values.burst));
}
const peakRss = process.resourceUsage().maxRSS * 1024;
bench.stalls.pause();
result = { ...result, peakRss, worstStallMs: bench.stalls.worstMs };
await bench.close();
process.send?.(result, () => process.disconnect());

/** Pods and VMs created, changed, deleted and migrated, one at a time: from the event to the transaction sent. */
async function measureChanges({ pods, vmis }: Cluster): Promise<Changes> {
  const { tables } = bench.core;
  const latencies = new Map<string, number[]>();
  const measure = async (kind: string, put: () => void) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    bench.onSent(() => resolve(performance.now()));
    await new Promise((next) => setImmediate(next));
    const started = performance.now();
    bench.change(put);
    const latency = (await promise) - started;
    latencies.set(kind, [...(latencies.get(kind) ?? []), latency]);
    await bench.settled();
  };
  const launchers = new Map(pods.map((pod) => [pod.owner?.uid, pod]));
  const rounds = 100;
  for (let i = 0; i < rounds; i += 1) {
    const fresh = podOf(10_000_000 + i, 'fresh');
    await measure('a pod created', () => tables.pods.put(keyOf(fresh), fresh));
    await measure('a pod on another node', () =>
      tables.pods.put(keyOf(fresh), { ...fresh, nodeName: nodeName(i + 1) }),
    );
    await measure("a pod's labels", () => tables.pods.put(keyOf(fresh), { ...fresh, labels: { app: 'app-3' } }));
    await measure('a pod deleted', () => tables.pods.remove(keyOf(fresh)));
    const vm = vmis[(i * 31) % vmis.length];
    const source = launchers.get(vm?.uid);
    if (vm === undefined || source === undefined) continue;
    const uid = `vmim-${i}`;
    const target = {
      ...source,
      name: `${source.name}-target`,
      uid: `${source.uid}-target`,
      nodeName: nodeName(i + 7),
      labels: { ...source.labels, 'kubevirt.io/migrationJobUID': uid },
    };
    const { namespace, name: vmiName } = vm;
    const vmim = {
      namespace,
      name: uid,
      uid,
      vmiName,
      deleting: false,
      phase: 'Running',
      abortRequested: false,
      creationTimestamp: i,
    };
    tables.vmims.put(keyOf(vmim), vmim);
    await measure("a migration's target pod", () => tables.pods.put(keyOf(target), target));
    await measure('a VMI that has moved', () => tables.vmis.put(keyOf(vm), { ...vm, nodeName: target.nodeName }));
    tables.vmims.remove(keyOf(vmim));
    tables.pods.remove(keyOf(target));
    await measure('a VMI back again', () => tables.vmis.put(keyOf(vm), vm));
    const { vm: newVm, vmi, launcher, claim } = vmOf(200_000 + i);
    await measure('a VM created and started', () => {
      tables.vms.put(keyOf(newVm), newVm);
      tables.claims.put(keyOf(claim), claim);
      tables.pods.put(keyOf(launcher), launcher);
      tables.vmis.put(keyOf(vmi), vmi);
    });
    await measure('a VMI deleted', () => tables.vmis.remove(keyOf(vmi)));
    tables.pods.remove(keyOf(launcher));
    tables.claims.remove(keyOf(claim));
    tables.vms.remove(keyOf(newVm));
    await bench.settled();
  }
  const p50s = [...latencies].map(([kind, ofKind]): [string, number] => [kind, percentiles(ofKind).p50]);
  return { ...percentiles([...latencies.values()].flat()), p50s: Object.fromEntries(p50s) };
}

/** Bursts, and the way back, in turn with what else is measured on this machine, during which nobody looks for stalls. */
async function takeRequests(ports: number): Promise<void> {
  const requests = on(process, 'message');
  bench.stalls.pause();
  for await (const [request] of requests) {
    if (request === 'end') return;
    bench.stalls.resume();
    const done = request === 'clear' ? await clear(ports) : await measureBurst(ports, request !== 'burst');
    bench.stalls.pause();
    process.send?.(done);
  }
}

/** Many pods at once: from the first event to the last row in the database. */
async function measureBurst(ports: number, keepsOperations: boolean): Promise<Burst> {
  const operations: unknown[] = [];
  // The controller itself keeps none of them.
  bench.onSent((sent) => keepsOperations && operations.push(...sent));
  const started = performance.now();
  for (let i = 0; i < ports; i += 1) {
    const pod = burstPod(i);
    bench.change(() => bench.core.tables.pods.put(keyOf(pod), pod));
    await afterOneRead(i);
  }
  await bench.settled();
  return { milliseconds: performance.now() - started, operations };
}

async function clear(ports: number): Promise<'cleared'> {
  bench.onSent(() => {});
  for (let i = 0; i < ports; i += 1) {
    bench.change(() => bench.core.tables.pods.remove(keyOf(burstPod(i))));
    await afterOneRead(i);
  }
  await bench.settled();
  return 'cleared';
}

function burstPod(i: number): Pod {
  return podOf(20_000_000 + i, 'burst');
}

/** A watch delivers what has come in one read of its socket. */
async function afterOneRead(i: number): Promise<void> {
  if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
}
