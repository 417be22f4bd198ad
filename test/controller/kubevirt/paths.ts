import type { RecordedEvent } from '#controller/replay/recording.ts';
import type { KubeObject } from '#controller/replay/surroundings.ts';
import { KubeVirtScript, type Stream } from './script.ts';

/** What KubeVirt does that was not recorded, and the steps its VM's port goes through meanwhile. */
export interface Path {
  /** What the cluster has beside nodes and the ClusterNetwork `default`. */
  readonly objects?: readonly KubeObject[];
  readonly events: readonly RecordedEvent[];
  /** Port → what is requested, step by step; ` rarp` where the guest's own RARP is waited for. */
  readonly steps: Readonly<Record<string, readonly string[]>>;
  /** Only its IPAMClaim still tells, in the end, which addresses a guest came with. */
  readonly endsWithClaim?: true;
}

const gone = 'no port';
const port = 'vm/shop/db';
const booted = ['', 'a'];
const moving = 'a,b rarp';
const longName = 'a-virtual-machine-whose-name-is-longer-than-any-label-value-or-host-name-may-be';

/** A secondary network for NICs of every namespace. */
const sharedNetwork: KubeObject = {
  kind: 'ClusterNetwork',
  metadata: { name: 'blue', uid: 'ClusterNetwork blue' },
  spec: { topology: 'overlay', role: 'secondary', subnets: ['10.9.0.0/24'], namespaceSelector: {} },
};

/** A VM `db` whose guest runs on node a. */
function running(write: (kubevirt: KubeVirtScript, pod: string) => void, name = 'db'): readonly RecordedEvent[] {
  const kubevirt = new KubeVirtScript(name);
  kubevirt.createVm();
  write(kubevirt, kubevirt.boot('a'));
  return kubevirt.events;
}

/** The same, with a migration to node b that is `Running`. */
function migrating(
  write: (kubevirt: KubeVirtScript, pods: { readonly source: string; readonly target: string }) => void,
  mode = 'PreCopy',
): readonly RecordedEvent[] {
  return running((kubevirt, source) => {
    const target = kubevirt.beginMigration('mig1', 'b');
    kubevirt.handOff('mig1', target, source);
    kubevirt.migrate('mig1', mode);
    write(kubevirt, { source, target });
  });
}

export const paths: Readonly<Record<string, Path>> = {
  'the target pod dies while the migration is Running: the VMIM fails before the VMI says so': {
    events: migrating((kubevirt, { target }) => {
      kubevirt.podPhase(target, 'Failed');
      kubevirt.vmimPhase('mig1', 'Failed');
      kubevirt.failOnVmi('Target pod is down');
    }),
    steps: { [port]: [...booted, moving, 'a'] },
  },
  'the target pod vanishes while the migration is Running': {
    events: migrating((kubevirt, { target }) => {
      kubevirt.remove('Pod', target);
      kubevirt.vmimPhase('mig1', 'Failed');
      kubevirt.failOnVmi('Target pod is down');
    }),
    steps: { [port]: [...booted, moving, 'a'] },
  },
  'the source pod dies while the migration is Running: the VM starts anew': {
    events: migrating((kubevirt, { source, target }) => {
      kubevirt.podPhase(source, 'Failed');
      kubevirt.podPhase(target, 'Failed');
      kubevirt.vmimPhase('mig1', 'Failed');
      kubevirt.failOnVmi('Target pod is down');
      kubevirt.vmi({ status: { phase: 'Failed' } });
      kubevirt.stop();
      kubevirt.boot('c');
    }),
    steps: { [port]: [...booted, moving, 'a', gone, '', 'c'] },
  },
  'cancelled after the hand-off, before it runs': {
    events: running((kubevirt, source) => {
      const target = kubevirt.beginMigration('mig1', 'b');
      kubevirt.handOff('mig1', target, source);
      cancel(kubevirt);
      kubevirt.migrate('mig1');
      abort(kubevirt);
      kubevirt.podPhase(target, 'Succeeded');
    }),
    steps: { [port]: [...booted, moving, 'a'] },
  },
  'cancelled while it runs': {
    events: migrating((kubevirt, { target }) => {
      cancel(kubevirt);
      abort(kubevirt);
      kubevirt.podPhase(target, 'Succeeded');
    }),
    steps: { [port]: [...booted, moving, 'a'] },
  },
  'cancelled too late: it succeeds, and the VMIM is gone at once': {
    events: migrating((kubevirt, { source, target }) => {
      cancel(kubevirt);
      kubevirt.migrationState({ abortRequested: true });
      kubevirt.domainReady(target);
      kubevirt.succeed('mig1', target, source);
      kubevirt.remove('VirtualMachineInstanceMigration', 'mig1');
    }),
    steps: { [port]: [...booted, moving, 'b'] },
  },
  'post-copy succeeds: the guest is on the target long before the end': {
    events: migrating((kubevirt, { source, target }) => {
      kubevirt.domainReady(target);
      kubevirt.succeed('mig1', target, source);
    }, 'PostCopy'),
    steps: { [port]: [...booted, moving, 'b'] },
  },
  'post-copy fails: there is no way back, and the VM starts anew': {
    events: migrating((kubevirt, { target }) => {
      kubevirt.domainReady(target);
      kubevirt.failOnVmi('the network is gone');
      kubevirt.vmimPhase('mig1', 'Failed');
      kubevirt.vmi({ status: { phase: 'Failed' } });
      kubevirt.stop();
      kubevirt.remove('VirtualMachineInstanceMigration', 'mig1');
      kubevirt.boot('a');
    }, 'PostCopy'),
    steps: { [port]: [...booted, moving, 'b', gone, ...booted] },
  },
  'post-copy loses its target pod before anyone saw the guest there: it was there': {
    events: migrating((kubevirt, { target }) => {
      kubevirt.podPhase(target, 'Failed');
      kubevirt.vmimPhase('mig1', 'Failed');
      kubevirt.failOnVmi('Target pod is down');
      kubevirt.vmi({ status: { phase: 'Failed' } });
      kubevirt.stop();
    }, 'PostCopy'),
    steps: { [port]: [...booted, moving, 'b', gone] },
  },
  'paused for its last phase, it is a pre-copy migration': {
    events: migrating((kubevirt, { source, target }) => {
      kubevirt.domainReady(target);
      kubevirt.succeed('mig1', target, source);
    }, 'Paused'),
    steps: { [port]: [...booted, moving, 'b'] },
  },
  'two migrations in a row': {
    events: running((kubevirt, first) => {
      const second = kubevirt.move('mig1', first, 'b');
      kubevirt.move('mig2', second, 'c');
    }),
    steps: { [port]: [...booted, moving, 'b', 'b,c rarp', 'c'] },
  },
  'there and back again': {
    events: running((kubevirt, first) => {
      const second = kubevirt.move('mig1', first, 'b');
      kubevirt.move('mig2', second, 'a');
    }),
    steps: { [port]: [...booted, moving, 'b', 'b,a rarp', 'a'] },
  },
  'one that fails and one that does not': {
    events: running((kubevirt, source) => {
      const first = kubevirt.beginMigration('mig1', 'b');
      kubevirt.handOff('mig1', first, source);
      kubevirt.failOnVmi('Target pod is down');
      kubevirt.vmimPhase('mig1', 'Failed');
      kubevirt.move('mig2', source, 'b');
      kubevirt.remove('Pod', first);
    }),
    steps: { [port]: [...booted, moving, 'a', moving, 'b'] },
  },
  'a target pod that finds no node is given up': {
    events: running((kubevirt) => {
      kubevirt.createVmim('mig1');
      kubevirt.vmimPhase('mig1', 'Pending');
      const pod = kubevirt.createPod({ 'kubevirt.io/migrationJobUID': kubevirt.vmimUid('mig1') });
      kubevirt.vmimPhase('mig1', 'Scheduling');
      kubevirt.remove('Pod', pod);
      kubevirt.vmimPhase('mig1', 'Failed');
    }),
    steps: { [port]: booted },
  },
  'the VMI goes while its VMIM stays for ever': {
    events: migrating((kubevirt) => {
      kubevirt.dropPods();
      kubevirt.remove('VirtualMachineInstance', 'db');
      kubevirt.patch('VirtualMachineInstanceMigration', 'mig1', {
        metadata: { deletionTimestamp: '2026-11-21T06:00:00Z' },
      });
      kubevirt.boot('b');
    }),
    steps: { [port]: [...booted, moving, 'a', gone, '', 'b'] },
  },
  'the VM is deleted in the middle of it': {
    events: migrating((kubevirt) => {
      kubevirt.patch('VirtualMachine', 'db', { metadata: { deletionTimestamp: '2026-11-21T06:00:00Z' } });
      kubevirt.vmi({ metadata: { deletionTimestamp: '2026-11-21T06:00:00Z' } });
      kubevirt.vmi({ status: { phase: 'Succeeded' } });
      kubevirt.vmimPhase('mig1', 'Failed');
      kubevirt.dropPods();
      kubevirt.remove('VirtualMachineInstance', 'db');
      kubevirt.remove('VirtualMachineInstanceMigration', 'mig1');
      kubevirt.remove('VirtualMachine', 'db');
    }),
    steps: { [port]: [...booted, moving, 'a', gone] },
  },
  'the node of the source is lost': {
    events: running((kubevirt, pod) => {
      kubevirt.patch('Pod', pod, { metadata: { deletionTimestamp: '2026-11-21T06:00:00Z' } });
      kubevirt.vmi({ status: { phase: 'Failed' } });
      kubevirt.stop();
      kubevirt.boot('b');
    }),
    steps: { [port]: [...booted, gone, '', 'b'] },
  },
  'a restart: a new VMI, and no pod in between': {
    events: running((kubevirt) => {
      kubevirt.stop();
      kubevirt.boot('b');
    }),
    steps: { [port]: [...booted, gone, '', 'b'] },
  },
  'a template that is changed asks for a restart, and until then nothing changes': {
    events: running((kubevirt) => {
      kubevirt.createVm({ mac: '02:48:57:00:00:99' });
      kubevirt.patch('VirtualMachine', 'db', { status: { conditions: [{ type: 'RestartRequired', status: 'True' }] } });
    }),
    steps: { [port]: booted },
  },
  'hot-plugged volumes have pods of their own, on the pod network': {
    events: running((kubevirt, source) => {
      const attachment = (name: string, owner: string, nodeName: string, labels: object = {}) =>
        kubevirt.put('Pod', name, {
          metadata: {
            ...{
              uid: name,
              creationTimestamp: '2026-11-21T05:05:00Z',
              labels: { 'kubevirt.io': 'hotplug-disk', ...labels },
            },
            ownerReferences: [
              { apiVersion: 'v1', kind: 'Pod', name: owner, uid: `pod-shop-db-${owner.at(-1)}`, controller: true },
            ],
          },
          spec: { nodeName, containers: [] },
          status: { phase: 'Running' },
        });
      attachment('hp-volume-1', source, 'a');
      const target = kubevirt.beginMigration('mig1', 'b');
      attachment('hp-volume-2', target, 'b', { 'kubevirt.io/migrationJobUID': kubevirt.vmimUid('mig1') });
      kubevirt.handOff('mig1', target, source);
      kubevirt.migrate('mig1');
      kubevirt.domainReady(target);
      kubevirt.succeed('mig1', target, source);
      kubevirt.remove('Pod', 'hp-volume-1');
    }),
    steps: { [port]: [...booted, moving, 'b'], 'pod/shop/hp-volume-1': ['a', gone], 'pod/shop/hp-volume-2': ['b'] },
  },
  'a NIC that is hot-plugged, and comes with a migration, and is unplugged again': {
    events: running((kubevirt, source) => {
      plug(kubevirt, source);
      kubevirt.vmi({ status: { conditions: [{ type: 'MigrationRequired', status: 'True' }] } });
      const target = kubevirt.move('kubevirt-workload-update-x', source, 'b');
      unplug(kubevirt, target);
    }),
    steps: { [port]: [...booted, moving, 'b'], [`${port}/blue`]: ['a', moving, 'b', gone] },
  },
  'a NIC that is hot-plugged while the guest runs, and migrates with it': {
    events: running((kubevirt, source) => {
      plug(kubevirt, source);
      const target = kubevirt.beginMigration('mig1', 'b', ['blue']);
      kubevirt.handOff('mig1', target, source);
      kubevirt.migrate('mig1');
      kubevirt.domainReady(target);
      kubevirt.succeed('mig1', target, source);
      unplug(kubevirt, target);
    }),
    steps: { [port]: [...booted, moving, 'b'], [`${port}/blue`]: ['a', moving, 'b', gone] },
  },
  'a NIC that is unplugged while a migration is under way, which fails': {
    events: running((kubevirt, source) => {
      plug(kubevirt, source);
      const target = kubevirt.beginMigration('mig1', 'b', ['blue']);
      kubevirt.handOff('mig1', target, source);
      kubevirt.migrate('mig1');
      kubevirt.furtherNics(['blue'], ['blue']);
      kubevirt.failOnVmi('Target pod is down');
      kubevirt.vmimPhase('mig1', 'Failed');
      unplug(kubevirt, source);
    }),
    steps: { [port]: [...booted, moving, 'a'], [`${port}/blue`]: ['a', moving, gone] },
  },
  'a VM with two NICs stops and starts, and both keep their addresses': {
    events: running((kubevirt) => {
      kubevirt.attachable('blue', '10.9.0.0/24');
      kubevirt.templateNics(['blue']);
      kubevirt.stop();
      kubevirt.boot('b');
      kubevirt.stop();
      kubevirt.boot('a');
    }),
    steps: {
      [port]: [...booted, gone, '', 'b', gone, '', 'a'],
      [`${port}/blue`]: ['', 'b', gone, '', 'a'],
    },
  },
  'a NIC whose network and NetworkAttachmentDefinition come when the guest runs already': {
    events: running((kubevirt, source) => {
      kubevirt.furtherNics(['blue']);
      kubevirt.plugs(source, ['blue']);
      kubevirt.attachmentDefinition('blue', { network: 'blue' });
      kubevirt.attachable('blue', '10.9.0.0/24');
      kubevirt.move('mig1', source, 'b');
    }),
    steps: { [port]: [...booted, moving, 'b'], [`${port}/blue`]: ['a', moving, 'b'] },
  },
  'a NetworkAttachmentDefinition that is deleted under a guest, and comes back': {
    events: running((kubevirt, source) => {
      kubevirt.attachable('blue', '10.9.0.0/24');
      kubevirt.furtherNics(['blue']);
      kubevirt.plugs(source, ['blue']);
      kubevirt.remove('NetworkAttachmentDefinition', 'blue');
      kubevirt.attachmentDefinition('blue', { network: 'blue' });
    }),
    steps: { [port]: booted, [`${port}/blue`]: ['a', gone, 'a'] },
  },
  'two VMs whose hosts have one name': {
    events: twoOf('db.one', 'db.two'),
    steps: { 'vm/shop/db.one': ['', 'a', 'a,b rarp', 'b'], 'vm/shop/db.two': booted },
  },
  'a guest goes to another namespace, and its addresses with it': {
    events: decentralised((sides) => {
      arrive(sides);
      sides.target.stop();
      sides.target.boot('c');
    }),
    steps: { 'vm/here/db': [...booted, gone], 'vm/there/db2': ['', 'b', gone, '', 'c'] },
    endsWithClaim: true,
  },
  'a guest goes to another namespace with two NICs, both on networks that are there too': {
    objects: [sharedNetwork],
    events: decentralised(
      (sides) => {
        arrive(sides);
        sides.target.stop();
        sides.target.boot('c');
      },
      ['blue'],
    ),
    steps: {
      'vm/here/db': [...booted, gone],
      'vm/here/db/blue': [...booted, gone],
      'vm/there/db2': ['', 'b', gone, '', 'c'],
      'vm/there/db2/blue': ['', 'b', gone, '', 'c'],
    },
    endsWithClaim: true,
  },
  'a guest that was to go to another namespace stays': {
    events: decentralised(({ source, target, targetPod, onBoth }) => {
      onBoth({ failed: true, completed: true, endTimestamp: '2026-11-21T05:10:30Z' });
      source.vmimPhase('send', 'Failed');
      target.vmimPhase('receive', 'Failed');
      target.podPhase(targetPod, 'Succeeded');
      target.vmi({ status: { phase: 'WaitingForSync' } });
      target.remove('Pod', targetPod);
    }),
    steps: { 'vm/here/db': booted, 'vm/there/db2': ['', 'b'] },
  },
  'a name over 63 characters': {
    events: running((kubevirt, source) => kubevirt.move('mig1', source, 'b'), longName),
    steps: { [`vm/shop/${longName}`]: [...booted, moving, 'b'] },
  },
};

/**
 * A decentralised migration of `here/db`, on node a, to `there/db2`, on node b, until both VMIMs are `Running`; as recorded, the target's
 * nodeName is set long before, and each side names the VMIM of its own namespace.
 */
export function decentralised(write: (sides: Sides) => void, nics: readonly string[] = []): readonly RecordedEvent[] {
  const stream: Stream = { events: [], version: 100 };
  const source = new KubeVirtScript('db', 'here', stream);
  const target = new KubeVirtScript('db2', 'there', stream);
  const interfaces = nics.map((name) => ({ name, bridge: {} }));
  for (const side of [source, target]) for (const nic of nics) side.attachmentDefinition(nic, { clusterNetwork: nic });
  source.createVm({ interfaces });
  const sourcePod = source.boot('a');
  target.createVm({ runStrategy: 'WaitAsReceiver', interfaces });
  target.createVmi({ annotations: { 'kubevirt.io/create-migration-target': 'true' } }, { phase: 'WaitingForSync' });
  target.createVmim('receive', { vmiName: 'db2', receive: { migrationID: 'm1' } });
  target.vmimPhase('receive', 'WaitingForSync');
  source.createVmim('send', { vmiName: 'db', sendTo: { migrationID: 'm1', connectURL: '192.0.2.1:9185' } });
  source.vmimPhase('send', 'Synchronizing');
  const sourceState = {
    ...{ migrationUID: source.vmimUid('send'), virtualMachineInstanceUID: source.vmiUid },
    ...{ domainNamespace: 'here', domainName: 'db', node: 'a', pod: sourcePod },
  };
  const targetState = { migrationUID: target.vmimUid('receive'), domainNamespace: 'there', domainName: 'db2' };
  const onBoth = (state: object) => {
    for (const side of [source, target]) side.migrationState({ ...state });
  };
  source.migrationState({ migrationUid: source.vmimUid('send') });
  target.migrationState({ migrationUid: target.vmimUid('receive') });
  onBoth({ sourceState, targetState });
  target.vmimPhase('receive', 'Pending');
  const targetPod = target.createPod({ 'kubevirt.io/migrationJobUID': target.vmimUid('receive') });
  target.bind(targetPod, 'b');
  target.vmimPhase('receive', 'Scheduling');
  target.podPhase(targetPod, 'Running');
  target.vmi({ status: { phase: 'Scheduled', nodeName: 'b' }, metadata: { labels: { 'kubevirt.io/nodeName': 'b' } } });
  onBoth({ sourceNode: 'a', targetNode: 'b', sourcePod, targetPod });
  for (const phase of ['PreparingTarget', 'TargetReady', 'Running']) {
    target.vmimPhase('receive', phase);
    source.vmimPhase('send', phase);
  }
  onBoth({ mode: 'PreCopy', startTimestamp: '2026-11-21T05:10:00Z' });
  write({ source, target, sourcePod, targetPod, onBoth });
  return stream.events;
}

/** It succeeds: the target says so first, and the source's VM is halted. */
export function arrive({ source, target, sourcePod, targetPod, onBoth }: Sides): void {
  target.migrationState({ targetNodeDomainReadyTimestamp: '2026-11-21T05:10:20Z' });
  target.readyAnnotation(targetPod);
  onBoth({ endTimestamp: '2026-11-21T05:10:21Z' });
  onBoth({ completed: true });
  target.vmi({
    status: { phase: 'Running' },
    metadata: { annotations: { 'kubevirt.io/create-migration-target': null } },
  });
  target.vmimPhase('receive', 'Succeeded');
  source.vmimPhase('send', 'Succeeded');
  target.patch('VirtualMachine', 'db2', { spec: { runStrategy: 'Always' } });
  source.podPhase(sourcePod, 'Succeeded');
  source.vmi({ status: { phase: 'Succeeded' } });
  source.patch('VirtualMachine', 'db', { spec: { runStrategy: 'Halted' } });
  source.dropPods();
  source.remove('VirtualMachineInstance', 'db');
  source.remove('VirtualMachineInstanceMigration', 'send');
}

/** Both ends of a decentralised migration. */
export interface Sides {
  readonly source: KubeVirtScript;
  readonly target: KubeVirtScript;
  readonly sourcePod: string;
  readonly targetPod: string;
  readonly onBoth: (state: object) => void;
}

function twoOf(one: string, other: string): readonly RecordedEvent[] {
  const stream: Stream = { events: [], version: 100 };
  const first = new KubeVirtScript(one, 'shop', stream);
  const second = new KubeVirtScript(other, 'shop', stream);
  first.createVm();
  second.createVm({ mac: '02:48:57:00:00:02' });
  const source = first.boot('a');
  second.boot('a');
  first.move('mig1', source, 'b');
  return stream.events;
}

/** A further NIC comes as KubeVirt plugs it in: into the template, into the VMI, into the pod's annotation. */
function plug(kubevirt: KubeVirtScript, pod: string): void {
  kubevirt.attachable('blue', '10.9.0.0/24');
  kubevirt.templateNics(['blue']);
  kubevirt.furtherNics(['blue']);
  kubevirt.plugs(pod, ['blue']);
}

/** A further NIC goes as KubeVirt unplugs it: asked for, out of the pod's annotation, out of the guest, out of VMI and template. */
function unplug(kubevirt: KubeVirtScript, pod: string): void {
  kubevirt.furtherNics(['blue'], ['blue']);
  kubevirt.plugs(pod, []);
  kubevirt.furtherNics([]);
  kubevirt.templateNics([]);
}

function cancel(kubevirt: KubeVirtScript): void {
  kubevirt.patch('VirtualMachineInstanceMigration', 'mig1', {
    metadata: { deletionTimestamp: '2026-11-21T05:10:10Z' },
  });
  kubevirt.patch('VirtualMachineInstanceMigration', 'mig1', {
    status: { conditions: [{ type: 'migrationAbortRequested', status: 'True' }] },
  });
}

function abort(kubevirt: KubeVirtScript): void {
  kubevirt.migrationState({ abortRequested: true });
  kubevirt.failOnVmi('Live migration has been aborted', { abortStatus: 'Succeeded' });
  kubevirt.vmimPhase('mig1', 'Failed');
  kubevirt.remove('VirtualMachineInstanceMigration', 'mig1');
}
