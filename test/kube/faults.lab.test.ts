import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Table } from '#controller/engine/table.ts';
import { Tables } from '#controller/features/tables.ts';
import { KubeApi } from '#controller/kube/api.ts';
import type { Clock } from '#controller/kube/clock.ts';
import { wallClock } from '#controller/kube/clock.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { pathOf, pods } from '#controller/kube/kinds.ts';
import type { ObjectSink } from '#controller/kube/known-objects.ts';
import type { Pod } from '#controller/kube/objects/pod.ts';
import { watchKind } from '#controller/kube/watch.ts';
import { Shelf } from '#test/controller/kube/shelf.ts';
import { type BadLine, badLineTo } from './bad-line.ts';
import { describeOnRealKube } from './on-real-kube.ts';

describeOnRealKube('watching a real kube-apiserver over a bad line', (cluster) => {
  let line: BadLine;

  beforeAll(async () => {
    const { hostname, port } = new URL(cluster().url);
    line = await badLineTo({ host: hostname, port: Number(port) });
    for (const name of ['node-a', 'node-b', 'node-c']) {
      await cluster().api.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    }
  });
  afterAll(() => line[Symbol.asyncDispose]());

  /** Asked directly, past the bad line. */
  const freshList = async (): Promise<Map<string, Pod>> => {
    const shelf = new Shelf<Pod>();
    const end = new AbortController();
    const done = watchKind(pods, shelf, { api: cluster().api, signal: end.signal, onNotice: shelf.notice });
    await shelf.until(() => shelf.count('opened') === 1);
    end.abort();
    await done;
    return shelf.objects;
  };
  /** The engine's own table is what a fresh list would make of it. */
  const expectNothingMissed = async ({ shelf, table }: { shelf: Shelf<Pod>; table: Table<Pod> }): Promise<void> => {
    const fresh = await freshList();
    await shelf.until(() => isSame(table.rows(), fresh));
    expect(table.rows()).toEqual(fresh);
  };

  test('the API server is killed while pods are made and deleted, and again: nothing is missed', async () => {
    await using watch = watchOver(cluster().adminKubeconfig, undefined);
    await watch.shelf.until(() => watch.shelf.count('opened') === 1);
    for (const round of ['one', 'two']) {
      await makePods(cluster().api, `killed-${round}`, 50);
      await cluster().apiServer.kill();
      await watch.shelf.until(() => watch.shelf.count('failed') > 2);
      await cluster().apiServer.start();
      await deletePods(cluster().api, `killed-${round}`, 25);
    }
    await expectNothingMissed(watch);
    expect(watch.shelf.objects.size).toBe(50);
  });

  test('watches that are reset every second miss nothing, and list only once', async () => {
    await using watch = watchOver(cluster().adminKubeconfig, line);
    await watch.shelf.until(() => watch.shelf.count('opened') === 1);
    const cutting = setInterval(() => line.cut(), 1000);
    try {
      for (let round = 0; round < 10; round += 1) {
        await makePods(cluster().api, `reset-${round}`, 40);
        await deletePods(cluster().api, `reset-${round}`, 20);
        await watch.shelf.until(() => watch.shelf.count('opened') > round);
      }
      await watch.shelf.until(() => watch.shelf.count('opened') > 4);
    } finally {
      clearInterval(cutting);
    }
    await expectNothingMissed(watch);
    expect(watch.shelf.count('listed')).toBe(1);
  });

  test('etcd is compacted while the line is cut: what vanished is found by a new list', async () => {
    await using watch = watchOver(cluster().adminKubeconfig, line);
    await watch.shelf.until(() => watch.shelf.count('opened') === 1);
    line.dead = true;
    line.cut();
    await deletePods(cluster().api, 'reset-0', 40, 20);
    await makePods(cluster().api, 'compacted', 20);
    await cluster().compact();
    // The watch cache of the server has a history of its own, which a restart empties.
    await cluster().apiServer.kill();
    await cluster().apiServer.start();
    line.dead = false;
    line.cut();
    await expectNothingMissed(watch);
    expect(watch.shelf.count('expired')).toBeGreaterThan(0);
  });

  test('a line that swallows everything is noticed by its silence', async () => {
    // Minutes pass 500 times as fast.
    const hurried: Clock = {
      ...wallClock,
      now: () => wallClock.now() * 500,
      after: (ms, run) => wallClock.after(ms > 60_000 ? ms / 500 : ms, run),
    };
    await using watch = watchOver(cluster().adminKubeconfig, line, hurried);
    await watch.shelf.until(() => watch.shelf.count('opened') === 1);
    line.dead = true;
    await makePods(cluster().api, 'swallowed', 10);
    await watch.shelf.until(() =>
      watch.shelf.notices.some((notice) => notice.type === 'ended' && notice.reason === 'idle'),
    );
    line.dead = false;
    line.cut();
    await expectNothingMissed(watch);
  });

  test('20,000 pods are listed in pages over a line of 100 ms', { timeout: 300_000 }, async () => {
    await makePods(cluster().api, 'many', 20_000);
    line.latencyMs = 100;
    try {
      await using watch = watchOver(cluster().adminKubeconfig, line);
      await watch.shelf.until(() => watch.shelf.count('opened') === 1);
      await makePods(cluster().api, 'more', 20);
      await expectNothingMissed(watch);
      expect(watch.shelf.notices[0]).toMatchObject({ type: 'listed' });
      expect(watch.shelf.objects.size).toBeGreaterThan(20_000);
    } finally {
      line.latencyMs = 0;
    }
  });
});

/** Cheap to ask of an unfinished list: it is told apart by its size. */
function isSame(objects: ReadonlyMap<string, Pod>, fresh: ReadonlyMap<string, Pod>): boolean {
  if (objects.size !== fresh.size) return false;
  return [...fresh].every(([key, pod]) => JSON.stringify(objects.get(key)) === JSON.stringify(pod));
}

function watchOver(kubeconfigFile: string, line: BadLine | undefined, clock: Clock = wallClock) {
  const text = readFileSync(kubeconfigFile, 'utf8');
  const overLine = line === undefined ? text : text.replace(/(https:\/\/127\.0\.0\.1):\d+/, `$1:${line.port}`);
  const api = new KubeApi(loadCredentials({ text: overLine }));
  const shelf = new Shelf<Pod>();
  const { pods: table } = new Tables();
  const sink: ObjectSink<Pod> = {
    put: (key, pod) => {
      table.put(key, pod);
      shelf.put(key, pod);
    },
    remove: (key) => {
      table.remove(key);
      shelf.remove(key);
    },
    synced: () => shelf.synced(),
  };
  const end = new AbortController();
  const done = watchKind(pods, sink, { api, signal: end.signal, onNotice: shelf.notice, clock });
  return {
    shelf,
    table,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await done;
      api.close();
    },
  };
}

/** `count` pods bound to the nodes, over 16 connections. */
async function makePods(api: KubeApi, prefix: string, count: number): Promise<void> {
  await overConnections(count, async (n) => {
    await api.create(pathOf(pods, { namespace: 'default' }), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${prefix}-${n}` },
      spec: { nodeName: `node-${'abc'[n % 3]}`, containers: [{ name: 'c', image: 'none' }] },
    });
  });
}

async function deletePods(api: KubeApi, prefix: string, to: number, from = 0): Promise<void> {
  await overConnections(to - from, async (n) => {
    await api.delete(
      pathOf(pods, { namespace: 'default', name: `${prefix}-${from + n}` }),
      {},
      { gracePeriodSeconds: 0 },
    );
  });
}

async function overConnections(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const connection = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: 16 }, connection));
}
