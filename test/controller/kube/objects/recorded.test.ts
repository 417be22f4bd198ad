import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as kinds from '#controller/kube/kinds.ts';
import type { Pod } from '#controller/kube/objects/pod.ts';
import type { VirtualMachine } from '#controller/kube/objects/virtual-machine.ts';
import type { VirtualMachineInstance } from '#controller/kube/objects/virtual-machine-instance.ts';
import type { VirtualMachineInstanceMigration } from '#controller/kube/objects/virtual-machine-instance-migration.ts';

// Objects as KubeVirt's own virt-controller wrote them on a real API server (test/fixtures/kubevirt-traces).

test('every object of every recording is read', () => {
  const byKind = new Map(
    Object.values(kinds).flatMap((kind) => (typeof kind === 'function' ? [] : [[kind.kind, kind]])),
  );
  let read = 0;
  for (const path of globSync('test/fixtures/kubevirt-traces/*.jsonl')) {
    for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
      const { kind, object } = JSON.parse(line);
      expect(byKind.get(kind)?.trim(object)).toMatchObject({ name: object.metadata.name, uid: object.metadata.uid });
      read += 1;
    }
  }
  expect(read).toBe(574);
});

test('a VM: its NICs, networks and run strategy', () => {
  const vm = recorded<VirtualMachine>('02-precopy-success', 'VirtualMachine', 1, kinds.virtualMachines);
  expect(vm).toEqual({
    namespace: 't02-r7',
    name: 'vm1',
    uid: '117d3dca-99f6-4c19-b73f-1cda5f39e886',
    annotations: {},
    deleting: false,
    interfaces: [{ name: 'default', macAddress: '02:48:57:00:00:01', binding: { kind: 'plugin', name: 'hawser' } }],
    networks: [{ name: 'default', pod: true }],
    runStrategy: 'Always',
  });
});

test('a VMI after a successful migration still tells of it', () => {
  const vmi = recorded<VirtualMachineInstance>(
    '02-precopy-success',
    'VirtualMachineInstance',
    -1,
    kinds.virtualMachineInstances,
  );
  expect(vmi).toMatchObject({ phase: 'Running', deleting: false, isMigrationTarget: false });
  expect(vmi.migrationState).toMatchObject({
    completed: true,
    failed: false,
    abortRequested: false,
    mode: 'PreCopy',
    targetNode: vmi.nodeName,
    targetNodeDomainDetected: true,
  });
  expect(vmi.migrationState?.endTimestamp).toBeGreaterThanOrEqual(vmi.migrationState?.startTimestamp ?? Infinity);
  expect(vmi.owner?.kind).toBe('VirtualMachine');
});

test('a target launcher pod: the marks of its migration, and nothing of what nobody reads', () => {
  const lines = recording('02-precopy-success').filter(({ kind, object }) => {
    return kind === 'Pod' && object.metadata.annotations?.['kubevirt.io/migrationJobName'] !== undefined;
  });
  const pod: Pod = kinds.pods.trim(lines.at(-1)?.object);
  expect(Object.keys(pod.annotations).sort()).toEqual([
    'kubevirt.io/allow-pod-bridge-network-live-migration',
    'kubevirt.io/domain',
    'kubevirt.io/migration-target-ready-timestamp',
    'kubevirt.io/migrationJobName',
  ]);
  expect(pod.owner).toMatchObject({ kind: 'VirtualMachineInstance', name: 'vm1' });
  expect(pod).toMatchObject({ phase: 'Running', finished: false, hostNetwork: false });
});

test('a cancelled migration: deleting, with its abort condition', () => {
  const migrations = recording('09-cancel-before-handoff')
    .filter(({ kind }) => kind === 'VirtualMachineInstanceMigration')
    .map(({ object }): VirtualMachineInstanceMigration => kinds.virtualMachineInstanceMigrations.trim(object));
  expect(migrations[0]).toMatchObject({ phase: '', deleting: false, abortRequested: false, vmiName: 'vm1' });
  expect(migrations.at(-1)).toMatchObject({ phase: 'Failed', deleting: true, abortRequested: true });
});

interface Line {
  readonly kind: string;
  // Recorded JSON: what it holds is what these tests are about.
  readonly object: { readonly metadata: { readonly annotations?: Record<string, string> } };
}

function recording(name: string): Line[] {
  const text = readFileSync(`test/fixtures/kubevirt-traces/${name}.jsonl`, 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** The state of a kind at its `at`-th event, counted from 1, or from the end. */
function recorded<T>(name: string, kind: string, at: number, { trim }: kinds.Kind<T>): T {
  return trim(
    recording(name)
      .filter((line) => line.kind === kind)
      .at(at > 0 ? at - 1 : at)?.object,
  );
}
