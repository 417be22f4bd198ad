import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareGuest } from '#test/lab/guest/guest.ts';
import type { GuestReport } from '#test/lab/guest/report.ts';
import { askGuest } from '#test/lab/guest/report-port.ts';
import { type BridgedHosts, reserved, startBridgedHosts } from '#test/lab/qemu/bridged-hosts.ts';
import { EchoStream } from '#test/lab/qemu/echo-stream.ts';
import { run } from '#test/lab/topology/command.ts';
import { attachManagedTap } from '#test/lab/virt/attachments/managed-tap.ts';
import type { Attach } from '#test/lab/virt/attachments.ts';
import { qemuHypervisor } from '#test/lab/virt/hypervisor.ts';
import type { MigrationConfiguration } from '#test/lab/virt/objects.ts';
import { type PlayedCluster, startPlayedCluster } from '#test/lab/virt/played-cluster.ts';

// KubeVirt's controllers of the lab with QEMU behind them and managedTap NICs in real pod namespaces, on bridges instead of
// OVN. One guest is moved about by all tests of this file, in order.
let hosts: BridgedHosts;
let cluster: PlayedCluster;
let report: GuestReport;
let echo: EchoStream;
let configuration: Partial<MigrationConfiguration> = {};

beforeAll(async () => {
  const image = await prepareGuest(() => {});
  hosts = await startBridgedHosts(['a', 'b']);
  const hypervisor = qemuHypervisor({ image, folder: hosts.folder, env: hosts.env });
  cluster = await startPlayedCluster({
    nodes: ['a', 'b'],
    configuration: () => configuration,
    domains: { hypervisor, attach: attachInNewNamespace },
  });
  await cluster.create(vm);
  await cluster.until((view) => view.vmi('default', 'db')?.status.phase === 'Running');
  report = await askGuest(reportSocket(), { until: ({ ipv4, ipv6 }) => ipv4.length > 0 && ipv6.length > 0 });
  echo = new EchoStream(hosts.router, reserved.ipv4);
  await echo.roundTrip();
});

afterAll(async () => {
  echo?.close();
  await cluster?.[Symbol.asyncDispose]();
  await hosts?.[Symbol.asyncDispose]();
});

test('a VMIM moves the guest to the other node', async () => {
  await migrate('there');
  await untilPhase('there', 'Succeeded');
  await cluster.until((view) => view.pods('default').filter(({ status }) => status?.phase === 'Running').length === 1);
  expect(nodeName()).toBe('b');
  await expectSameGuest();
});

test('deleting the VMIM while memory is copied leaves the guest where it is', async () => {
  configuration = { bandwidthPerMigration: '4Mi' };
  await migrate('cancelled');
  await untilPhase('cancelled', 'Running');
  await cluster.request('DELETE', '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations/cancelled');
  await untilGone('cancelled');
  expect(cluster.view.vmi('default', 'db')?.status.migrationState).toMatchObject({
    failed: true,
    abortStatus: 'Succeeded',
  });
  expect(nodeName()).toBe('b');
  await expectSameGuest();
});

test('killing the target launcher while memory is copied leaves the guest where it is', async () => {
  configuration = { bandwidthPerMigration: '4Mi' };
  await migrate('shot');
  await untilPhase('shot', 'Running');
  const target = cluster.view.vmi('default', 'db')?.status.migrationState?.targetPod ?? '';
  await cluster.handler('a').killLauncher(target);
  await untilPhase('shot', 'Failed');
  expect(nodeName()).toBe('b');
  await expectSameGuest();
});

test('a slow migration with post-copy allowed ends by post-copy', async () => {
  configuration = { bandwidthPerMigration: '4Mi', allowPostCopy: true, completionTimeoutPerGiB: 1 };
  await migrate('back');
  await untilPhase('back', 'Succeeded');
  expect(cluster.view.vmi('default', 'db')?.status.migrationState?.mode).toBe('PostCopy');
  expect(nodeName()).toBe('a');
  await expectSameGuest();
});

test('a VM that is halted ends its guest, and leaves nothing running', async () => {
  await cluster.request('PATCH', '/apis/kubevirt.io/v1/namespaces/default/virtualmachines/db', {
    spec: { runStrategy: 'Halted' },
  });
  await cluster.until((view) => view.vmi('default', 'db') === undefined);
  const left = await run('ip', ['netns', 'pids', hosts.netnsOf(podNamespaces.at(-1) ?? '')]);
  expect(left).toBe('');
});

const vm = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    runStrategy: 'Always',
    template: {
      spec: {
        domain: {
          devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' }, macAddress: reserved.mac }] },
          memory: { guest: '128Mi' },
        },
        networks: [{ name: 'default', pod: {} }],
      },
    },
  },
};

const podNamespaces: string[] = [];

/** The pod's namespace with an `eth0` as a CNI plugin leaves it for managedTap, in the bridge of its host. */
function attachInNewNamespace(node: string): Attach {
  return async () => {
    const pod = `pod${podNamespaces.length}`;
    podNamespaces.push(pod);
    await run('ip', ['netns', 'add', hosts.netnsOf(pod)]);
    await run('ip', ['-batch', '-'], {
      netns: hosts.netnsOf(node),
      input: [
        `link add to-${pod} type veth peer name eth0 netns ${hosts.netnsOf(pod)}`,
        `link set to-${pod} master br0 up`,
      ].join('\n'),
    });
    await run('ip', ['link', 'set', 'eth0', 'address', reserved.mac], { netns: hosts.netnsOf(pod) });
    return [await attachManagedTap(hosts.netnsOf(pod), reserved.mac)];
  };
}

async function migrate(name: string): Promise<void> {
  await cluster.create({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstanceMigration',
    metadata: { name, namespace: 'default' },
    spec: { vmiName: 'db' },
  });
}

async function untilPhase(name: string, phase: string): Promise<void> {
  await cluster.until((view) =>
    view.migrations('default', 'db').some(({ metadata, status }) => metadata.name === name && status?.phase === phase),
  );
}

async function untilGone(name: string): Promise<void> {
  await cluster.until((view) => view.migrations('default', 'db').every(({ metadata }) => metadata.name !== name));
}

function nodeName(): string | undefined {
  return cluster.view.vmi('default', 'db')?.status.nodeName;
}

/** Of the QEMU that has the guest now. */
function reportSocket(): string {
  const node = nodeName() ?? '';
  const pods = cluster.view
    .pods('default')
    .filter(({ spec, status }) => spec.nodeName === node && status?.phase === 'Running');
  const machine = cluster.handler(node).launcherOf(pods[0]?.metadata.name ?? '')?.machine;
  if (!machine) throw new Error(`no machine on ${node}`);
  return machine.reportSocket;
}

async function expectSameGuest(): Promise<void> {
  await echo.roundTrip();
  const now = await askGuest(reportSocket());
  expect(now).toEqual({ ...report, uptimeSeconds: expect.any(Number), log: expect.anything() });
}
