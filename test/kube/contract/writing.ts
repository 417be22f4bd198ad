import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as kinds from '#controller/kube/kinds.ts';
import { ContractClient, refusal } from '../contract-client.ts';
import { applyManifest, deleteManifest } from '../manifest.ts';
import { configMaps, type Ground } from './ground.ts';

/** How objects are made and changed. */
export function describeWriting({ client, connect, namespace, pod, vmi, claim }: Ground): void {
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
      const replaced = await client(configMaps).patch('test', 'json', [{ op: 'replace', path: '/data/c', value: '3' }]);
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
}
