import { expect, test } from 'vitest';
import type { ClusterView } from '#test/lab/virt/cluster-view.ts';
import { type PlayedCluster, startPlayedCluster } from '#test/lab/virt/played-cluster.ts';

// What no recording shows: cancelling after the hand-off, post-copy, migrations in a row, and controllers that are restarted.

test('a migration that is cancelled while it runs is aborted by the source and goes', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster);
  await migrate(cluster, 'mig1');
  await untilRunning(cluster, 'mig1');
  await cancel(cluster, 'mig1');
  await cluster.until((view) => migration(view, 'mig1') === undefined && labelOf(view) === undefined);
  await cluster.until((view) => phasesOfPods(view).join() === 'Running,Succeeded');

  const { nodeName, migrationState } = vmi(cluster.view)?.status ?? {};
  expect(nodeName).toBe('node-a');
  expect(migrationState).toMatchObject({
    ...{ abortRequested: true, abortStatus: 'Succeeded', failed: true, completed: true, mode: 'PreCopy' },
    failureReason: 'Live migration has been aborted',
  });
});

test('a migration that is cancelled too late succeeds and goes', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster);
  const release = cluster.hold('launcher:cancel');
  await migrate(cluster, 'mig1');
  await untilRunning(cluster, 'mig1');
  await cancel(cluster, 'mig1');
  await cluster.until((view) => vmi(view)?.status.migrationState?.abortRequested === true);
  cluster.hypervisor.migrationFrom(podOn(cluster, 'node-a')).arrive();
  release();
  await cluster.until((view) => migration(view, 'mig1') === undefined && labelOf(view) === undefined);

  const { nodeName, migrationState } = vmi(cluster.view)?.status ?? {};
  expect(nodeName).toBe('node-b');
  expect(migrationState).toMatchObject({ abortRequested: true, completed: true });
  expect(migrationState?.failed).toBeUndefined();
});

test('a migration that takes too long goes on by post-copy: the guest is ready on the target before it ends', async () => {
  await using cluster = await startPlayedCluster({ nodes, configuration: () => quickPostCopy });
  await boot(cluster);
  await migrate(cluster, 'mig1');
  await cluster.until((view) => vmi(view)?.status.migrationState?.mode === 'PostCopy');
  await cluster.until((view) => vmi(view)?.status.migrationState?.targetNodeDomainReadyTimestamp !== undefined);
  await cluster.until((view) => readyTimestampOn(view, 'node-b') !== undefined);
  expect(vmi(cluster.view)?.status.migrationState?.endTimestamp).toBeUndefined();
  expect(vmi(cluster.view)?.status.nodeName).toBe('node-a');

  cluster.hypervisor.migrationFrom(podOn(cluster, 'node-a')).arrive();
  await untilSucceeded(cluster, 'mig1');
  expect(vmi(cluster.view)?.status).toMatchObject({ nodeName: 'node-b', migrationState: { mode: 'PostCopy' } });
});

test('a guest that is lost in post-copy is replaced by a new one', async () => {
  await using cluster = await startPlayedCluster({ nodes, configuration: () => quickPostCopy });
  await boot(cluster);
  const uid = vmi(cluster.view)?.metadata.uid;
  await migrate(cluster, 'mig1');
  await cluster.until((view) => vmi(view)?.status.migrationState?.mode === 'PostCopy');
  cluster.hypervisor.migrationFrom(podOn(cluster, 'node-a')).fail('the network is gone');
  await cluster.until((view) => vmi(view)?.status.phase === 'Running' && vmi(view)?.metadata.uid !== uid);

  const phases = cluster
    .versions()
    .flatMap(({ object }) =>
      object.kind === 'VirtualMachineInstance' && object.metadata.uid === uid ? [object.status.phase] : [],
    );
  expect(phases.at(-1)).toBe('Failed');
  expect(migration(cluster.view, 'mig1')).toBeUndefined();
});

test('a guest goes round all nodes and home again, and leaves a completed pod on each', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster);
  for (const [index, node] of ['node-b', 'node-c', 'node-a'].entries()) {
    const name = `mig${index}`;
    await migrate(cluster, name, node);
    const from = vmi(cluster.view)?.status.migrationState?.targetPod ?? podOn(cluster, 'node-a');
    await untilDetected(cluster, name);
    cluster.hypervisor.migrationFrom(from).arrive();
    await untilSucceeded(cluster, name);
    expect(vmi(cluster.view)?.status.nodeName).toBe(node);
  }
  await cluster.until((view) => phasesOfPods(view).join() === 'Running,Succeeded,Succeeded,Succeeded');
});

test.for(['T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T9', 'T11', 'T14', 'T18', 'T18b'])(
  'virt-controller can be restarted at step %s of a migration',
  async (step) => {
    await using cluster = await startPlayedCluster({ nodes });
    await boot(cluster);
    const reached = cluster.untilStep(step);
    const release = cluster.hold(step);
    await migrate(cluster, 'mig1');
    const arrival = untilDetected(cluster, 'mig1').then(() =>
      cluster.hypervisor.migrationFrom(podOn(cluster, 'node-a')).arrive(),
    );
    await reached;
    await cluster.restartVirtController(release);
    await arrival;
    await untilSucceeded(cluster, 'mig1');
    expect(vmi(cluster.view)?.status.nodeName).toBe('node-b');
    expect(readyTimestampOn(cluster.view, 'node-b')).toBeDefined();
  },
);

test('of the finished migrations of a VM the newest five are kept', async () => {
  await using cluster = await startPlayedCluster({ nodes });
  await boot(cluster);
  for (let index = 0; index < 6; index++) {
    const name = `mig${index}`;
    await migrate(cluster, name);
    await untilDetected(cluster, name);
    cluster.hypervisor.migrationFrom(podOn(cluster, vmi(cluster.view)?.status.nodeName ?? '')).fail('of no matter');
    await cluster.until(
      (view) => (migration(view, name)?.metadata.finalizers ?? []).length === 0 && labelOf(view) === undefined,
    );
  }
  await cluster.until((view) => view.migrations('default', 'vm1').length === 5);
});

const nodes = ['node-a', 'node-b', 'node-c'];
/** The guest has 1/8 GiB, so post-copy begins after 12.5 ms. */
const quickPostCopy = { allowPostCopy: true, completionTimeoutPerGiB: 0.1 };

async function boot(cluster: PlayedCluster): Promise<void> {
  await cluster.create({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name: 'vm1', namespace: 'default' },
    spec: {
      runStrategy: 'Always',
      template: {
        spec: {
          domain: {
            devices: {
              interfaces: [{ name: 'default', binding: { name: 'hawser' }, macAddress: '02:48:57:00:00:01' }],
            },
            memory: { guest: '128Mi' },
          },
          networks: [{ name: 'default', pod: {} }],
        },
      },
    },
  });
  await cluster.until((view) => view.virtualMachine('default', 'vm1')?.status?.ready === true);
}

/** @param node where to; the scheduler chooses when absent */
async function migrate(cluster: PlayedCluster, name: string, node?: string): Promise<void> {
  await cluster.create({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstanceMigration',
    metadata: { name, namespace: 'default' },
    spec: { vmiName: 'vm1', ...(node && { addedNodeSelector: { 'kubernetes.io/hostname': node } }) },
  });
}

async function cancel(cluster: PlayedCluster, name: string): Promise<void> {
  await cluster.request('DELETE', `/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations/${name}`);
}

async function untilRunning(cluster: PlayedCluster, name: string): Promise<void> {
  await untilDetected(cluster, name);
  await cluster.until((view) => migration(view, name)?.status?.phase === 'Running');
}

/** The domain is there on the target and the copy has begun. */
async function untilDetected(cluster: PlayedCluster, name: string): Promise<void> {
  await cluster.until((view) => {
    const { migrationUid, targetNodeDomainDetected } = vmi(view)?.status.migrationState ?? {};
    return migrationUid === migration(view, name)?.metadata.uid && targetNodeDomainDetected === true;
  });
}

async function untilSucceeded(cluster: PlayedCluster, name: string): Promise<void> {
  await cluster.until((view) => {
    const { status, metadata } = migration(view, name) ?? {};
    return status?.phase === 'Succeeded' && metadata?.finalizers === undefined && labelOf(view) === undefined;
  });
}

function vmi(view: ClusterView) {
  return view.vmi('default', 'vm1');
}

function migration(view: ClusterView, name: string) {
  return view.migrations('default', 'vm1').find(({ metadata }) => metadata.name === name);
}

function labelOf(view: ClusterView): string | undefined {
  return vmi(view)?.metadata.labels?.['kubevirt.io/migrationTargetNodeName'];
}

function phasesOfPods(view: ClusterView): string[] {
  return view
    .pods('default')
    .map(({ status }) => status?.phase ?? '')
    .sort();
}

function podOn(cluster: PlayedCluster, node: string): string {
  const pods = cluster.view
    .pods('default')
    .filter(({ spec, status }) => spec.nodeName === node && status?.phase === 'Running');
  return pods[0]?.metadata.name ?? '';
}

function readyTimestampOn(view: ClusterView, node: string): string | undefined {
  const pod = view.pods('default').find(({ spec }) => spec.nodeName === node);
  return pod?.metadata.annotations?.['kubevirt.io/migration-target-ready-timestamp'];
}
