import { expect, test } from 'vitest';
import { KubeApi as KubeClient } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { pods } from '#controller/kube/kinds.ts';
import type { Pod } from '#controller/kube/objects/pod.ts';
import type { WatchFaults } from '#test/lab/kube-api/faults.ts';
import { type KubeApi, startKubeApi } from '#test/lab/kube-api/server.ts';
import { Shelf } from './shelf.ts';
import { podsOf, watching, watchPods } from './watching.ts';

test('objects there before and objects made later are put, and gone ones removed', async () => {
  await using server = await startKubeApi();
  podsOf(server).create('before');
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  podsOf(server).create('later');
  podsOf(server).delete('before');
  await watch.shelf.until(() => watch.shelf.calls.length === 4);
  expect(watch.shelf.calls).toEqual(['put default/before', 'synced', 'put default/later', 'remove default/before']);
});

test('an object of a list and the same object of a watch event are equal', async () => {
  await using server = await startKubeApi();
  await using early = watchPods(server);
  await early.shelf.until(() => early.shelf.count('opened') === 1);
  podsOf(server).create('db', { app: 'db' });
  await early.shelf.until(() => early.shelf.objects.size === 1);
  await using late = watchPods(server);
  await late.shelf.until(() => late.shelf.objects.size === 1);
  expect(late.shelf.objects).toEqual(early.shelf.objects);
  expect(late.shelf.objects.get('default/db')).toMatchObject({ name: 'db', labels: { app: 'db' } });
});

test('a connection that is reset goes on where it was, without a new list', async () => {
  await using server = await startKubeApi();
  podsOf(server).create('a');
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  server.dropWatches();
  podsOf(server).create('b');
  await watch.shelf.until(() => watch.shelf.objects.size === 2);
  expect(watch.shelf.calls).toEqual(['put default/a', 'synced', 'put default/b']);
  expect(listsOf(server)).toBe(1);
});

test('a watch that is reset again and again, in the middle of its lines, misses nothing', async () => {
  await using server = await startKubeApi();
  server.setFaults({ watch: { resetAfterEvents: 1 } });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  for (let n = 0; n < 10; n += 1) podsOf(server).create(`pod-${n}`);
  await watch.shelf.until(() => watch.shelf.objects.size === 10);
  expect(watch.shelf.calls.filter((call) => call.startsWith('put'))).toHaveLength(10);
  expect(watch.shelf.count('opened')).toBeGreaterThanOrEqual(9);
  expect(listsOf(server)).toBe(1);
});

test('a server that goes away and comes back on the same port is found again', async () => {
  const server = await startKubeApi();
  podsOf(server).create('a');
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  await server[Symbol.asyncDispose]();
  await watch.shelf.until(() => watch.shelf.count('failed') >= 5);
  podsOf(server).create('made-meanwhile');
  await using again = await startKubeApi({ port: server.port, store: server.store });
  await watch.shelf.until(() => watch.shelf.objects.size === 2);
  expect(listsOf(again)).toBe(0);
  expect(watch.clock.pauses.slice(0, 5)).toEqual([75, 150, 300, 600, 1200]);
});

test('a stream that falls silent is given up after its time limit and 5 s, and goes on where it was', async () => {
  await using server = await startKubeApi();
  server.setFaults({ watch: { swallowAfterEvents: 0 } });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  podsOf(server).create('unseen');
  // random() is 0.5: 240 + 25 s asked of the server.
  expect(watchQueries(server).map((query) => query.get('timeoutSeconds'))).toEqual(['265']);
  expect(watch.clock.limits).toEqual([270_000]);
  server.setFaults({});
  watch.clock.pass(269_999);
  expect(watch.shelf.count('ended')).toBe(0);
  watch.clock.pass(1);
  await watch.shelf.until(() => watch.shelf.objects.size === 1);
  expect(watch.shelf.notices).toContainEqual({ type: 'ended', reason: 'idle', livedMs: 270_000 });
  expect(listsOf(server)).toBe(1);
});

test('a quiet kind is kept going by bookmarks: it resumes from the last one after a reset', async () => {
  await using server = await startKubeApi({ bookmarkEveryMs: 1 });
  await using watch = watching(server, pods, new Shelf<Pod>(), { namespace: 'kube-system' });
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  expect(watchQueries(server)[0]?.get('allowWatchBookmarks')).toBe('true');
  podsOf(server).create('of-another-namespace');
  const { version } = server.store;
  while (Number(watchQueries(server).at(-1)?.get('resourceVersion')) < version) {
    const opened = watch.shelf.count('opened');
    server.dropWatches();
    await watch.shelf.until(() => watch.shelf.count('opened') > opened);
  }
  server.compact();
  server.dropWatches();
  await watch.shelf.until(() => watch.shelf.count('failed') > 1);
  expect(watch.shelf.count('expired')).toBe(0);
  expect(listsOf(server)).toBe(1);
});

const expiries: [string, WatchFaults][] = [
  ['an ERROR event', { goneInStream: true }],
  ['an HTTP status', { goneStatus: true }],
];

for (const [form, fault] of expiries) {
  test(`410 as ${form} leads to a new list, which finds what vanished and puts nothing twice`, async () => {
    await using server = await startKubeApi();
    for (const name of ['stays', 'goes']) podsOf(server).create(name);
    await using watch = watchPods(server);
    await watch.shelf.until(() => watch.shelf.count('opened') === 1);
    server.setFaults({ refuse: { status: 500 } });
    server.dropWatches();
    await watch.shelf.until(() => watch.shelf.count('failed') > 1);
    podsOf(server).delete('goes');
    podsOf(server).create('comes');
    server.setFaults({ watch: fault });
    await watch.shelf.until(() => watch.shelf.count('expired') > 0);
    server.setFaults({});
    await watch.shelf.until(() => watch.shelf.keys.join() === 'default/comes,default/stays');
    expect(watch.shelf.calls.filter((call) => call === 'put default/stays')).toHaveLength(1);
    expect(watch.shelf.calls.filter((call) => call === 'remove default/goes')).toHaveLength(1);
  });
}

test('a server that answers every watch with 410 is asked ever more slowly', async () => {
  await using server = await startKubeApi();
  server.setFaults({ watch: { goneInStream: true } });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('expired') === 6);
  expect(watch.clock.pauses.slice(0, 4)).toEqual([150, 300, 600, 1200]);
});

test('a server that ends every watch at once is asked ever more slowly', async () => {
  await using server = await startKubeApi();
  podsOf(server).create('a');
  server.setFaults({ watch: { endAfterEvents: 0, resetAfterEvents: 0 } });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.clock.pauses.length === 8);
  expect(watch.clock.pauses.slice(0, 8)).toEqual([75, 150, 300, 600, 1200, 2400, 4800, 7500]);
});

test('20,000 objects are listed in pages of 500 and are all there', { timeout: 60_000 }, async () => {
  await using server = await startKubeApi();
  for (let n = 0; n < 20_000; n += 1) podsOf(server).create(`pod-${n}`);
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.calls.includes('synced'));
  expect(watch.shelf.objects.size).toBe(20_000);
  expect(watch.shelf.notices[0]).toEqual({ type: 'listed', objects: 20_000, pages: 40 });
  expect(new Set(server.requests.slice(0, 40).map(({ query }) => query.get('limit')))).toEqual(new Set(['500']));
});

test('the next page is asked for before the one that has come is taken in', async () => {
  await using server = await startKubeApi();
  for (let n = 0; n < 1_200; n += 1) podsOf(server).create(`pod-${n}`);
  const api = new KubeClient(loadCredentials({ text: server.kubeconfig() }));
  const shelf = new Shelf<Pod>();
  const takenAtRequest: number[] = [];
  const get: KubeClient['get'] = (path, settings) => {
    takenAtRequest.push(shelf.objects.size);
    return api.get(path, settings);
  };
  const stream: KubeClient['stream'] = (path, settings) => api.stream(path, settings);
  await using watch = watching(server, pods, shelf, { api: { get, stream } });
  await watch.shelf.until(() => watch.shelf.calls.includes('synced'));
  expect(takenAtRequest).toEqual([0, 0, 500]);
  api.close();
});

test('a list whose continue token expires between two pages starts again, all in one page', async () => {
  await using server = await startKubeApi();
  for (let n = 0; n < 600; n += 1) podsOf(server).create(`pod-${n}`);
  server.setFaults({ expireContinue: true });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.calls.includes('synced'));
  expect(watch.shelf.objects.size).toBe(600);
  expect(server.requests.map(({ query }) => query.get('limit')).slice(0, 3)).toEqual(['500', '500', null]);
  expect(watch.shelf.calls.filter((call) => call.startsWith('put'))).toHaveLength(600);
});

test('a consumer so slow that the server drops it, again and again, gets every object once and in order', async () => {
  await using server = await startKubeApi();
  server.setFaults({ watch: { resetAfterEvents: 30 } });
  class SlowShelf extends Shelf<Pod> {
    override put(key: string, pod: Pod): void {
      const end = performance.now() + 2;
      while (performance.now() < end);
      super.put(key, pod);
    }
  }
  await using watch = watching(server, pods, new SlowShelf());
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  const names = Array.from({ length: 200 }, (_, n) => `pod-${String(n).padStart(3, '0')}`);
  for (const name of names) podsOf(server).create(name);
  await watch.shelf.until(() => watch.shelf.objects.size === 200);
  expect(watch.shelf.calls).toEqual(['synced', ...names.map((name) => `put default/${name}`)]);
});

test('a line cut anywhere, even within a character, is put together again', async () => {
  await using server = await startKubeApi();
  server.setFaults({ watch: { chunkBytes: 1 } });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  podsOf(server).create('ship', { of: 'Zürich — 港' });
  await watch.shelf.until(() => watch.shelf.objects.size === 1);
  expect(watch.shelf.objects.get('default/ship')?.labels).toEqual({ of: 'Zürich — 港' });
});

test('a line that is not JSON is not passed over: a new list follows', async () => {
  await using server = await startKubeApi();
  podsOf(server).create('a');
  server.setFaults({ watch: { garbage: true } });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  podsOf(server).create('b');
  await watch.shelf.until(() => watch.shelf.count('garbled') === 1);
  server.setFaults({});
  await watch.shelf.until(() => watch.shelf.objects.size === 2);
  expect(watch.shelf.count('listed')).toBe(2);
});

test('an object that cannot be read is reported by its field and keeps its last readable state; others go on', async () => {
  await using server = await startKubeApi();
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  podsOf(server).create('poisoned', { tier: 'one' });
  await watch.shelf.until(() => watch.shelf.objects.size === 1);
  podsOf(server).label('poisoned', JSON.parse('{"tier": 2}'));
  podsOf(server).create('healthy');
  await watch.shelf.until(() => watch.shelf.objects.has('default/healthy'));
  expect(watch.shelf.notices).toContainEqual(
    expect.objectContaining({
      type: 'malformed',
      key: 'default/poisoned',
      problem: expect.objectContaining({ message: 'metadata.labels[tier] should be a string, not 2' }),
    }),
  );
  expect(watch.shelf.objects.get('default/poisoned')?.labels).toEqual({ tier: 'one' });
  podsOf(server).delete('poisoned');
  await watch.shelf.until(() => !watch.shelf.objects.has('default/poisoned'));
});

test('a sink that throws ends the watch with that error', async () => {
  await using server = await startKubeApi();
  podsOf(server).create('a');
  class BrokenShelf extends Shelf<Pod> {
    override put(): void {
      throw new Error('a bug of ours');
    }
  }
  await using watch = watching(server, pods, new BrokenShelf());
  await expect(watch.done).rejects.toThrow('a bug of ours');
});

test('Retry-After is honoured when it is longer than the backoff', async () => {
  await using server = await startKubeApi();
  server.setFaults({ refuse: { status: 429, retryAfterSeconds: 7 } });
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.clock.pauses.length === 1);
  expect(watch.clock.pauses).toEqual([7000]);
});

test('a kind that is not served counts as one without objects, until it is served', async () => {
  const none = await startKubeApi({ resources: [] });
  await using watch = watchPods(none);
  await watch.shelf.until(() => watch.shelf.count('not-served') === 1);
  expect(watch.shelf.calls[0]).toBe('synced');
  await none[Symbol.asyncDispose]();
  await using server = await startKubeApi({ port: none.port });
  podsOf(server).create('a');
  await watch.shelf.until(() => watch.shelf.objects.size === 1);
});

test('a watch with a label selector sees an object come and go as its labels change', async () => {
  await using server = await startKubeApi();
  podsOf(server).create('a');
  await using watch = watchPods(server, { labelSelector: 'tier=db' });
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  podsOf(server).label('a', { tier: 'db' });
  podsOf(server).label('a', { tier: 'web' });
  await watch.shelf.until(() => watch.shelf.calls.length === 3);
  expect(watch.shelf.calls).toEqual(['synced', 'put default/a', 'remove default/a']);
});

test('a server restored from a backup, which counts from further back, is listed anew', async () => {
  const newer = await startKubeApi();
  for (let n = 0; n < 50; n += 1) podsOf(newer).create(`pod-${n}`);
  await using watch = watchPods(newer);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  await newer[Symbol.asyncDispose]();
  await using restored = await startKubeApi({ port: newer.port });
  podsOf(restored).create('pod-0');
  await watch.shelf.until(() => watch.shelf.objects.size === 1);
  expect(watch.shelf.keys).toEqual(['default/pod-0']);
});

test('an aborted watch ends at once and leaves no connection', async () => {
  await using server = await startKubeApi();
  await using watch = watchPods(server);
  await watch.shelf.until(() => watch.shelf.count('opened') === 1);
  watch.stop();
  await watch.done;
  expect(watch.clock.limits).toEqual([]);
});

function listsOf(server: KubeApi): number {
  return server.requests.filter(({ query }) => query.get('watch') === null).length;
}

function watchQueries(server: KubeApi): URLSearchParams[] {
  return server.requests.filter(({ query }) => query.get('watch') === 'true').map(({ query }) => query);
}
