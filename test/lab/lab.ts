import { buildPlugin } from '#node-agent/cni/build.ts';
import { hawserController } from './control-plane.ts';
import { prepareGuest } from './guest/guest.ts';
import { applyYaml } from './kube-api/apply.ts';
import { type KubeApi, startKubeApi } from './kube-api/server.ts';
import { admitKubeVirt, type KubeVirt, startKubeVirt } from './kubevirt.ts';
import { PortHistory } from './port-history.ts';
import type { Daemon } from './topology/daemon.ts';
import { startTopology, type Topology } from './topology/topology.ts';
import { ClusterView } from './virt/cluster-view.ts';
import { plainTransport } from './virt/kube-client.ts';
import type { MigrationConfiguration } from './virt/objects.ts';
import type { Gate } from './virt/writer-loop.ts';
import { startWorkerNode, type WorkerNode } from './worker-node.ts';

export interface LabOptions {
  readonly id?: string;
  readonly nodes: number;
  readonly ovn?: string;
  readonly log: (line: string) => void;
  /** Awaited before every write of KubeVirt's controllers. */
  readonly gate?: Gate;
}

/** A whole cluster on this machine: OVN, Kubernetes' API, our controller and agents, kubelets and KubeVirt. */
export interface Lab extends AsyncDisposable {
  readonly topology: Topology;
  readonly api: KubeApi;
  readonly controller: Daemon;
  readonly workers: readonly WorkerNode[];
  readonly kubeVirt: KubeVirt;
  /** The objects as they are now, with events. */
  readonly view: ClusterView;
  readonly history: PortHistory;
  /** KubeVirt's migration settings, for migrations to come; empty: its defaults. */
  migrationConfiguration: Partial<MigrationConfiguration>;
  /** Cordons all other nodes while `work` runs. */
  onlyOn<T>(node: string, work: () => Promise<T>): Promise<T>;
}

/** Brings everything up; what `prepare` sets up has to be there. Disposing takes everything down. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { log, gate = async () => {} } = options;
  await using stack = new AsyncDisposableStack();
  const [topology, cniPlugin, image] = await Promise.all([startTopology(options), buildPlugin(), prepareGuest(log)]);
  stack.use(topology);
  const api = stack.use(await startKubeApi({ admit: admitKubeVirt }));
  const controller = stack.use(await hawserController(topology, api.kubeconfig()));
  await controller.start();
  const history = stack.use(
    await PortHistory.follow({ northbound: topology.central.nbRemote, southbound: topology.central.sbRemote }),
  );
  const workers = await Promise.all(
    topology.nodes.map((node) => startWorkerNode(topology, node, { apiUrl: api.url, cniPlugin, log })),
  );
  for (const { kubelet } of workers) stack.use(kubelet);
  const view = new ClusterView(plainTransport(api.url), [
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
    apiUrl: api.url,
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
    api,
    controller,
    workers,
    kubeVirt,
    view,
    history,
    onlyOn: async <T>(chosen: string, work: () => Promise<T>) => {
      const others = workers.map(({ name }) => name).filter((name) => name !== chosen);
      cordon(api, others, true);
      try {
        return await work();
      } finally {
        cordon(api, others, false);
      }
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  });
}

function cordon(api: KubeApi, nodes: readonly string[], unschedulable: boolean): void {
  for (const name of nodes) {
    applyYaml(api, `{apiVersion: v1, kind: Node, metadata: {name: ${name}}, spec: {unschedulable: ${unschedulable}}}`);
  }
}
