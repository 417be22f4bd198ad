import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { LeaderElection } from '#controller/leader-election.ts';
import { startKubeApi } from '#test/lab/kube-api/server.ts';

/** Candidates against a Kubernetes API, with a clock that only `sleep` moves. */
async function bed() {
  const server = await startKubeApi();
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'lab', server: server.url, skipTLSVerify: true }, { name: 'nobody' });
  const api = new KubeApi(config);
  let now = Date.parse('2026-01-01T00:00:00Z');
  const candidate = (identity: string, signal = new AbortController().signal) =>
    new LeaderElection({
      api,
      namespace: 'kube-system',
      name: 'hawser-controller',
      identity,
      now: () => now,
      sleep: async (milliseconds) => {
        now += milliseconds;
      },
      signal,
    });
  return {
    candidate,
    get now() {
      return now;
    },
    pass(milliseconds: number) {
      now += milliseconds;
    },
    lease: () => api.get('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/hawser-controller'),
    delete: () => api.delete('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/hawser-controller'),
    async [Symbol.asyncDispose]() {
      api.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('the first candidate leads at once, and the next one when the Lease has not been renewed for its duration', async () => {
  await using it = await bed();
  const began = it.now;
  expect(await it.candidate('a').elected()).toEqual({ number: 1, identity: 'a' });
  expect(it.now).toBe(began);
  expect(await it.candidate('b').elected()).toEqual({ number: 2, identity: 'b' });
  expect(it.now - began).toBeGreaterThanOrEqual(15_000);
});

test('a leader that stops gives the Lease back, and the next one leads at once', async () => {
  await using it = await bed();
  const stop = new AbortController();
  const first = it.candidate('a', stop.signal);
  await first.elected();
  stop.abort();
  await first.lost();
  const before = it.now;
  expect(await it.candidate('b').elected()).toEqual({ number: 2, identity: 'b' });
  expect(it.now).toBe(before);
});

test('a leader whose Lease another one has taken learns it, and cannot outrank it', async () => {
  await using it = await bed();
  const first = it.candidate('a');
  await first.elected();
  await it.candidate('b').elected();
  await first.lost();
  expect(await first.outrank(5)).toBeUndefined();
});

test('so does one that had taken it from another, and one whose Lease was deleted', async () => {
  await using it = await bed();
  await it.candidate('a').elected();
  const second = it.candidate('b');
  await second.elected();
  const third = it.candidate('c');
  await third.elected();
  await second.lost();
  await it.delete();
  await third.lost();
  expect([second.isLeading, third.isLeading]).toEqual([false, false]);
});

test('after the Lease was deleted the new leader counts from one, and goes above the term it is shown', async () => {
  await using it = await bed();
  await it.candidate('a').elected();
  await it.delete();
  const second = it.candidate('b');
  expect(await second.elected()).toEqual({ number: 1, identity: 'b' });
  expect(await second.outrank(7)).toEqual({ number: 8, identity: 'b' });
});

test('a leader is certain to lead for ten of the fifteen seconds of its Lease, and a candidate never', async () => {
  await using it = await bed();
  const [leader, other] = [it.candidate('a'), it.candidate('b')];
  const certain = () => [leader.isLeading, other.isLeading];
  expect(certain()).toEqual([false, false]);
  await leader.elected();
  it.pass(9_900);
  expect(certain()).toEqual([true, false]);
  it.pass(100);
  expect(certain()).toEqual([false, false]);
});

test('of candidates that start together exactly one leads, by a Lease as client-go reads it', async () => {
  await using it = await bed();
  const terms: string[] = [];
  const candidates = ['a', 'b', 'c', 'd'].map((name) => {
    const stop = new AbortController();
    const elected = it.candidate(name, stop.signal).elected();
    void elected.then((term) => {
      if (term !== undefined) terms.push(term.identity);
    });
    return { stop, elected };
  });
  await Promise.race(candidates.map(({ elected }) => elected));
  for (const { stop } of candidates) stop.abort();
  await Promise.all(candidates.map(({ elected }) => elected));
  expect(terms).toHaveLength(1);
  expect(await it.lease()).toMatchObject({
    spec: {
      holderIdentity: terms[0],
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
      renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    },
  });
});
