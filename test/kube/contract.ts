import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeApi } from '#controller/kube/api.ts';
import * as kinds from '#controller/kube/kinds.ts';
import { type AnyKind, ContractClient, refusal } from './contract-client.ts';
import type { StreamedEvent } from './event-stream.ts';
import { applyManifest, deleteManifest } from './manifest.ts';

/** A server under the contract, to be used as an administrator. */
export interface Contracted {
  readonly api: KubeApi;
  /** Makes the server forget its history so far; a real one does with its first compaction, or has none from before it started. */
  forgetHistory(): void;
}

const configMaps: AnyKind = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true };

/**
 * What our controller and the lab rely on in a Kubernetes API, as tests against any server. The stand-in of the lab and a real
 * kube-apiserver run the same ones, so that the stand-in cannot drift.
 */
export function describeContract(name: string, connect: () => Contracted): void {
  describe(name, () => {
    const namespace = `contract-${randomUUID().slice(0, 8)}`;
    const client = (kind: AnyKind) => new ContractClient(connect().api, kind, namespace);
    const pod = (nodeName?: string) => ({
      spec: { containers: [{ name: 'c', image: 'none' }], ...(nodeName === undefined ? {} : { nodeName }) },
    });
    const vmi = { spec: { domain: { devices: {} } } };
    const claim = { spec: { network: 'default', interface: 'eth0' } };

    beforeAll(async () => {
      await client(kinds.namespaces).create({ name: namespace });
    });
    afterAll(async () => {
      await client(kinds.namespaces).delete(namespace);
      await client(kinds.namespaces).gone(namespace);
    });

    describe('create and get', () => {
      test('a new object has a UID, a version and its time of creation in whole seconds', async () => {
        const made = await client(configMaps).create({ name: 'new' }, { data: { a: '1' } });
        expect(made).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' }, metadata: { namespace } });
        expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
        expect(made.metadata.resourceVersion).toMatch(/^[1-9][0-9]*$/);
        expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(await client(configMaps).get('new')).toEqual(made);
      });

      test('generateName makes a name', async () => {
        const made = await client(configMaps).create({ generateName: 'made-' });
        expect(made.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
      });

      test('refused: a name that is taken, a malformed one, none, and one of another namespace', async () => {
        await client(configMaps).create({ name: 'taken' });
        expect(await refusal(client(configMaps).create({ name: 'taken' }))).toBe('already-exists');
        expect(await refusal(client(configMaps).create({ name: 'Not_A_Name' }))).toBe('invalid');
        expect(await refusal(client(configMaps).create({}))).toBe('invalid');
        expect(await refusal(client(configMaps).create({ name: 'x', namespace: 'default' }))).toBe('refused');
      });

      test('not found: an object, a namespace to create in, a path', async () => {
        expect(await refusal(client(configMaps).get('absent'))).toBe('not-found');
        const elsewhere = new ContractClient(connect().api, configMaps, 'no-such-namespace');
        expect(await refusal(elsewhere.create({ name: 'a' }))).toBe('not-found');
        expect(await refusal(connect().api.get('/apis/hawser.dev/v1alpha1/ships'))).toBe('not-found');
      });
    });

    describe('update', () => {
      test('a PUT on an old version is a conflict, and one without a version overwrites a core object only', async () => {
        const first = await client(configMaps).create({ name: 'put' }, { data: { a: '1' } });
        const second = await client(configMaps).replace({ ...first, data: { a: '2' } });
        expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
        expect(await refusal(client(configMaps).replace({ ...first, data: { a: '3' } }))).toBe('conflict');
        const { resourceVersion: _1, ...versionless } = first.metadata;
        const forced = await connect().api.replace(client(configMaps).path('put'), {
          ...first,
          metadata: versionless,
          data: { a: '4' },
        });
        expect(forced).toMatchObject({ data: { a: '4' } });

        const custom = await client(kinds.ipamClaims).create({ name: 'put' }, claim);
        const { resourceVersion: _2, ...customVersionless } = custom.metadata;
        const path = client(kinds.ipamClaims).path('put');
        expect(await refusal(connect().api.replace(path, { ...custom, metadata: customVersionless }))).toBe('invalid');
      });

      test('a PUT of an object with another UID is a conflict', async () => {
        const made = await client(configMaps).create({ name: 'uid' });
        const other = { ...made, metadata: { ...made.metadata, uid: randomUUID() } };
        expect(await refusal(client(configMaps).replace(other))).toBe('conflict');
      });

      test('a merge patch merges objects, replaces lists and removes with null', async () => {
        await client(kinds.virtualMachineInstances).create(
          { name: 'merge', labels: { a: '1', b: '2' } },
          { spec: { domain: { devices: { interfaces: [{ name: 'x' }, { name: 'y' }] } } } },
        );
        const patched = await client(kinds.virtualMachineInstances).patch('merge', 'merge', {
          metadata: { labels: { a: null, c: '3' } },
          spec: { domain: { devices: { interfaces: [{ name: 'z' }] } } },
        });
        expect(patched.metadata.labels).toEqual({ b: '2', c: '3' });
        expect(patched).toMatchObject({ spec: { domain: { devices: { interfaces: [{ name: 'z' }] } } } });
      });

      test('a JSON patch adds, replaces and removes, with escaped slashes in its paths', async () => {
        await client(kinds.virtualMachineInstances).create(
          { name: 'json', labels: { 'kubevirt.io/nodeName': 'a' } },
          vmi,
        );
        const patched = await client(kinds.virtualMachineInstances).patch('json', 'json', [
          { op: 'test', path: '/metadata/labels', value: { 'kubevirt.io/nodeName': 'a' } },
          { op: 'replace', path: '/metadata/labels/kubevirt.io~1nodeName', value: 'b' },
          { op: 'add', path: '/status', value: { phase: 'Running', activePods: {} } },
          { op: 'add', path: '/status/activePods/uid', value: 'b' },
          { op: 'remove', path: '/status/phase' },
        ]);
        expect(patched).toMatchObject({ metadata: { labels: { 'kubevirt.io/nodeName': 'b' } } });
        expect(patched.status).toEqual({ activePods: { uid: 'b' } });
      });

      test('a JSON patch whose test fails, or which removes what is not there, changes nothing', async () => {
        const before = await client(configMaps).create({ name: 'test' }, { data: { a: '1' } });
        const patches = [
          [
            { op: 'add', path: '/data/b', value: '2' },
            { op: 'test', path: '/data/a', value: '9' },
          ],
          [{ op: 'remove', path: '/data/c' }],
          [{ op: 'replace', path: '/no/such/path', value: '3' }],
        ];
        for (const patch of patches) {
          expect(await refusal(client(configMaps).patch('test', 'json', patch))).toBe('invalid');
        }
        expect(await client(configMaps).get('test')).toEqual(before);
        // RFC 6902 would refuse this one; the API server's library takes it for an add.
        const replaced = await client(configMaps).patch('test', 'json', [
          { op: 'replace', path: '/data/c', value: '3' },
        ]);
        expect(replaced.data).toEqual({ a: '1', c: '3' });
      });

      test('a patch on an old version is a conflict; one that changes nothing keeps the version', async () => {
        const first = await client(configMaps).create({ name: 'noop' }, { data: { a: '1' } });
        const same = await client(configMaps).patch('noop', 'merge', { data: { a: '1' } });
        expect(same.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
        await client(configMaps).patch('noop', 'merge', { data: { a: '2' } });
        const { resourceVersion } = first.metadata;
        expect(
          await refusal(client(configMaps).patch('noop', 'merge', { metadata: { resourceVersion }, data: { a: '3' } })),
        ).toBe('conflict');
      });
    });

    describe('subresources', () => {
      const spec = { spec: { vmiName: 'db' } };

      test('a migration has its status at /status only, and its generation follows the spec', async () => {
        const migrations = client(kinds.virtualMachineInstanceMigrations);
        const made = await migrations.create({ name: 'm' }, { ...spec, status: { phase: 'Running' } });
        expect(made).toMatchObject({ metadata: { generation: 1 } });
        expect(made.status).toBeUndefined();
        const reported = await migrations.patch(
          'm',
          'merge',
          { status: { phase: 'Pending' }, spec: { x: 'y' } },
          'status',
        );
        expect(reported).toMatchObject({ ...spec, status: { phase: 'Pending' }, metadata: { generation: 1 } });
        expect(reported.spec).toEqual(spec.spec);
        const edited = await migrations.patch('m', 'merge', { status: { phase: 'Failed' }, spec: { vmiName: 'web' } });
        expect(edited).toMatchObject({
          spec: { vmiName: 'web' },
          status: { phase: 'Pending' },
          metadata: { generation: 2 },
        });
        const labelled = await migrations.patch('m', 'merge', { metadata: { labels: { a: '1' } } });
        expect(labelled.metadata.generation).toBe(2);
        const replaced = await migrations.replace({ ...labelled, status: { phase: 'Scheduling' } }, 'status');
        expect(replaced).toMatchObject({ status: { phase: 'Scheduling' }, metadata: { labels: { a: '1' } } });
      });

      test('a VMI has no status subresource: its status is written with the rest', async () => {
        const made = await client(kinds.virtualMachineInstances).create(
          { name: 'whole' },
          { ...vmi, status: { phase: 'Pending' } },
        );
        expect(made).toMatchObject({ status: { phase: 'Pending' } });
        const put = await client(kinds.virtualMachineInstances).replace({ ...made, status: { phase: 'Running' } });
        expect(put).toMatchObject({ status: { phase: 'Running' } });
        const patch = client(kinds.virtualMachineInstances).patch('whole', 'merge', { status: {} }, 'status');
        expect(await refusal(patch)).toBe('not-found');
      });

      test('a pod is bound once, and its status is its own', async () => {
        const made = await client(kinds.pods).create({ name: 'bound' }, pod());
        expect(made).toMatchObject({ status: { phase: 'Pending' } });
        const binding = {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: 'bound' },
          target: { kind: 'Node', name: 'node-a' },
        };
        await connect().api.create(client(kinds.pods).path('bound', 'binding'), binding);
        expect(await client(kinds.pods).get('bound')).toMatchObject({ spec: { nodeName: 'node-a' } });
        expect(await refusal(connect().api.create(client(kinds.pods).path('bound', 'binding'), binding))).toBe(
          'conflict',
        );
        const running = await client(kinds.pods).patch(
          'bound',
          'merge',
          { status: { phase: 'Running', podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] } },
          'status',
        );
        expect(running).toMatchObject({ status: { phase: 'Running', podIPs: [{ ip: '10.0.0.9' }] } });
        await client(kinds.pods).delete('bound', { gracePeriodSeconds: 0 });
      });
    });

    describe('manifests', () => {
      const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: { name: applied, namespace: ${namespace} }
data: { a: '1', b: '2' }
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: applied, namespace: ${namespace} }
spec: { runStrategy: Always, template: { spec: { domain: { devices: {} } } } }`;

      test('applied the first time they are created, the second time merged into what is there; then deleted', async () => {
        const [first, vm] = await applyManifest(connect().api, manifest);
        expect(vm).toMatchObject({ spec: { runStrategy: 'Always' } });
        const [second] = await applyManifest(connect().api, manifest.replace("a: '1', ", ''));
        expect(second).toMatchObject({ metadata: { uid: first?.metadata.uid }, data: { a: '1', b: '2' } });
        await deleteManifest(connect().api, manifest);
        await deleteManifest(connect().api, manifest);
        expect(await refusal(client(configMaps).get('applied'))).toBe('not-found');
      });
    });

    describe('delete', () => {
      test('what has no finalizer goes at once; what is gone is not found', async () => {
        await client(configMaps).create({ name: 'gone' });
        await client(configMaps).delete('gone');
        expect(await refusal(client(configMaps).get('gone'))).toBe('not-found');
        expect(await refusal(client(configMaps).delete('gone'))).toBe('not-found');
      });

      test('a finalizer holds an object, marked as deleted, until it is taken off; none can be added meanwhile', async () => {
        const held = await client(kinds.ipamClaims).create({ name: 'held', finalizers: ['hawser.dev/one'] }, claim);
        await client(kinds.ipamClaims).delete('held');
        const marked = await client(kinds.ipamClaims).get('held');
        expect(marked.metadata.deletionTimestamp).toBeDefined();
        expect(marked.metadata.generation).toBe((held.metadata.generation ?? 0) + 1);
        const adding = { metadata: { finalizers: ['hawser.dev/one', 'hawser.dev/two'] } };
        expect(await refusal(client(kinds.ipamClaims).patch('held', 'merge', adding))).toBe('invalid');
        await client(kinds.ipamClaims).patch('held', 'merge', { metadata: { finalizers: [] } });
        expect(await refusal(client(kinds.ipamClaims).get('held'))).toBe('not-found');
      });

      test('a precondition on the UID spares an object made anew', async () => {
        await client(configMaps).create({ name: 'spared' });
        const options = { preconditions: { uid: randomUUID() } };
        expect(await refusal(client(configMaps).delete('spared', options))).toBe('conflict');
      });

      test('a pod on a node is given its grace period, one that is not goes at once', async () => {
        await client(kinds.pods).create({ name: 'unbound' }, pod());
        await client(kinds.pods).delete('unbound');
        expect(await refusal(client(kinds.pods).get('unbound'))).toBe('not-found');

        await client(kinds.pods).create({ name: 'placed' }, pod('node-a'));
        await client(kinds.pods).delete('placed');
        const terminating = await client(kinds.pods).get('placed');
        expect(terminating).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30 } });
        await client(kinds.pods).delete('placed', { gracePeriodSeconds: 0 });
        expect(await refusal(client(kinds.pods).get('placed'))).toBe('not-found');
      });
    });

    describe('garbage collection', () => {
      const ownedBy = (owner: { metadata: { name: string; uid: string } }, blockOwnerDeletion = false) => ({
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: owner.metadata.name,
            uid: owner.metadata.uid,
            blockOwnerDeletion,
          },
        ],
      });

      test('what an object owns goes after it, and what that owns in turn', async () => {
        const owner = await client(configMaps).create({ name: 'owner' });
        const owned = await client(configMaps).create({ name: 'owned', ...ownedBy(owner) });
        await client(configMaps).create({ name: 'owned-in-turn', ...ownedBy(owned) });
        await client(configMaps).delete('owner');
        await client(configMaps).gone('owned');
        await client(configMaps).gone('owned-in-turn');
      });

      test('an owner deleted in the foreground goes last', async () => {
        const owner = await client(configMaps).create({ name: 'last' });
        await client(configMaps).create({ name: 'first', ...ownedBy(owner, true) });
        const { resourceVersion } = await client(configMaps).list();
        await using stream = await client(configMaps).watch({ resourceVersion });
        await client(configMaps).delete('last', { propagationPolicy: 'Foreground' });
        const gone: string[] = [];
        while (gone.length < 2) {
          const event = await stream.next();
          if (event?.type === 'DELETED') gone.push(event.name);
        }
        expect(gone).toEqual(['first', 'last']);
      });

      test('an orphan stays', async () => {
        const owner = await client(configMaps).create({ name: 'parent' });
        await client(configMaps).create({ name: 'orphan', ...ownedBy(owner) });
        await client(configMaps).delete('parent', { propagationPolicy: 'Orphan' });
        await client(configMaps).gone('parent');
        const orphan = await client(configMaps).get('orphan');
        expect(orphan.metadata).not.toHaveProperty('ownerReferences.0');
      });

      test('a namespace takes what is in it along', async () => {
        const name = `${namespace}-2`;
        await client(kinds.namespaces).create({ name });
        const inside = new ContractClient(connect().api, configMaps, name);
        await inside.create({ name: 'inside' });
        await client(kinds.namespaces).delete(name);
        await client(kinds.namespaces).gone(name);
        expect(await refusal(inside.get('inside'))).toBe('not-found');
      });
    });

    describe('list', () => {
      test('pages are of one state, whatever is written between them', async () => {
        for (const name of ['p1', 'p2', 'p3', 'p4', 'p5'])
          await client(kinds.ipamClaims).create({ name, labels: { paged: '' } }, claim);
        const query = { labelSelector: 'paged', limit: 2 };
        const first = await client(kinds.ipamClaims).list(query);
        await client(kinds.ipamClaims).create({ name: 'p6', labels: { paged: '' } }, claim);
        await client(kinds.ipamClaims).delete('p5');
        const second = await client(kinds.ipamClaims).list({ ...query, continue: first.continueToken });
        const third = await client(kinds.ipamClaims).list({ ...query, continue: second.continueToken });
        expect([first.names, second.names, third.names]).toEqual([['p1', 'p2'], ['p3', 'p4'], ['p5']]);
        expect(third.continueToken).toBeUndefined();
        expect(new Set([first, second, third].map(({ resourceVersion }) => resourceVersion)).size).toBe(1);
      });

      test('a continue token that makes no sense is refused', async () => {
        expect(await refusal(client(configMaps).list({ limit: 1, continue: 'nonsense' }))).toBe('refused');
      });

      const selected: [selector: string, names: string[]][] = [
        ['tier=db', ['s1']],
        ['tier==db,zone=a', ['s1']],
        ['tier!=db,in=selection', ['s2', 's3']],
        ['tier in (db, web)', ['s1', 's2']],
        ['tier notin (db),in=selection', ['s2', 's3']],
        ['zone', ['s1']],
        ['!zone,in=selection', ['s2', 's3']],
      ];
      test('labels select', async () => {
        const labels = { in: 'selection' };
        await client(configMaps).create({ name: 's1', labels: { ...labels, tier: 'db', zone: 'a' } });
        await client(configMaps).create({ name: 's2', labels: { ...labels, tier: 'web' } });
        await client(configMaps).create({ name: 's3', labels });
        for (const [labelSelector, names] of selected) {
          expect([labelSelector, (await client(configMaps).list({ labelSelector })).names]).toEqual([
            labelSelector,
            names,
          ]);
        }
      });

      test('fields select: metadata.name of all kinds, spec.nodeName of pods, and no unknown one', async () => {
        await client(kinds.pods).create({ name: 'on-a' }, pod('node-a'));
        await client(kinds.pods).create({ name: 'on-b' }, pod('node-b'));
        expect((await client(kinds.pods).list({ fieldSelector: 'spec.nodeName=node-b' })).names).toEqual(['on-b']);
        expect((await client(kinds.pods).list({ fieldSelector: 'metadata.name=on-a' })).names).toEqual(['on-a']);
        expect(await refusal(client(kinds.pods).list({ fieldSelector: 'spec.colour=red' }))).toBe('refused');
        for (const name of ['on-a', 'on-b']) await client(kinds.pods).delete(name, { gracePeriodSeconds: 0 });
      });
    });

    describe('the kinds our controller watches', () => {
      const watched = Object.values(kinds).filter((value) => typeof value === 'object');
      test.each(watched)('$kind is served', async (kind) => {
        const { resourceVersion } = await client(kind).list();
        await using _stream = await client(kind).watch({ resourceVersion });
      });

      test('a policy is created, changed and deleted', async () => {
        const spec = { podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Ingress'] };
        const made = await client(kinds.networkPolicies).create({ name: 'closed' }, { spec });
        expect(made).toMatchObject({ spec, metadata: { generation: 1 } });
        const policyTypes = ['Ingress', 'Egress'];
        const changed = await client(kinds.networkPolicies).patch('closed', 'merge', { spec: { policyTypes } });
        expect(changed).toMatchObject({ spec: { ...spec, policyTypes }, metadata: { generation: 2 } });
        await client(kinds.networkPolicies).delete('closed');
        expect(await refusal(client(kinds.networkPolicies).get('closed'))).toBe('not-found');
      });
    });

    describe('watch', () => {
      test('from a list on, each change once and in order; a deletion has a version of its own', async () => {
        const { resourceVersion } = await client(kinds.ipamClaims).list();
        await using stream = await client(kinds.ipamClaims).watch({ resourceVersion });
        const made = await client(kinds.ipamClaims).create({ name: 'seen' }, claim);
        const patched = await client(kinds.ipamClaims).patch('seen', 'merge', { metadata: { labels: { a: '1' } } });
        await client(kinds.ipamClaims).delete('seen');
        const events = [await stream.next(), await stream.next(), await stream.next()];
        expect(events.map((event) => event?.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
        expect(events[0]?.object).toMatchObject({ kind: 'IPAMClaim', apiVersion: 'k8s.cni.cncf.io/v1alpha1' });
        expect(events[0]?.resourceVersion).toBe(made.metadata.resourceVersion);
        expect(events[1]?.resourceVersion).toBe(patched.metadata.resourceVersion);
        expect(events[2]?.object).toMatchObject({ metadata: { labels: { a: '1' } } });
        expect(Number(events[2]?.resourceVersion)).toBeGreaterThan(Number(patched.metadata.resourceVersion));
      });

      test('a watch that starts late is told all that it missed', async () => {
        const { resourceVersion } = await client(kinds.ipamClaims).list();
        await client(kinds.ipamClaims).create({ name: 'missed' }, claim);
        await client(kinds.ipamClaims).delete('missed');
        await using stream = await client(kinds.ipamClaims).watch({ resourceVersion });
        expect(await stream.take(2)).toEqual(['ADDED missed', 'DELETED missed']);
      });

      test('without a version it begins with what there is', async () => {
        await client(configMaps).create({ name: 'w1', labels: { begins: '' } });
        await using stream = await client(configMaps).watch({ labelSelector: 'begins' });
        await client(configMaps).create({ name: 'w2', labels: { begins: '' } });
        expect(await stream.take(2)).toEqual(['ADDED w1', 'ADDED w2']);
      });

      test('an object that comes to match a selector is ADDED, one that ceases to is DELETED', async () => {
        const { resourceVersion } = await client(configMaps).list();
        await using stream = await client(configMaps).watch({ resourceVersion, labelSelector: 'tier=fast' });
        await client(configMaps).create({ name: 'moving' });
        await client(configMaps).patch('moving', 'merge', { metadata: { labels: { tier: 'fast' } } });
        const slow = await client(configMaps).patch('moving', 'merge', { metadata: { labels: { tier: 'slow' } } });
        const [added, deleted] = [await stream.next(), await stream.next()];
        expect([added?.type, deleted?.type]).toEqual(['ADDED', 'DELETED']);
        expect(deleted?.object).toMatchObject({ metadata: { labels: { tier: 'fast' } } });
        expect(deleted?.resourceVersion).toBe(slow.metadata.resourceVersion);
      });

      test('timeoutSeconds ends it, cleanly, after a bookmark that is past what was not selected', {
        timeout: 20_000,
      }, async () => {
        const { resourceVersion } = await client(configMaps).list();
        await using stream = await client(configMaps).watch({
          resourceVersion,
          // A real server looks about every second for watches that end within two, and sends those a bookmark.
          timeoutSeconds: 6,
          allowWatchBookmarks: true,
          fieldSelector: 'metadata.name=never-there',
        });
        const { metadata } = await client(configMaps).create({ name: 'not-selected' });
        const bookmarks: StreamedEvent[] = [];
        for (let event = await stream.next(); event !== undefined; event = await stream.next()) bookmarks.push(event);
        expect(new Set(bookmarks.map(({ type }) => type))).toEqual(new Set(['BOOKMARK']));
        expect(bookmarks.at(-1)).toMatchObject({ object: { kind: 'ConfigMap' } });
        expect(Number(bookmarks.at(-1)?.resourceVersion)).toBeGreaterThanOrEqual(Number(metadata.resourceVersion));
      });

      test('from before the history it is refused with 410 in the stream', async () => {
        connect().forgetHistory();
        await using stream = await client(kinds.ipamClaims).watch({ resourceVersion: '1' });
        const event = await stream.next();
        expect(event?.type).toBe('ERROR');
        expect(event?.object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' });
      });
    });

    describe('schemas of custom resources', () => {
      const valid = { topology: 'overlay', subnets: ['10.0.0.0/16'] };
      const networks = (name: string, spec: object) => client(kinds.networks).create({ name }, { spec });

      test('defaults are filled in and unknown fields dropped', async () => {
        const made = await networks('defaults', { ...valid, colour: 'red' });
        expect(made.spec).toEqual({ ...valid, role: 'primary', egress: 'nodeNAT' });
      });

      const wrong: [what: string, spec: object][] = [
        ['a required field is missing', { subnets: ['10.0.0.0/16'] }],
        ['a word is not one of those known', { ...valid, topology: 'mesh' }],
        ['a field is of another type', { ...valid, subnets: '10.0.0.0/16' }],
        ['a number is out of range', { topology: 'underlay', physicalNetwork: 'phys', vlan: 4095 }],
        ['a text is too long', { topology: 'underlay', physicalNetwork: 'p'.repeat(64) }],
        ['a text does not match its pattern', { topology: 'underlay', physicalNetwork: '-phys' }],
        ['a list is too long', { ...valid, guest: { ntp: Array.from({ length: 9 }, () => '10.0.0.1') } }],
        ['something deep down is wrong', { ...valid, guest: { mtu: 100 } }],
      ];
      for (const [what, spec] of wrong) {
        test(`refused: ${what}`, async () => {
          expect(await refusal(networks('wrong', spec))).toBe('invalid');
        });
      }

      test('a change is checked like a new object', async () => {
        await networks('checked', valid);
        const change = client(kinds.networks).patch('checked', 'merge', { spec: { topology: null } });
        expect(await refusal(change)).toBe('invalid');
      });
    });
  });
}
