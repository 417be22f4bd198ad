import { ClusterView } from './cluster-view.ts';
import { nextMigrationWrite } from './controller/migration.ts';
import { nextVmWrite } from './controller/vm.ts';
import { nextVmiWrite } from './controller/vmi.ts';
import type { Transport } from './kube-client.ts';
import type { KubeObject, MigrationConfiguration } from './objects.ts';
import { rfc3339, type Write } from './write.ts';
import { type Gate, WriterLoop } from './writer-loop.ts';

export interface VirtControllerOptions {
  readonly send: Transport;
  readonly gate?: Gate;
  /** What differs from KubeVirt's defaults, for migrations that are handed off from now on. */
  readonly configuration?: () => Partial<MigrationConfiguration>;
  readonly clock?: () => Date;
  readonly log?: (line: string) => void;
}

/**
 * Plays KubeVirt's virt-controller: its VM, VMI and migration controllers, each of which looks at the objects as they are and
 * writes the next thing, whoever changed what. It can be stopped and another started at any time.
 */
export async function startVirtController(options: VirtControllerOptions): Promise<{ stop(): void }> {
  const { send, gate = async () => {}, configuration = () => ({}), clock = () => new Date(), log = () => {} } = options;
  const view = new ClusterView(send, [
    'VirtualMachine',
    'VirtualMachineInstance',
    'VirtualMachineInstanceMigration',
    'Pod',
  ]);
  const loopOptions = { by: 'virt-controller', send, gate, log, saw: (object: KubeObject) => view.saw(object) };
  const now = (): string => rfc3339(clock());

  /** A controller of its own for each kind, as in KubeVirt: what one waits for does not hold up the others. */
  const controller = (next: (namespace: string, name: string) => Write | undefined): WriterLoop =>
    new WriterLoop(loopOptions, (key) => {
      const [namespace = '', name = ''] = key.split('/');
      return next(namespace, name);
    });
  const controllers = [
    controller((namespace, name) => {
      const vm = view.virtualMachine(namespace, name);
      return vm && nextVmWrite(vm, view.vmi(namespace, name), now());
    }),
    controller((namespace, name) => {
      const vmi = view.vmi(namespace, name);
      return vmi && nextVmiWrite(vmi, view.pods(namespace), now());
    }),
    controller((namespace, name) => {
      const migrations = view.migrations(namespace, name);
      const shared = {
        vmi: view.vmi(namespace, name),
        pods: view.pods(namespace),
        migrations,
        configuration: { ...defaultMigrationConfiguration, ...configuration() },
        now: now(),
      };
      for (const migration of migrations) {
        const write = nextMigrationWrite({ ...shared, migration });
        if (write) return write;
      }
      return undefined;
    }),
  ];
  view.onChange((object) => {
    const key = keyOf(object);
    if (key !== undefined) for (const one of controllers) one.wake(key);
  });
  await view.start();
  return {
    stop: () => {
      view.stop();
      for (const one of controllers) one.stop();
    },
  };
}

/** KubeVirt's defaults, as the recordings show them. */
export const defaultMigrationConfiguration: MigrationConfiguration = {
  nodeDrainTaintKey: 'kubevirt.io/drain',
  parallelOutboundMigrationsPerNode: 2,
  parallelMigrationsPerCluster: 5,
  allowAutoConverge: false,
  bandwidthPerMigration: '0',
  completionTimeoutPerGiB: 150,
  maxDowntimeMs: 900,
  progressTimeout: 150,
  utilityVolumesTimeout: 150,
  unsafeMigrationOverride: false,
  allowPostCopy: false,
  allowWorkloadDisruption: false,
};

/** `<namespace>/<VM name>`: the same for a VM, its VMI, its migrations and its launcher pods. */
function keyOf(object: KubeObject): string | undefined {
  switch (object.kind) {
    case 'VirtualMachine':
    case 'VirtualMachineInstance':
      return `${object.metadata.namespace}/${object.metadata.name}`;
    case 'VirtualMachineInstanceMigration':
      return `${object.metadata.namespace}/${object.spec.vmiName}`;
    case 'Pod': {
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === 'VirtualMachineInstance');
      return owner && `${object.metadata.namespace}/${owner.name}`;
    }
    case 'Node':
      return undefined;
  }
}
