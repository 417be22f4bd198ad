import { setTimeout as delay } from 'node:timers/promises';
import { apiList } from '#test/kube/api-object.ts';
import type { Daemon } from '#test/lab/topology/daemon.ts';
import { type Figure, mustBeAtMost } from './figures.ts';
import { apiWrites, eventsOfOurs } from './kube/api-writes.ts';
import { BareWatch } from './kube/bare-watch.ts';
import { type Bed, startBed } from './kube/bed.ts';
import { committedTo, since } from './kube/committed.ts';
import { bind, migrationToBeBound, runningVm } from './kube/migrations.ts';
import { createPod, createPods, deleteAllPods } from './kube/pods.ts';
import { cpuSeconds, residentMib } from './kube/process-usage.ts';

/** The controller on a real kube-apiserver, with a real ovsdb-server and northd behind. */
export async function* bench({
  few = 1_000,
  many = 5_000,
  idleSeconds = 60,
}: {
  readonly few?: number;
  readonly many?: number;
  readonly idleSeconds?: number;
} = {}): AsyncGenerator<Figure> {
  await using bed = await startBed((line) => console.error(line));
  await bed.startController();
  yield* burst(bed, 'few', few);
  yield* onePod(bed, few);
  await deleteAllPods(bed.api);
  await bed.ports.until(({ pods }) => pods === 0);
  await untilQuiet(bed.northd);
  yield* burst(bed, 'many', many);
  yield* onePod(bed, many);
  yield* targetBound(bed);
  yield* restart(bed, many);
  yield* madeMeanwhile(bed, many);
  yield* idle(bed, many, idleSeconds);
}

// What these did with the same work: 2 cores, OVN 25.03, an API server good for 740 to 840 creates a second alone, 2026-11-21.
const kubeOvn = 'Kube-OVN 1.16.2';
const ovnk = 'OVN-Kubernetes 1.3.0';
const ovnkUnlimited = 'OVN-Kubernetes 1.3.0 without client limit';

async function* burst({ api, ports, controller, northd, northboundFile }: Bed, prefix: string, count: number) {
  const of = `burst of ${count.toLocaleString('en')} pods`;
  const before = {
    pods: ports.pods,
    writes: await apiWrites(api),
    events: await eventsOfOurs(api),
    committed: await committedTo(northboundFile),
    controller: cpuSeconds(controller),
    northd: cpuSeconds(northd),
  };
  const began = performance.now();
  const lastPort = ports.until(({ pods }) => pods >= before.pods + count);
  const lastReply = await createPods(api, prefix, count);
  const lagSeconds = ((await lastPort) - lastReply) / 1000;
  const wholeSeconds = ((await lastPort) - began) / 1000;
  await untilQuiet(northd);
  const thousands = count / 1000;
  const perThousand = (daemon: Daemon, then: number) => (cpuSeconds(daemon) - then) / thousands;
  const committed = since(before.committed, await committedTo(northboundFile));
  const writes = await apiWrites(api);
  const written = (resource: string) => (writes.get(resource) ?? 0) - (before.writes.get(resource) ?? 0);
  const events = (await eventsOfOurs(api)) - before.events;
  const perPod = (written('pods') - count + events + written('ipamclaims')) / count;
  const isFirst = prefix === 'few';
  yield atMost(`${of}: last port after the server's last reply`, 's', lagSeconds, 0.5);
  yield {
    ...report(`${of}: first request to last port`, 's', wholeSeconds),
    peers: isFirst ? { [kubeOvn]: 27, [ovnk]: 19, [ovnkUnlimited]: 5.4 } : {},
    limit: wholeSeconds - lagSeconds,
  };
  yield {
    ...atMost(`${of}: controller CPU per 1,000`, 's', perThousand(controller, before.controller), 1),
    peers: { [kubeOvn]: 14.3, [ovnk]: 4.3, [ovnkUnlimited]: 2.2 },
  };
  yield {
    ...atMost(`${of}: API writes per pod`, '', perPod, 0),
    peers: { [kubeOvn]: 4.5, [ovnk]: 1, [ovnkUnlimited]: 1 },
  };
  yield report(`${of}: writes of the network's counts`, '', written('clusternetworks'));
  yield {
    ...report(`${of}: northd CPU per 1,000`, 's', perThousand(northd, before.northd)),
    peers: { [kubeOvn]: 6.5, [ovnk]: 6, [ovnkUnlimited]: 1.6 },
  };
  yield {
    ...atMost(`${of}: NB transactions per 1,000`, '', committed.transactions / thousands, 50),
    peers: { [kubeOvn]: 3000, [ovnk]: 1000, [ovnkUnlimited]: 1000 },
  };
}

async function* onePod({ api, ports }: Bed, there: number) {
  const { resourceVersion } = apiList(await api.get('/api/v1/pods', { query: { limit: 1 } }));
  using watch = await BareWatch.open(api, resourceVersion);
  const [seen, written]: [number[], number[]] = [[], []];
  for (let n = 0; n < 50; n += 1) {
    const name = `one-of-${there}-${n}`;
    const isSeen = watch.until((line) => line.includes(`"name":"${name}"`));
    const isWritten = ports.until((rows) => rows.has(`pod/default/${name}`));
    await createPod(api, name, n);
    const replied = performance.now();
    seen.push((await isSeen) - replied);
    written.push((await isWritten) - replied);
    await delay(20);
  }
  const of = `one pod, ${there.toLocaleString('en')} there: API reply to row`;
  const peers = { p50: [4.5, 6.7], max: [11, 10] };
  yield {
    ...withLimit(`${of}, p50 of 50`, median(written), median(seen), 1.5),
    peers: { [`${kubeOvn}, at best`]: peers.p50[0] ?? 0, [ovnkUnlimited]: peers.p50[1] ?? 0 },
  };
  yield {
    ...withLimit(`${of}, max of 50`, Math.max(...written), Math.max(...seen), 8),
    peers: { [`${kubeOvn}, at best`]: peers.max[0] ?? 0, [`${ovnkUnlimited}, at best`]: peers.max[1] ?? 0 },
  };
}

async function* targetBound({ api, ports }: Bed) {
  const [seen, written]: [number[], number[]] = [[], []];
  for (let n = 0; n < 20; n += 1) {
    const vm = `vm-${n}`;
    const uid = await runningVm(api, vm, 'node-a');
    await ports.until((rows) => rows.requestedChassis(`vm/default/${vm}`) === 'node-a');
    const pod = await migrationToBeBound(api, vm, uid);
    const { resourceVersion } = apiList(await api.get('/api/v1/pods', { query: { limit: 1 } }));
    using watch = await BareWatch.open(api, resourceVersion);
    await delay(50);
    const isSeen = watch.until((line) => line.includes(`"name":"${pod}"`) && line.includes('"nodeName":"node-b"'));
    const isWritten = ports.until((rows) => rows.requestedChassis(`vm/default/${vm}`) === 'node-a,node-b');
    await bind(api, pod, 'node-b');
    const replied = performance.now();
    seen.push((await isSeen) - replied);
    written.push((await isWritten) - replied);
  }
  yield {
    ...withLimit('target pod bound: API reply to both chassis, p50 of 20', median(written), median(seen), 1.5),
    peers: { [ovnk]: 7.2 },
  };
}

async function* restart({ controller, northboundFile, startController }: Bed, there: number) {
  const of = `restart with ${there.toLocaleString('en')} pods, nothing changed`;
  const before = await committedTo(northboundFile);
  await controller.kill();
  const seconds = await startController();
  const cpu = cpuSeconds(controller);
  await delay(1000);
  const { rows } = since(before, await committedTo(northboundFile));
  yield { ...atMost(`${of}: in sync`, 's', seconds, 3), peers: { [kubeOvn]: 130, [ovnk]: 5.2 } };
  yield { ...atMost(`${of}: CPU`, 's', cpu, 3), peers: { [kubeOvn]: 121, [ovnk]: 6.4 } };
  yield { ...atMost(`${of}: rows written`, '', rows, 0), peers: { [`${ovnk}, commits`]: 6 } };
}

async function* madeMeanwhile({ api, controller, ports, startController }: Bed, there: number) {
  await controller.kill();
  await createPod(api, 'meanwhile', 0);
  const began = performance.now();
  const written = ports.until((rows) => rows.has('pod/default/meanwhile'));
  await startController();
  const seconds = ((await written) - began) / 1000;
  const of = `pod made while the controller was down, ${there.toLocaleString('en')} there: restart to row`;
  yield { ...atMost(of, 's', seconds, 2.5), peers: { [kubeOvn]: 8.2, [ovnk]: 4 } };
}

async function* idle({ controller }: Bed, there: number, seconds: number) {
  const of = `idle with ${there.toLocaleString('en')} pods`;
  await delay(5000);
  const before = cpuSeconds(controller);
  await delay(seconds * 1000);
  const used = cpuSeconds(controller) - before;
  yield {
    ...atMost(`${of}: CPU over ${seconds} s`, 's', used, (0.1 * seconds) / 60),
    peers: { [kubeOvn]: 2.2, [ovnk]: 0.13 },
  };
  yield { ...atMost(`${of}: RSS`, 'MiB', residentMib(controller), 200), peers: { [kubeOvn]: 204, [ovnk]: 365 } };
}

/** Resolves when it has used no CPU for a second. */
async function untilQuiet(daemon: Daemon): Promise<void> {
  for (let before = -1, now = cpuSeconds(daemon); now > before + 0.02; now = cpuSeconds(daemon)) {
    before = now;
    await delay(1000);
  }
}

function report(figure: string, unit: string, ours: number): Figure {
  return { figure, unit, ours, peers: {} };
}

function atMost(figure: string, unit: string, ours: number, bar: number): Figure {
  return { ...report(figure, unit, ours), ...mustBeAtMost(ours, bar, unit) };
}

/** Against what a client that only watches sees in the same run, in milliseconds. */
function withLimit(figure: string, ours: number, limit: number, margin: number): Figure {
  const of = `a bare watch's + ${margin}`;
  return { ...report(figure, 'ms', ours), ...mustBeAtMost(ours, limit + margin, 'ms', of), limit };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
