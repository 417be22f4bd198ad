import { isDeepStrictEqual } from 'node:util';
import {
  type Condition,
  currentPod,
  isFinal,
  isLauncherUp,
  launcherPodsOf,
  type Pod,
  type VirtualMachineInstance,
  type VmiStatus,
} from '../objects.ts';
import {
  inPhase,
  observeApiVersion,
  type PatchOperation,
  testAndReplace,
  type Write,
  withCondition,
} from '../write.ts';
import { launcherImage, launcherPod, memoryOverhead, unpausedGate } from './launcher-pod.ts';

/**
 * What virt-controller's VMI controller writes next (pkg/virt-controller/watch/vmi/lifecycle.go), or undefined when it is
 * content. Until the VMI is handed to a virt-handler it updates it, afterwards it only patches.
 *
 * @param allPods the launcher pods of this VMI among others
 * @param now RFC 3339
 */
export function nextVmiWrite(vmi: VirtualMachineInstance, allPods: readonly Pod[], now: string): Write | undefined {
  const observed = observeApiVersion(vmi);
  if (observed) return { step: 'vmi:api-version', verb: 'update', object: observed };
  const pods = launcherPodsOf(vmi, allPods);
  const pod = currentPod(vmi, allPods);
  const isDeleted = vmi.metadata.deletionTimestamp !== undefined;
  const { phase } = vmi.status;

  if (isDeleted) {
    const doomed = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (doomed) return { step: 'vmi:delete-pod', verb: 'delete', of: doomed };
  }
  if (!pod) {
    if (!isDeleted && phase === 'Pending') return { step: 'vmi:create-pod', verb: 'create', object: launcherPod(vmi) };
  } else {
    const write = podWrite(vmi, pod, now);
    if (write) return write;
  }
  return phaseWrite(vmi, pods, pod, now) ?? goneWrite(vmi, pods) ?? statusPatch(vmi, pods, pod, now);
}

/** The gate of the pod the guest runs in (or will), and the label that says on which node. */
function podWrite(vmi: VirtualMachineInstance, pod: Pod, now: string): Write | undefined {
  if (isFinal(pod.status?.phase) || pod.metadata.deletionTimestamp !== undefined) return undefined;
  if (!pod.status?.conditions?.some(({ type }) => type === unpausedGate)) {
    const gate: Condition = {
      ...{ type: unpausedGate, status: 'True', lastProbeTime: now, lastTransitionTime: now },
      ...{ reason: 'NotPaused', message: 'the virtual machine is not paused' },
    };
    const patch = testAndReplace('/status/conditions', pod.status?.conditions, [
      ...(pod.status?.conditions ?? []),
      gate,
    ]);
    return { step: stepOfPod(vmi, 'vmi:gate'), verb: 'patch/status', of: pod, patch };
  }
  const { nodeName } = vmi.status;
  const { labels = {} } = pod.metadata;
  if (nodeName !== undefined && labels['kubevirt.io/nodeName'] !== nodeName) {
    const patch = testAndReplace('/metadata/labels', labels, { ...labels, 'kubevirt.io/nodeName': nodeName });
    return { step: stepOfPod(vmi, 'vmi:pod-label'), verb: 'patch', of: pod, patch };
  }
  return undefined;
}

function stepOfPod(vmi: VirtualMachineInstance, atBoot: string): string {
  return vmi.status.migrationState?.endTimestamp === undefined ? atBoot : 'T18';
}

/** Pending → Scheduling → Scheduled, from where on virt-handler has the VMI. */
function phaseWrite(
  vmi: VirtualMachineInstance,
  pods: readonly Pod[],
  pod: Pod | undefined,
  now: string,
): Write | undefined {
  const { status, metadata } = vmi;
  if (status.phase !== 'Pending' && status.phase !== 'Scheduling') return undefined;
  const update = (step: string, changed: VmiStatus, labels = metadata.labels): Write => ({
    step,
    verb: 'update',
    object: { ...vmi, metadata: { ...metadata, ...(labels && { labels }) }, status: changed },
  });
  if (!pod) {
    const endedEarly = metadata.deletionTimestamp !== undefined;
    return endedEarly ? update('vmi:failed', inPhase(status, 'Failed', now)) : undefined;
  }
  if (isFinal(pod.status?.phase)) return update('vmi:failed', inPhase(status, 'Failed', now));
  const seen = { ...status, ...activePods(pods), ...qosClass(pod) };
  if (status.phase === 'Pending') {
    const notRunning: Condition = {
      ...{ type: 'Ready', status: 'False', lastProbeTime: now, lastTransitionTime: now },
      ...{ reason: 'GuestNotRunning', message: 'Guest VM is not reported as running' },
    };
    return update('vmi:scheduling', {
      ...inPhase(seen, 'Scheduling', now),
      conditions: withCondition(status.conditions, notRunning),
      launcherContainerImageVersion: launcherImage,
      memory: { ...status.memory, memoryOverhead: memoryOverhead.quantity },
    });
  }
  const { nodeName } = pod.spec;
  if (nodeName !== undefined && isLauncherUp(pod)) {
    const scheduled = {
      ...inPhase(seen, 'Scheduled', now),
      interfaces: (vmi.spec.networks ?? []).map(({ name }) => ({ name, podInterfaceName: 'eth0' })),
      migrationTransport: 'Unix',
      nodeName,
      ...(vmi.spec.volumes && { volumeStatus: vmi.spec.volumes.map(({ name }) => ({ name, target: '' })) }),
    };
    return update('vmi:scheduled', scheduled, { ...metadata.labels, 'kubevirt.io/nodeName': nodeName });
  }
  return isDeepStrictEqual(seen, status) ? undefined : update('vmi:active-pods', seen);
}

/** Once virt-handler has the VMI: which pods there are, and whether the guest's one is Ready. */
function statusPatch(
  vmi: VirtualMachineInstance,
  pods: readonly Pod[],
  pod: Pod | undefined,
  now: string,
): Write | undefined {
  const { status } = vmi;
  if (status.phase === 'Pending' || status.phase === 'Scheduling') return undefined;
  const patch: PatchOperation[] = [];
  const active = activePods(pods).activePods;
  if (!isDeepStrictEqual(active, status.activePods)) {
    patch.push(...testAndReplace('/status/activePods', status.activePods, active));
  }
  if (status.phase === 'Running' && pod) {
    const ready = readyCondition(pod, now);
    const before = status.conditions?.find(({ type }) => type === 'Ready');
    if (ready && !sameCondition(ready, before)) {
      patch.push(...testAndReplace('/status/conditions', status.conditions, withCondition(status.conditions, ready)));
    }
    if (!status.launcherContainerImageVersion) {
      patch.push({ op: 'add', path: '/status/launcherContainerImageVersion', value: launcherImage });
    }
  }
  return patch.length === 0 ? undefined : { step: 'vmi:status', verb: 'patch', of: vmi, patch };
}

/** The VMI goes when its guest has ended and all its pods are gone. */
function goneWrite(vmi: VirtualMachineInstance, pods: readonly Pod[]): Write | undefined {
  const { finalizers = [], deletionTimestamp } = vmi.metadata;
  const isLast = finalizers.length === 1 && finalizers[0] === 'kubevirt.io/foregroundDeleteVirtualMachine';
  if (deletionTimestamp === undefined || !isFinal(vmi.status.phase) || pods.length > 0 || !isLast) return undefined;
  const { finalizers: _gone, ...metadata } = vmi.metadata;
  return { step: 'vmi:gone', verb: 'update', object: { ...vmi, metadata } };
}

function activePods(pods: readonly Pod[]): { activePods: Record<string, string> } {
  return { activePods: Object.fromEntries(pods.map(({ metadata, spec }) => [metadata.uid, spec.nodeName ?? ''])) };
}

function qosClass(pod: Pod): { qosClass?: string } {
  return pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass };
}

/** VMI Ready follows the Ready condition of the pod the guest runs in. */
function readyCondition(pod: Pod, now: string): Condition | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || isFinal(pod.status?.phase)) {
    return {
      ...{ type: 'Ready', status: 'False', lastProbeTime: now, lastTransitionTime: now },
      ...{ reason: 'PodTerminating', message: 'virt-launcher pod is terminating' },
    };
  }
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  if (!ready) return undefined;
  const { status, reason, message, lastTransitionTime = null } = ready;
  return {
    ...{ type: 'Ready', status, lastProbeTime: null, lastTransitionTime },
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  };
}

/** Times left aside: a condition is not written anew because a second has passed. */
function sameCondition(one: Condition, other: Condition | undefined): boolean {
  return one.status === other?.status && one.reason === other.reason;
}
