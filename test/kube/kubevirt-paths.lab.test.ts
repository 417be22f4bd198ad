import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ipamClaims } from '#controller/kube/kinds.ts';
import type { IPAMClaim } from '#controller/kube/objects/ipam-claim.ts';
import { watchKind } from '#controller/kube/watch.ts';
import type { KubeObject } from '#controller/replay/surroundings.ts';
import { Shelf } from '#test/controller/kube/shelf.ts';
import { paths } from '#test/controller/kubevirt/paths.ts';
import { recording } from '#test/controller/recordings.ts';
import { whyNoKube } from './assets.ts';
import { type Bed, startBed } from './kubevirt-paths/bed.ts';
import { type PathOnServer, PlayedPath } from './kubevirt-paths/played-path.ts';

// Every path KubeVirt takes (test/controller/kubevirt/paths.ts and the recorded ones), event by event on a real API server. The paths
// go side by side, an event each at a time, each in namespaces of its own.

const nodes = ['a', 'b', 'c', 'node-a', 'node-b', 'node-c'];

const networks = [
  { metadata: { name: 'default' }, spec: { topology: 'overlay', subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] } },
  {
    metadata: { name: 'blue' },
    spec: { topology: 'overlay', role: 'secondary', subnets: ['10.9.0.0/24'], namespaceSelector: {} },
  },
];

const written = Object.entries(paths).map(([name, { events, steps }]): PathOnServer => ({ name, events, steps }));

const recorded = readdirSync(new URL('../fixtures/kubevirt-traces', import.meta.url))
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.replace('.jsonl', ''))
  .map((name): PathOnServer => ({ name, events: recording(name) }));

/** With namespaces, MAC addresses and a migrationID that no other path has. */
function apart({ name, ...path }: PathOnServer, n: number): PathOnServer {
  const text = JSON.stringify(path)
    .replaceAll(/\b(shop|here|there)\b/g, `$1-${n}`)
    .replaceAll('"migrationID":"m1"', `"migrationID":"m1-${n}"`)
    .replaceAll('02:48:57:00:00:', `02:48:57:00:${n.toString(16).padStart(2, '0')}:`);
  return { name, ...JSON.parse(text) };
}

const why = whyNoKube();
if (why !== undefined) console.warn(`KubeVirt's paths on a real API server: skipped, because ${why}`);

describe.skipIf(why !== undefined)("KubeVirt's paths on a real API server", () => {
  let bed: Bed;
  let played: readonly PlayedPath[];

  beforeAll(async () => {
    bed = await startBed(nodes);
    const { api } = bed;
    const surroundings: KubeObject[] = [];
    for (const network of networks) {
      const object = { apiVersion: 'hawser.dev/v1alpha1', kind: 'ClusterNetwork', ...network };
      surroundings.push({
        ...object,
        ...Object(await api.create('/apis/hawser.dev/v1alpha1/clusternetworks', object)),
      });
    }
    for (const node of nodes) surroundings.push({ kind: 'Node', ...Object(await api.get(`/api/v1/nodes/${node}`)) });
    played = [...written, ...recorded].map(apart).map((path) => new PlayedPath(path, { ...bed, surroundings }));
    const namespaces = played.flatMap((path) => path.namespaces);
    await Promise.all(namespaces.map((name) => api.create('/api/v1/namespaces', namespaceOf(name))));
  }, 30 * 60_000);
  afterAll(() => bed?.[Symbol.asyncDispose]());

  test('after each event, and after restarts between them, the rows are what a replay says', {
    timeout: 240_000,
  }, async () => {
    for (let round = 1; played.some((path) => !path.isOver); round += 1) {
      const under = played.filter((path) => !path.isOver);
      await Promise.all(under.map((path) => path.step()));
      expect(bed.northbound.sharedAddresses()).toEqual([]);
      // At every other event: it costs as much as an event of each path. test/controller/kubevirt/paths.test.ts does so at each.
      if (round % 2 === 0) continue;
      bed.northbound.takeChanges();
      await bed.restartController();
      await Promise.all(played.map((path) => path.expectRows('after a restart')));
      expect(bed.northbound.takeChanges(), 'at the restart').toEqual([]);
    }
    expect(bed.errors).toEqual([]);
  });

  test('no port was anywhere else in between', () => {
    for (const path of played) {
      const { found, replayed, written } = path.steps();
      expect(found, path.name).toEqual(replayed);
      if (written !== undefined) expect(found, path.name).toEqual(written);
    }
  });

  test('when all of it is deleted, nothing stays of it', async () => {
    await Promise.all(played.map((path) => path.clear()));
    const shelf = new Shelf<IPAMClaim>();
    const end = new AbortController();
    const done = watchKind(ipamClaims, shelf, { api: bed.api, signal: end.signal });
    await shelf.until(() => shelf.calls.includes('synced') && shelf.objects.size === 0);
    end.abort();
    await done;
    expect(bed.errors).toEqual([]);
  });
});

function namespaceOf(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
