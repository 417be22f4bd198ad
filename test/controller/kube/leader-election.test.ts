import { expect, test } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { type ElectionNotice, type LeaderElectionOptions, lead } from '#controller/kube/leader-election.ts';
import { leasePath } from '#controller/kube/lease.ts';
import { type KubeApi as KubeServer, startKubeApi } from '#test/lab/kube-api/server.ts';
import { TestClock } from './test-clock.ts';

test('the first candidate leads, and writes the lease as client-go reads it', async () => {
  await using server = await startKubeApi();
  await using a = candidate(server, 'a');
  await a.leads;
  expect(await a.api.get(leasePath('default', 'hawser'))).toMatchObject({
    spec: {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    },
  });
});

test('a second candidate waits while the first renews, and leads when the first gives up', async () => {
  await using server = await startKubeApi();
  await using a = candidate(server, 'a');
  await a.leads;
  await using b = candidate(server, 'b');
  for (let n = 0; n < 20; n += 1) {
    a.clock.pass(2000);
    await a.until('renewed', n + 1);
    b.clock.pass(2000);
    await b.until('waiting', n + 1);
  }
  expect(b.count('leading')).toBe(0);
  await (await a.leads).release();
  b.clock.pass(2000);
  await b.leads;
  expect(await b.api.get(leasePath('default', 'hawser'))).toMatchObject({
    spec: { holderIdentity: 'b', leaseTransitions: 1 },
  });
});

test('a leader that died is followed when its lease has not changed for its whole length', async () => {
  await using server = await startKubeApi();
  await using a = candidate(server, 'a');
  await a.leads;
  await using b = candidate(server, 'b');
  await b.until('waiting', 1);
  for (let n = 1; n < 8; n += 1) {
    b.clock.pass(2000);
    await b.until('waiting', n + 1);
  }
  expect(b.clock.now()).toBe(14_000);
  b.clock.pass(2000);
  await b.leads;
});

test('a leader that cannot renew stops leading before another may begin', async () => {
  await using server = await startKubeApi();
  await using a = candidate(server, 'a');
  const { lost } = await a.leads;
  server.setFaults({ refuse: { status: 503 } });
  for (let n = 1; n <= 4; n += 1) {
    a.clock.pass(2000);
    await a.until('failed', n);
  }
  expect(lost.aborted).toBe(false);
  a.clock.pass(2000);
  await a.until('lost', 1);
  expect(lost.aborted).toBe(true);
  expect(a.clock.now()).toBeLessThan(15_000);
});

test('a leader whose lease was taken stops leading', async () => {
  await using server = await startKubeApi();
  await using a = candidate(server, 'a');
  const { lost } = await a.leads;
  await a.api.patch(leasePath('default', 'hawser'), 'merge', { spec: { holderIdentity: 'usurper' } });
  for (let n = 0; n < 2; n += 1) {
    a.clock.pass(2000);
    await a.settled();
  }
  await a.until('lost', 1);
  expect(lost.aborted).toBe(true);
  expect(a.notices.at(-1)).toEqual({ type: 'lost', leader: 'usurper' });
});

test('of candidates that start together exactly one leads', async () => {
  await using server = await startKubeApi();
  const candidates = ['a', 'b', 'c', 'd'].map((name) => candidate(server, name));
  await Promise.all(candidates.map((one) => one.settled()));
  expect(candidates.filter((one) => one.count('leading') === 1)).toHaveLength(1);
  for (const one of candidates) await one[Symbol.asyncDispose]();
});

test('a candidate that is stopped before it leads rejects', async () => {
  await using server = await startKubeApi();
  await using a = candidate(server, 'a');
  await a.leads;
  const b = candidate(server, 'b');
  await b.until('waiting', 1);
  await b[Symbol.asyncDispose]();
  await expect(b.leads).rejects.toThrow('stopped');
});

function candidate(server: KubeServer, identity: string, options: Partial<LeaderElectionOptions> = {}) {
  const clock = new TestClock({ longestPauseMs: 0 });
  const api = new KubeApi(loadCredentials({ text: server.kubeconfig() }));
  const end = new AbortController();
  const notices: ElectionNotice[] = [];
  let wake: (() => void) | undefined;
  const leads = lead({
    api,
    namespace: 'default',
    name: 'hawser',
    identity,
    signal: end.signal,
    clock,
    onNotice: (notice) => {
      notices.push(notice);
      wake?.();
    },
    ...options,
  });
  leads.catch(() => undefined);
  const count = (type: ElectionNotice['type']) => notices.filter((notice) => notice.type === type).length;
  const until = async (type: ElectionNotice['type'], times: number): Promise<void> => {
    while (count(type) < times) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    // What follows the notice in the same turn, such as the next pause, has then been done.
    await new Promise(setImmediate);
  };
  /** Resolves when its attempt is over, whatever came of it. */
  const settled = async (): Promise<void> => {
    while (clock.limits.length === 0 && count('lost') === 0) await new Promise(setImmediate);
  };
  return {
    api,
    clock,
    notices,
    leads,
    count,
    until,
    settled,
    [Symbol.asyncDispose]: async () => {
      end.abort(new Error('stopped'));
      await leads.catch(() => undefined);
      api.close();
    },
  };
}
