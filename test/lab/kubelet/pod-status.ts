import type { Condition, ContainerStatus, Pod, PodStatus } from './pod.ts';

/** What runs of a pod on the node, as the kubelet knows it. */
export type PodState =
  | { readonly kind: 'creating' }
  | { readonly kind: 'running'; readonly podIPs: readonly string[]; readonly startedAt: string }
  | { readonly kind: 'exited'; readonly exitCode: number; readonly finishedAt: string };

/**
 * The status a kubelet writes for a pod in this state (kubernetes pkg/kubelet/kubelet_pods.go, generateAPIPodStatus). Conditions
 * that are not the kubelet's, such as those of readiness gates, stay as they are.
 *
 * @param now RFC 3339.
 */
export function podStatus(pod: Pod, state: PodState, hostIPs: readonly string[], now: string): PodStatus {
  const before = pod.status ?? {};
  const podIPs = state.kind === 'running' ? state.podIPs.map((ip) => ({ ip })) : before.podIPs;
  const [hostIP] = hostIPs;
  return {
    ...before,
    phase: phaseOf(state),
    startTime: before.startTime ?? now,
    qosClass: before.qosClass ?? 'BestEffort',
    ...(hostIP && { hostIP, hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(podIPs?.[0] && { podIP: podIPs[0].ip, podIPs }),
    conditions: conditions(pod, state, now),
    containerStatuses: pod.spec.containers.map((container) => containerStatus(container, state)),
  };
}

function phaseOf(state: PodState): NonNullable<PodStatus['phase']> {
  switch (state.kind) {
    case 'creating':
      return 'Pending';
    case 'running':
      return 'Running';
    case 'exited':
      return state.exitCode === 0 ? 'Succeeded' : 'Failed';
  }
}

function conditions(pod: Pod, state: PodState, now: string): readonly Condition[] {
  const before = pod.status?.conditions ?? [];
  const containersReady = state.kind === 'running';
  const closedGate = (pod.spec.readinessGates ?? []).find(
    ({ conditionType }) => !before.some(({ type, status }) => type === conditionType && status === 'True'),
  );
  const notReady = { creating: 'ContainersNotReady', running: 'ReadinessGatesNotReady', exited: exitReason(state) }[
    state.kind
  ];
  const wanted: readonly Condition[] = [
    { type: 'PodReadyToStartContainers', status: containersReady ? 'True' : 'False' },
    { type: 'Initialized', status: 'True' },
    { type: 'Ready', ...(containersReady && !closedGate ? { status: 'True' } : { status: 'False', reason: notReady }) },
    { type: 'ContainersReady', ...(containersReady ? { status: 'True' } : { status: 'False', reason: notReady }) },
    { type: 'PodScheduled', status: 'True' },
  ];
  const ours = wanted.map((condition) => {
    const old = before.find(({ type }) => type === condition.type);
    const since = old?.status === condition.status ? old.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: since ?? now };
  });
  return [...before.filter(({ type }) => !wanted.some((condition) => condition.type === type)), ...ours];
}

function exitReason(state: PodState): string {
  return state.kind === 'exited' && state.exitCode === 0 ? 'PodCompleted' : 'PodFailed';
}

function containerStatus({ name, image = '' }: Pod['spec']['containers'][number], state: PodState): ContainerStatus {
  return {
    name,
    image,
    imageID: image,
    ready: state.kind === 'running',
    started: state.kind === 'running',
    restartCount: 0,
    state: containerState(state),
  };
}

function containerState(state: PodState): ContainerStatus['state'] {
  switch (state.kind) {
    case 'creating':
      return { waiting: { reason: 'ContainerCreating' } };
    case 'running':
      return { running: { startedAt: state.startedAt } };
    case 'exited': {
      const { exitCode, finishedAt } = state;
      return { terminated: { exitCode, finishedAt, reason: exitCode === 0 ? 'Completed' : 'Error' } };
    }
  }
}
