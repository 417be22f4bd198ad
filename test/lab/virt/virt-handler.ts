import { setTimeout as delay } from 'node:timers/promises';
import type { Attach } from './attachments.ts';
import { ClusterView } from './cluster-view.ts';
import { type LauncherAction, nextLauncherAction } from './handler/actions.ts';
import { Launcher } from './handler/launcher.ts';
import { type HandlerView, type LauncherState, nextVmiUpdate } from './handler/vmi-updates.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Transport } from './kube-client.ts';
import { currentPod, isFinal, isLauncherUp, launcherPodsOf, type Pod, type VirtualMachineInstance } from './objects.ts';
import { bytesOf } from './quantity.ts';
import { rfc3339, type Write } from './write.ts';
import { type Gate, WriterLoop } from './writer-loop.ts';

export interface VirtHandlerOptions {
  readonly send: Transport;
  /** Kubernetes' name of the node and the address at which its migration proxies are reached. */
  readonly node: { readonly name: string; readonly address: string };
  readonly hypervisor: Hypervisor;
  readonly attach: Attach;
  /** The network namespace of a pod of this node, a name under /run/netns, while it runs. */
  readonly sandboxOf: (podUid: string) => { readonly netns: string } | undefined;
  /** Told to the kubelet when the process in `compute` ends. */
  readonly launcherExited: (podUid: string, exitCode: number) => void;
  /** All virt-handlers' migration proxies, by `<address>:<port>`; the same map for all nodes. */
  readonly proxies: Map<string, Launcher>;
  readonly gate?: Gate;
  readonly readyAndAckAtOnce?: boolean;
  /**
   * How long a domain's event takes from libvirt through virt-launcher's notify socket to virt-handler; 0 when absent. In a cluster it is tens
   * to hundreds of ms, and KubeVirt's writes do not fall into the moment in which the guest resumes.
   */
  readonly domainEventMs?: number;
  readonly clock?: () => Date;
  readonly log?: (line: string) => void;
}

export interface VirtHandler {
  /** The launcher of a pod of this node, for consoles and for faults. */
  launcherOf(podName: string): Launcher | undefined;
  /** `kill -9` of the launcher of a pod: its domain goes with it, and the pod fails. */
  killLauncher(podName: string): Promise<void>;
  /** Ends all domains of the node at once. */
  stop(): Promise<void>;
}

/**
 * Plays KubeVirt's virt-handler of one node, and the virt-launchers in its pods: sets up the network of a VMI that is
 * scheduled to the node or migrates to it, runs the domain, sends it to other nodes, and writes what became of it.
 */
export async function startVirtHandler(options: VirtHandlerOptions): Promise<VirtHandler> {
  const { send, node, hypervisor, sandboxOf, launcherExited, proxies } = options;
  const {
    gate = async () => {},
    clock = () => new Date(),
    log = () => {},
    readyAndAckAtOnce = false,
    domainEventMs = 0,
  } = options;
  const view = new ClusterView(send, ['VirtualMachineInstance', 'Pod']);
  const launchers = new Map<string, Launcher>();
  const busy = new Set<Launcher>();
  let stopped = false;

  const updates = new WriterLoop(
    { by: 'virt-handler', send, gate, log, saw: (object) => view.saw(object) },
    (key): Write | undefined => {
      const [namespace = '', name = ''] = key.split('/');
      const vmi = view.vmi(namespace, name);
      const update = vmi && nextVmiUpdate(handlerView(vmi));
      return update && { step: update.step, verb: 'update', object: update.vmi };
    },
  );

  function handlerView(vmi: VirtualMachineInstance): HandlerView {
    const isTarget = vmi.metadata.labels?.['kubevirt.io/migrationTargetNodeName'] === node.name;
    const podName = isTarget ? vmi.status.migrationState?.targetPod : currentPod(vmi, podsHere(vmi))?.metadata.name;
    const pod = podsHere(vmi).find(({ metadata }) => metadata.name === podName);
    return { vmi, node, launcher: pod && stateOf(pod), now: rfc3339(clock()), readyAndAckAtOnce };
  }

  function podsHere(vmi: VirtualMachineInstance): readonly Pod[] {
    return launcherPodsOf(vmi, view.pods(vmi.metadata.namespace)).filter(({ spec }) => spec.nodeName === node.name);
  }

  function stateOf(pod: Pod): LauncherState | undefined {
    const launcher = launchers.get(pod.metadata.uid);
    if (!launcher) return undefined;
    const { podName, attachments, domain, migration, migrationPorts, isEnded } = launcher;
    const podIPs = pod.spec.hostNetwork ? [] : (pod.status?.podIPs ?? []).map(({ ip }) => ip);
    return { podName, attachments, podIPs, domain, migration, migrationPorts, isEnded };
  }

  /** Looks at a pod of this node: begins or goes on with what its launcher is to do, and with what the VMI is to say. */
  function sync(pod: Pod): void {
    const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'VirtualMachineInstance');
    if (stopped || !owner || pod.spec.nodeName !== node.name) return;
    const { uid } = pod.metadata;
    if (isFinal(pod.status?.phase) || !view.pods(pod.metadata.namespace).includes(pod)) {
      const launcher = launchers.get(uid);
      // Its pod was ended by others; what runs in it goes with it.
      if (launcher && !launcher.isEnded) void exit(launcher, undefined);
      launchers.delete(uid);
    } else if (isLauncherUp(pod)) {
      const launcher =
        launchers.get(uid) ?? new Launcher({ uid, name: pod.metadata.name }, hypervisor, () => notified(uid));
      launchers.set(uid, launcher);
      void act(pod, owner.name, launcher);
    }
    updates.wake(`${pod.metadata.namespace}/${owner.name}`);
  }

  function notified(podUid: string): void {
    if (domainEventMs === 0) resync(podUid);
    else setTimeout(() => resync(podUid), domainEventMs).unref();
  }

  function resync(podUid: string): void {
    const pod = view.pods().find(({ metadata }) => metadata.uid === podUid);
    if (pod) sync(pod);
  }

  async function act(pod: Pod, vmiName: string, launcher: Launcher): Promise<void> {
    if (busy.has(launcher)) return;
    const plan = () => {
      const vmi = view.vmi(pod.metadata.namespace, vmiName);
      const owned = vmi && launcherPodsOf(vmi, [pod]).length > 0 ? vmi : undefined;
      const state = stateOf(pod);
      return { vmi: owned, action: state && nextLauncherAction(owned, pod, state, node.name) };
    };
    const { action } = plan();
    if (!action) return;
    busy.add(launcher);
    try {
      const step = action.kind === 'exit' ? action.step : `launcher:${action.kind}`;
      const { namespace, name } = pod.metadata;
      await gate(step, { by: 'virt-handler', kind: 'Pod', namespace, name });
      const now = plan();
      if (now.action?.kind === action.kind) await perform(now.action, now.vmi, pod, launcher);
    } catch (error) {
      log(`virt-handler of ${node.name}: ${launcher.podName}: ${action.kind}: ${error}`);
      await delay(retryMs);
    } finally {
      busy.delete(launcher);
    }
    resync(pod.metadata.uid);
  }

  async function perform(
    action: LauncherAction,
    vmi: VirtualMachineInstance | undefined,
    pod: Pod,
    launcher: Launcher,
  ): Promise<void> {
    if (action.kind === 'exit') return exit(launcher, action.exitCode);
    if (!vmi) return;
    const memoryBytes = bytesOf(vmi.spec.domain.memory?.guest ?? '128Mi');
    switch (action.kind) {
      case 'attach': {
        const sandbox = sandboxOf(pod.metadata.uid);
        if (!sandbox) throw new Error('the pod has no sandbox');
        launcher.attachments = await options.attach(vmi, sandbox);
        launcher.migrationPorts = listen(launcher);
        return;
      }
      case 'start':
        return launcher.startDomain(memoryBytes / 2 ** 20);
      case 'migrate': {
        const {
          migrationUid = '',
          migrationConfiguration,
          targetNodeAddress,
          targetDirectMigrationNodePorts,
        } = vmi.status.migrationState ?? {};
        const target = Object.keys(targetDirectMigrationNodePorts ?? {})
          .map((port) => proxies.get(`${targetNodeAddress}:${port}`))
          .find((found) => found !== undefined);
        if (!target) throw new Error(`nobody listens at ${targetNodeAddress}`);
        // A job of its own, as in libvirt: the launcher can be told to cancel it or to shut down meanwhile.
        void launcher.migrateTo(target, {
          migrationUid,
          memoryMiB: memoryBytes / 2 ** 20,
          postCopy: migrationConfiguration?.allowPostCopy ?? false,
          postCopyAfterMs: ((migrationConfiguration?.completionTimeoutPerGiB ?? 150) * 1000 * memoryBytes) / 2 ** 30,
          bandwidthBytesPerSecond: bytesOf(migrationConfiguration?.bandwidthPerMigration ?? '0'),
        });
        return;
      }
      case 'cancel':
        return launcher.cancelMigration();
      case 'shut-down':
        return launcher.shutDown();
    }
  }

  /** Opens the two proxies of a launcher: for QEMU's channel and for block devices. */
  function listen(launcher: Launcher): Readonly<Record<string, number>> {
    const qemuPort = nextPort++;
    const blockPort = nextPort++;
    for (const port of [qemuPort, blockPort]) proxies.set(`${node.address}:${port}`, launcher);
    return { [qemuPort]: 0, [blockPort]: 49152 };
  }

  async function exit(launcher: Launcher, exitCode: number | undefined): Promise<void> {
    for (const [address, found] of proxies) if (found === launcher) proxies.delete(address);
    await launcher.end();
    if (exitCode !== undefined) launcherExited(launcher.podUid, exitCode);
  }

  view.onChange((object) => {
    if (object.kind === 'Pod') sync(object);
    else if (object.kind === 'VirtualMachineInstance') {
      for (const pod of view.pods(object.metadata.namespace)) {
        if (pod.metadata.ownerReferences?.some(({ name }) => name === object.metadata.name)) sync(pod);
      }
      updates.wake(`${object.metadata.namespace}/${object.metadata.name}`);
    }
  });
  await view.start();
  return {
    launcherOf: (podName) => [...launchers.values()].find((launcher) => launcher.podName === podName),
    killLauncher: async (podName) => {
      const launcher = [...launchers.values()].find((one) => one.podName === podName);
      if (launcher) await exit(launcher, 137);
    },
    stop: async () => {
      stopped = true;
      view.stop();
      updates.stop();
      await Promise.all([...launchers.values()].map((launcher) => launcher.end()));
    },
  };
}

/** Between two tries of something that failed, such as a tap that the agent cannot make yet. */
const retryMs = 300;

/** KubeVirt takes free ports; here they only have to differ. */
let nextPort = 40_000;
