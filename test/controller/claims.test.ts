import { expect, test } from 'vitest';
import { ClaimKeeper } from '#controller/claims.ts';
import { Tables } from '#controller/features/tables.ts';
import type { WantedClaim } from '#controller/ipam/allocator.ts';
import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { ipamClaims, pathOf, virtualMachines } from '#controller/kube/kinds.ts';
import { listNow } from '#controller/kube/list-now.ts';
import { Writer } from '#controller/kube/writes.ts';
import { apiObject } from '#test/kube/api-object.ts';
import { startKubeApi } from '#test/lab/kube-api/server.ts';

const place = { namespace: 'default', name: 'db.default' };
const key = 'default/db.default';
const ownerPlace = { namespace: 'default', name: 'db' };

/** A Kubernetes API, and controllers of which each sees what the test shows it: `catchUp` is what its watch would do. */
async function bed() {
  const server = await startKubeApi();
  const api = new KubeApi(loadCredentials({ text: server.kubeconfig() }));
  const end = new AbortController();
  // The claim's owner is there, or the garbage collector would take the claim.
  const { metadata } = apiObject(
    await api.create(pathOf(virtualMachines, { namespace: ownerPlace.namespace }), {
      apiVersion: virtualMachines.apiVersion,
      kind: virtualMachines.kind,
      metadata: ownerPlace,
      spec: { template: { spec: { domain: { devices: {} } } } },
    }),
  );
  const before = server.requests.length;
  const owner = { kind: virtualMachines.kind, ...ownerPlace, uid: metadata.uid };
  return {
    owner,
    wanted: (...ips: string[]): WantedClaim => ({ ...place, network: 'default', interface: 'eth0', owner, ips }),
    async claim() {
      const json: unknown = await api.get(pathOf(ipamClaims, place));
      return json;
    },
    replace: (body: object) => api.replace(pathOf(ipamClaims, place), body),
    api,
    requests: () =>
      server.requests.slice(before).map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`),
    controller({ mayWrite = (): boolean => true } = {}) {
      const tables = new Tables();
      const writer = new Writer({ api, signal: end.signal, perSecond: 1000, burst: 1000, mayWrite });
      const isSettled = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
      const keeper = new ClaimKeeper({
        tables,
        writer,
        sleep: isSettled,
        isWanted: () => true,
        onAbandoned: () => {},
        onFailure: () => {},
        now: () => Date.parse('2026-01-01T00:00:00Z'),
      });
      return {
        keeper,
        tables,
        async catchUp() {
          for await (const claim of listNow(api, ipamClaims, end.signal)) tables.claims.put(key, claim);
        },
        async idle() {
          do await isSettled();
          while (writer.pending > 0);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      api.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

type Bed = Awaited<ReturnType<typeof bed>>;

/** The claim as the controller that has made it finds it. */
async function foundClaim(it: Bed, { keeper, tables, catchUp, idle }: ReturnType<Bed['controller']>) {
  keeper.start();
  keeper.ensure([it.wanted('10.0.0.5/16')]);
  await idle();
  await catchUp();
  await idle();
  const found = tables.claims.get(key);
  if (found === undefined) throw new Error('there is no claim');
  return found;
}

test('a claim is made, and given its addresses in the version that has none', async () => {
  await using it = await bed();
  const { keeper, catchUp, idle } = it.controller();
  keeper.start();
  keeper.ensure([it.wanted('10.0.0.5/16')]);
  await idle();
  await catchUp();
  await idle();
  await catchUp();
  await idle();
  expect(await it.claim()).toMatchObject({
    metadata: { finalizers: ['hawser.dev/addresses-in-use'], ownerReferences: [{ name: 'db', uid: it.owner.uid }] },
    spec: { network: 'default', interface: 'eth0' },
    status: { ips: ['10.0.0.5/16'], conditions: [{ type: 'IPsAllocated', status: 'True' }] },
  });
  expect(it.requests().filter((request) => !request.startsWith('GET'))).toEqual([
    'POST default/ipamclaims',
    'PATCH db.default/status',
  ]);
});

test('addresses that a deposed leader sends late do not take the place of its successor’s', async () => {
  await using it = await bed();
  const deposed = it.controller();
  deposed.keeper.start();
  deposed.keeper.ensure([it.wanted('10.0.0.5/16')]);
  await deposed.idle();
  const successor = it.controller();
  await successor.catchUp();
  // The deposed leader has read the claim without addresses, and was stopped before it filled them in.
  const late = [...successor.tables.claims.rows().values()];
  successor.keeper.start();
  successor.keeper.ensure([it.wanted('10.0.0.9/16')]);
  await successor.idle();
  for (const claim of late) deposed.tables.claims.put(key, claim);
  await deposed.idle();
  expect(await it.claim()).toMatchObject({ status: { ips: ['10.0.0.9/16'] } });
});

test('nothing is written before it is started, nor when another may lead', async () => {
  await using it = await bed();
  const standby = it.controller();
  standby.keeper.ensure([it.wanted('10.0.0.5/16')]);
  const stopped = it.controller({ mayWrite: () => false });
  stopped.keeper.start();
  stopped.keeper.ensure([it.wanted('10.0.0.5/16')]);
  await Promise.all([standby.idle(), stopped.idle()]);
  expect(it.requests()).toEqual([]);
});

test('a claim whose addresses another has says so in its condition, and that it is over', async () => {
  await using it = await bed();
  const { keeper, tables, catchUp, idle } = it.controller();
  keeper.start();
  keeper.ensure([it.wanted('10.0.0.5/16')]);
  for (let turns = 0; turns < 2; turns += 1) {
    await idle();
    await catchUp();
  }
  tables.claimConditions.put(key, { conflict: '10.0.0.5 is taken by pod/default/web' });
  await idle();
  expect(await it.claim()).toMatchObject({
    status: {
      ips: ['10.0.0.5/16'],
      conditions: [{ status: 'False', reason: 'AddressConflict', message: '10.0.0.5 is taken by pod/default/web' }],
    },
  });
  await catchUp();
  expect(tables.claims.get(key)?.conflict).toBe('10.0.0.5 is taken by pod/default/web');
  tables.claimConditions.put(key, {});
  await idle();
  expect(await it.claim()).toMatchObject({ status: { conditions: [{ status: 'True' }] } });
});

test('a claim that was made anew under the same name is not let go for the one before', async () => {
  await using it = await bed();
  const controller = it.controller();
  const { tables, idle } = controller;
  const found = await foundClaim(it, controller);
  tables.claims.put(key, { ...found, uid: 'the one before' });
  tables.releasedClaims.put(key, { ...place, finalizers: [] });
  await idle();
  expect(await it.claim()).toMatchObject({ metadata: { finalizers: ['hawser.dev/addresses-in-use'] } });
});

test('a claim whose NIC is gone is deleted, once', async () => {
  await using it = await bed();
  const controller = it.controller();
  const { tables, catchUp, idle } = controller;
  const found = await foundClaim(it, controller);
  tables.claims.put(key, { ...found, deleting: false });
  tables.outlivedClaims.put(key, 'unplugged');
  await idle();
  await catchUp();
  await idle();
  expect(it.requests().filter((request) => request.startsWith('DELETE'))).toEqual(['DELETE ipamclaims/db.default']);
  expect(await it.claim()).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
});
