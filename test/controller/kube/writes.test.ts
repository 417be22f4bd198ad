import { expect, test } from 'vitest';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { ipamClaims, pathOf } from '#controller/kube/kinds.ts';
import { type Place, Writer, type WriterOptions } from '#controller/kube/writes.ts';
import { type KubeApi as KubeServer, startKubeApi } from '#test/lab/kube-api/server.ts';
import { TestClock } from './test-clock.ts';

const claim: Place = { kind: ipamClaims, namespace: 'default', name: 'db.default' };
const body = {
  apiVersion: 'k8s.cni.cncf.io/v1alpha1',
  kind: 'IPAMClaim',
  metadata: { name: claim.name },
  spec: { network: 'default', interface: 'eth0' },
};

test('a claim is made and then given its addresses, in this order', async () => {
  await using server = await startKubeApi();
  await using writing = writingTo(server);
  const results = await Promise.all([
    writing.writer.write(claim, { verb: 'create', body }),
    writing.writer.write(claim, { verb: 'patchStatus', body: { status: { ips: ['10.0.0.5/16'], ownerPod: '' } } }),
  ]);
  expect(results).toEqual([{ type: 'written' }, { type: 'written' }]);
  expect(await writing.api.get(pathOf(ipamClaims, claim))).toMatchObject({
    spec: body.spec,
    status: { ips: ['10.0.0.5/16'] },
  });
});

test('patches that wait for the same object become one, and each caller hears of it', async () => {
  await using server = await startKubeApi();
  await using writing = writingTo(server);
  const { writer, api } = writing;
  const created = writer.write(claim, { verb: 'create', body });
  const patches = [
    { metadata: { labels: { a: '1', b: '1' } } },
    { metadata: { labels: { a: null } } },
    { metadata: { labels: { c: '3' } } },
  ].map((patch) => writer.write(claim, { verb: 'patch', body: patch }));
  await Promise.all([created, ...patches]);
  expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
  expect(await api.get(pathOf(ipamClaims, claim))).toMatchObject({ metadata: { labels: { b: '1', c: '3' } } });
});

test('a deletion makes the writes that wait before it needless, and what is gone already counts as deleted', async () => {
  await using server = await startKubeApi();
  await using writing = writingTo(server);
  const results = await Promise.all([
    writing.writer.write(claim, { verb: 'create', body }),
    writing.writer.write(claim, { verb: 'patch', body: { metadata: { labels: { a: '1' } } } }),
    writing.writer.write(claim, { verb: 'delete' }),
  ]);
  expect(results.map(({ type }) => type)).toEqual(['superseded', 'superseded', 'written']);
  expect(server.requests.map(({ method }) => method)).toEqual(['DELETE']);
});

test('a deletion by UID spares a new object of the same name', async () => {
  await using server = await startKubeApi();
  await using writing = writingTo(server);
  await writing.writer.write(claim, { verb: 'create', body });
  const result = await writing.writer.write(claim, { verb: 'delete', uid: 'of-an-earlier-one' });
  expect(result).toMatchObject({ type: 'failed', error: { code: 'conflict' } });
  expect(server.requests).toHaveLength(2);
});

test('the weather is waited out, and Retry-After with it', async () => {
  await using server = await startKubeApi();
  server.setFaults({ refuse: { status: 503, retryAfterSeconds: 3 } });
  await using writing = writingTo(server, {
    onNotice: ({ type }) => {
      if (type === 'retry' && writing.clock.pauses.length === 2) server.setFaults({});
    },
  });
  expect(await writing.writer.write(claim, { verb: 'create', body })).toEqual({ type: 'written' });
  expect(writing.clock.pauses).toEqual([3000, 3000, 3000]);
});

test('what asking again does not mend is told to the caller at once', async () => {
  await using server = await startKubeApi();
  await using writing = writingTo(server);
  await writing.writer.write(claim, { verb: 'create', body });
  const again = await writing.writer.write(claim, { verb: 'create', body });
  const absent = await writing.writer.write({ ...claim, name: 'other' }, { verb: 'patch', body: {} });
  expect(again).toMatchObject({ type: 'failed', error: { code: 'already-exists', status: 409 } });
  expect(absent).toMatchObject({ type: 'failed', error: { code: 'not-found', status: 404 } });
  expect(writing.clock.pauses).toEqual([]);
});

test('writes of many objects keep to the rate, with the burst at once', async () => {
  await using server = await startKubeApi();
  await using writing = writingTo(server, { perSecond: 10, burst: 3 });
  const names = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(
    names.map((name) =>
      writing.writer.write({ ...claim, name }, { verb: 'create', body: { ...body, metadata: { name } } }),
    ),
  );
  expect(writing.clock.pauses).toEqual([100, 200]);
});

test('a writer that is stopped fails what waits, and writes nothing more', async () => {
  await using server = await startKubeApi();
  server.setFaults({ refuse: { status: 503 } });
  await using writing = writingTo(server, {
    onNotice: ({ type }) => {
      if (type === 'retry') writing.stop();
    },
  });
  const result = await writing.writer.write(claim, { verb: 'create', body });
  expect(result).toMatchObject({ type: 'failed' });
  expect(writing.writer.pending).toBe(0);
});

function writingTo(server: KubeServer, options: Partial<WriterOptions> = {}) {
  const clock = new TestClock();
  const end = new AbortController();
  const api = new KubeApi(loadCredentials({ text: server.kubeconfig() }));
  const writer = new Writer({ api, signal: end.signal, perSecond: 1000, burst: 1000, clock, ...options });
  return {
    writer,
    api,
    clock,
    stop: () => end.abort(),
    [Symbol.asyncDispose]: async () => {
      end.abort();
      api.close();
    },
  };
}
