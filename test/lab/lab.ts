import { buildPlugin } from '#node-agent/cni/build.ts';
import { hawserController } from './control-plane.ts';
import { type GuestImage, prepareGuest } from './guest/guest.ts';
import type { Kubernetes, StartKubernetes } from './kubernetes/kubernetes.ts';
import { standInKubernetes } from './kubernetes/stand-in.ts';
import { admitKubeVirt, type KubeVirt, startKubeVirt } from './kubevirt.ts';
import { PortHistory } from './port-history.ts';
import type { Daemon } from './topology/daemon.ts';
import { startTopology, type Topology } from './topology/topology.ts';
import { ClusterView } from './virt/cluster-view.ts';
import type { MigrationConfiguration } from './virt/objects.ts';
import type { Gate } from './virt/writer-loop.ts';
import { type LabWorker, startWorkerNode } from './worker-node.ts';

export interface LabOptions {
  readonly id?: string;
  readonly nodes: number;
  readonly ovn?: string;
  /** Whose Kubernetes; the stand-in when absent. */
  readonly startKubernetes?: StartKubernetes;
  readonly log: (line: string) => void;
  /** Awaited before every write of KubeVirt's controllers. */
  readonly gate?: Gate;
}

/** A whole cluster on this machine: OVN, Kubernetes' API, our controller and agents, kubelets and KubeVirt. */
export interface Lab extends AsyncDisposable {
  readonly topology: Topology;
  readonly kubernetes: Pick<Kubernetes, 'api' | 'kubectl'>;
  readonly workers: readonly LabWorker[];
  readonly kubeVirt: KubeVirt;
  /** The objects as they are now, with events. */
  readonly view: ClusterView;
  readonly history: PortHistory;
  /** KubeVirt's migration settings, for migrations to come; empty: its defaults. */
  migrationConfiguration: Partial<MigrationConfiguration>;
  /** Cordons all other nodes while `work` runs. */
  onlyOn<T>(node: string, work: () => Promise<T>): Promise<T>;
}

/** A lab whose controller is a process of its own. */
export interface StartedLab extends Lab {
  readonly controller: Daemon;
}

/** Brings everything up; what `prepare` sets up has to be there. Disposing takes everything down. */
export async function startLab(options: LabOptions): Promise<StartedLab> {
  const { log, gate = async () => {}, startKubernetes = standInKubernetes } = options;
  await using stack = new AsyncDisposableStack();
  const [topology, cniPlugin, image] = await Promise.all([startTopology(options), buildPlugin(), prepareGuest(log)]);
  stack.use(topology);
  const { folder, env } = topology;
  const kubernetes = stack.use(await startKubernetes({ admit: admitKubeVirt, folder, env, log }));
  const controller = stack.use(await hawserController(topology, kubernetes.controllerKubeconfig));
  await controller.start();
  const workers = await Promise.all(
    topology.nodes.map((node) => startWorkerNode(topology, node, { send: kubernetes.asKubelet, cniPlugin, log })),
  );
  for (const { kubelet } of workers) stack.use(kubelet);
  const lab = await startKubeVirtLab({ topology, kubernetes, workers, image, gate, log });
  stack.use(lab);
  const whole = stack.move();
  return Object.assign(lab, { controller, [Symbol.asyncDispose]: () => whole.disposeAsync() });
}

/** What is to be there before KubeVirt. */
export interface KubeVirtLabOptions {
  readonly topology: Topology;
  readonly kubernetes: Pick<Kubernetes, 'api' | 'kubectl' | 'asKubeVirt' | 'hasScheduler'>;
  readonly workers: readonly LabWorker[];
  readonly image: GuestImage;
  readonly gate: Gate;
  readonly log: (line: string) => void;
}

/** Brings up KubeVirt, and those who watch what it does, on a cluster that is there. Disposing ends no more than that. */
export async function startKubeVirtLab(options: KubeVirtLabOptions): Promise<Lab> {
  const { topology, kubernetes, workers, image, gate, log } = options;
  await using stack = new AsyncDisposableStack();
  const history = stack.use(
    await PortHistory.follow({ northbound: topology.central.nbRemote, southbound: topology.central.sbRemote }),
  );
  const view = new ClusterView(kubernetes.asKubeVirt, [
    'Pod',
    'VirtualMachine',
    'VirtualMachineInstance',
    'VirtualMachineInstanceMigration',
  ]);
  await view.start();
  stack.defer(() => view.stop());
  const lab = { migrationConfiguration: {} };
  const kubeVirt = await startKubeVirt({
    topology,
    send: kubernetes.asKubeVirt,
    hasScheduler: kubernetes.hasScheduler,
    workers,
    image,
    gate,
    log,
    configuration: () => lab.migrationConfiguration,
  });
  stack.defer(() => kubeVirt.stop());
  const whole = stack.move();
  return Object.assign(lab, {
    topology,
    kubernetes,
    workers,
    kubeVirt,
    view,
    history,
    onlyOn: async <T>(chosen: string, work: () => Promise<T>) => {
      const others = workers.map(({ name }) => name).filter((name) => name !== chosen);
      await cordon(kubernetes, others, true);
      try {
        return await work();
      } finally {
        await cordon(kubernetes, others, false);
      }
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  });
}

async function cordon(
  { api }: Pick<Kubernetes, 'api'>,
  nodes: readonly string[],
  unschedulable: boolean,
): Promise<void> {
  for (const name of nodes) await api.patch(`/api/v1/nodes/${name}`, 'merge', { spec: { unschedulable } });
}
