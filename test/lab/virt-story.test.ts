import { expect, test } from 'vitest';
import type { ClusterView } from '#test/lab/virt/cluster-view.ts';
import type { KubeObject, MigrationPhase, Pod } from '#test/lab/virt/objects.ts';
import { type PlayedCluster, startPlayedCluster } from '#test/lab/virt/played-cluster.ts';
import { recordedVersions, type Story, storyOf } from '#test/lab/virt/story.ts';

// What virt-controller and virt-handler of the lab write, beside recordings of KubeVirt 1.9.0 (test/fixtures/kubevirt-traces).

test('a VM boots as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '01-boot');
  expectStory(cluster, '01-boot');
});

test('a pre-copy migration succeeds as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '02-precopy-success');
  await migrate(cluster);
  await cluster.until((view) => vmi(view)?.status.migrationState?.targetNodeDomainDetected === true);
  cluster.hypervisor.migrationFrom(podOn(cluster, 'node-a')).arrive();
  await untilMigrationIsOver(cluster);
  expectStory(cluster, '02-precopy-success');
});

test('a target pod that dies before the hand-off fails the migration as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '04-target-dies-before-handoff');
  const kubelet = cluster.kubelet('node-b');
  kubelet.isStuck = true;
  await migrate(cluster);
  await untilPhase(cluster, 'Scheduling');
  await cluster.until((view) => podIn(view, 'node-b')?.status?.containerStatuses !== undefined);
  kubelet.launcherExited(podUidOn(cluster, 'node-b'), 1);
  await untilMigrationIsOver(cluster);
  expectStory(cluster, '04-target-dies-before-handoff');
});

test('a target pod that dies before it can be reached fails the migration as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '05-target-dies-in-preparingtarget');
  const release = cluster.hold('launcher:attach', { name: 'virt-launcher' });
  await migrate(cluster);
  await untilPhase(cluster, 'PreparingTarget');
  cluster.kubelet('node-b').launcherExited(podUidOn(cluster, 'node-b'), 1);
  await untilMigrationIsOver(cluster);
  release();
  expectStory(cluster, '05-target-dies-in-preparingtarget');
});

test('a target pod that dies before the source begins fails the migration as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '06-target-dies-in-targetready');
  const release = cluster.hold('launcher:migrate');
  await migrate(cluster);
  await untilPhase(cluster, 'TargetReady');
  cluster.kubelet('node-b').launcherExited(podUidOn(cluster, 'node-b'), 1);
  await untilMigrationIsOver(cluster);
  release();
  expectStory(cluster, '06-target-dies-in-targetready');
});

test('a migration whose source reports a failure ends as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '08-source-reports-failure');
  // There, the domain had not yet been seen on the target.
  const incoming = Promise.withResolvers<void>();
  cluster.hypervisor.incomingAllowed = incoming.promise;
  await migrate(cluster);
  await untilPhase(cluster, 'Running');
  incoming.reject(new Error('stuck'));
  await untilMigrationIsOver(cluster);
  expectStory(cluster, '08-source-reports-failure', [
    [/Live migration failed: stuck/g, 'Live migration stuck for 150 seconds and has been aborted'],
  ]);
});

test('a migration that is cancelled before the hand-off ends as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '09-cancel-before-handoff');
  cluster.kubelet('node-b').isStuck = true;
  await migrate(cluster);
  await untilPhase(cluster, 'Scheduling');
  await cluster.until((view) => vmi(view)?.status.activePods?.[podUidOn(cluster, 'node-b')] === 'node-b');
  await cancel(cluster);
  await cluster.until((view) => view.pods(namespace).length === 1 && view.migrations(namespace, 'vm1').length === 0);
  expectStory(cluster, '09-cancel-before-handoff');
});

test('a VM is stopped and started as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '14-stop-start');
  await patchVm(cluster, { spec: { runStrategy: 'Halted' } });
  await cluster.until((view) => vmi(view) === undefined && vm(view)?.status?.created === undefined);
  await cluster.request('PATCH', '/api/v1/nodes/node-a', { spec: { unschedulable: true } });
  await patchVm(cluster, { spec: { runStrategy: 'Always' } });
  await untilReady(cluster);
  expectStory(cluster, '14-stop-start');
});

test('a VM that is deleted during a migration goes as recorded', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster, '16-vm-deleted-during-migration');
  const incoming = Promise.withResolvers<void>();
  cluster.hypervisor.incomingAllowed = incoming.promise;
  await migrate(cluster);
  await untilPhase(cluster, 'Running');
  await cluster.until((view) => vm(view)?.status?.printableStatus === 'Migrating');
  await cluster.request('DELETE', vmPath);
  await cluster.until((view) => vm(view) === undefined && view.migrations(namespace, 'vm1').length === 0);
  incoming.resolve();
  expectStory(cluster, '16-vm-deleted-during-migration');
});

test('a bare VMI migrates as recorded when ready and acknowledgement are one write', async () => {
  await using cluster = await startPlayedCluster({ nodes, readyAndAckAtOnce: true });
  await boot(cluster, '20-bare-vmi-migration');
  await migrate(cluster);
  await cluster.until((view) => vmi(view)?.status.migrationState?.targetNodeDomainDetected === true);
  // Two controllers answer to the same write; there, the migration controller was the faster one.
  const release = cluster.hold('T18');
  cluster.hypervisor.migrationFrom(podOn(cluster, 'node-a')).arrive();
  await cluster.until((view) => readyTimestampOf(podIn(view, 'node-b')) !== undefined);
  release();
  await untilMigrationIsOver(cluster);
  expectStory(cluster, '20-bare-vmi-migration');
});

const nodes = ['node-a', 'node-b', 'node-c'];
const namespace = 'story';
const vmPath = `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachines/vm1`;

/** Creates the VM, or bare VMI, of a recording and waits until its guest runs. */
async function boot(cluster: PlayedCluster, recording: string): Promise<void> {
  const object = recordedVersions(recording)[0]?.object;
  if (!object || !('spec' in object)) throw new Error(`${recording} begins with nothing`);
  await cluster.request('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  await cluster.create({
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...userMetadata(object), name: object.metadata.name, namespace },
    spec: { ...object.spec },
  });
  await untilReady(cluster);
}

function userMetadata({ metadata }: KubeObject) {
  const { labels, annotations } = metadata;
  return { ...(labels && { labels }), ...(annotations && { annotations }) };
}

async function untilReady(cluster: PlayedCluster): Promise<void> {
  await cluster.until((view) => {
    const conditions = vmi(view)?.status.conditions ?? [];
    const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    return isReady && (vm(view)?.status?.ready ?? vm(view) === undefined);
  });
  await cluster.until((view) =>
    view.pods(namespace).every(({ metadata }) => metadata.labels?.['kubevirt.io/nodeName'] !== undefined),
  );
}

async function migrate(cluster: PlayedCluster): Promise<void> {
  await cluster.create({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstanceMigration',
    metadata: { name: 'mig1', namespace },
    spec: { vmiName: 'vm1' },
  });
}

async function cancel(cluster: PlayedCluster): Promise<void> {
  await cluster.request('DELETE', `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachineinstancemigrations/mig1`);
}

async function patchVm(cluster: PlayedCluster, patch: object): Promise<void> {
  await cluster.request('PATCH', vmPath, patch);
}

async function untilPhase(cluster: PlayedCluster, phase: MigrationPhase): Promise<void> {
  await cluster.until((view) => view.migrations(namespace, 'vm1')[0]?.status?.phase === phase);
}

/** The VMIM is let go, the VMI does not name a target any more, and one of two pods is left. */
async function untilMigrationIsOver(cluster: PlayedCluster): Promise<void> {
  await cluster.until((view) => {
    const [migration] = view.migrations(namespace, 'vm1');
    const label = vmi(view)?.metadata.labels?.['kubevirt.io/migrationTargetNodeName'];
    const running = view.pods(namespace).filter(({ status }) => status?.phase === 'Running');
    return (
      migration !== undefined &&
      migration.metadata.finalizers === undefined &&
      label === undefined &&
      running.length === 1
    );
  });
  await cluster.until((view) =>
    view
      .pods(namespace)
      .filter(({ status }) => status?.phase === 'Running')
      .every(({ metadata }) => metadata.labels?.['kubevirt.io/nodeName'] === vmi(view)?.status.nodeName),
  );
}

function expectStory(cluster: PlayedCluster, recording: string, wording: readonly [RegExp, string][] = []): void {
  const played = storyOf(cluster.versions());
  const text = wording.reduce((all, [ours, theirs]) => all.replaceAll(ours, theirs), JSON.stringify(played));
  const reworded: Story = JSON.parse(text);
  expect(reworded).toEqual(storyOf(recordedVersions(recording)));
}

function vm(view: ClusterView) {
  return view.virtualMachine(namespace, 'vm1');
}

function vmi(view: ClusterView) {
  return view.vmi(namespace, 'vm1');
}

function podIn(view: ClusterView, node: string) {
  return view.pods(namespace).find(({ spec }) => spec.nodeName === node);
}

function readyTimestampOf(pod: Pod | undefined): string | undefined {
  return pod?.metadata.annotations?.['kubevirt.io/migration-target-ready-timestamp'];
}

function podOn(cluster: PlayedCluster, node: string): string {
  return podIn(cluster.view, node)?.metadata.name ?? '';
}

function podUidOn(cluster: PlayedCluster, node: string): string {
  return podIn(cluster.view, node)?.metadata.uid ?? '';
}
