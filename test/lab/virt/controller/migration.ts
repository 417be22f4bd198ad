import { isDeepStrictEqual } from 'node:util';
import {
  byAge,
  currentPod,
  isFinal,
  isLauncherUp,
  type VirtualMachineInstanceMigration as Migration,
  type MigrationConfiguration,
  type MigrationPhase,
  type MigrationState,
  type Pod,
  type VirtualMachineInstance,
} from '../objects.ts';
import {
  goTimeString,
  inPhase,
  observeApiVersion,
  pointer,
  testAndReplace,
  type Write,
  withCondition,
} from '../write.ts';
import { launcherPod, memoryOverhead, targetPodOf } from './launcher-pod.ts';

const finalizer = 'kubevirt.io/migrationJobFinalize';
const readyAnnotation = 'kubevirt.io/migration-target-ready-timestamp';
const nonroot = 'kubevirt.io/nonroot';
const abortCondition = 'migrationAbortRequested';

/** How many finished migrations of a VMI are kept, with their completed pods. */
const keptMigrations = 5;

/** What a migration is decided from: everything there is now, and nothing remembered. */
export interface MigrationView {
  readonly migration: Migration;
  /** undefined when it is gone. */
  readonly vmi: VirtualMachineInstance | undefined;
  /** Launcher pods of the namespace. */
  readonly pods: readonly Pod[];
  /** All migrations of the VMI. */
  readonly migrations: readonly Migration[];
  /** What the KubeVirt CR and a MigrationPolicy say. */
  readonly configuration: MigrationConfiguration;
  /** RFC 3339 */
  readonly now: string;
}

/**
 * What virt-controller's migration controller writes next (pkg/virt-controller/watch/migration/migration.go), or undefined
 * when it is content or waits for somebody. The steps are those of a pre-copy migration, `T1` to `T20`.
 */
export function nextMigrationWrite(view: MigrationView): Write | undefined {
  const { migration, vmi } = view;
  const { phase } = migration.status ?? {};
  if (!vmi) {
    const isGoing = migration.metadata.deletionTimestamp !== undefined;
    if (!isGoing) return { step: 'migration:delete', verb: 'delete', of: migration };
    return isFinal(phase) ? withoutFinalizer(migration) : toPhase(view, 'Failed', 'migration:failed');
  }
  const observed = observeApiVersion(migration);
  if (observed) return { step: 'T1', verb: 'update', object: observed };
  if (isFinal(phase)) return nextAfterEnd(view, vmi);
  return nextOfCancelled(view, vmi) ?? nextOfFailed(view, vmi) ?? nextOfProgress(view, vmi);
}

function nextOfProgress(view: MigrationView, vmi: VirtualMachineInstance): Write | undefined {
  const { migration, pods, migrations } = view;
  const target = targetPodOf(migration, pods);
  const state = stateOf(migration, vmi);
  switch (migration.status?.phase) {
    case undefined: {
      const isAlone = migrations.every(
        (one) => one === migration || one.status === undefined || isFinal(one.status.phase),
      );
      return toPhase(view, isAlone ? 'Pending' : 'Failed', 'T2', sourcePod(vmi, pods));
    }
    case 'Pending': {
      if (vmi.metadata.annotations?.[nonroot] === undefined) {
        const patch = [{ op: 'add' as const, path: pointer('metadata', 'annotations', nonroot), value: 'true' }];
        return { step: 'T3', verb: 'patch', of: vmi, patch };
      }
      return target
        ? toPhase(view, 'Scheduling', 'T4')
        : { step: 'T3', verb: 'create', object: launcherPod(vmi, migration) };
    }
    case 'Scheduling':
      return target && isLauncherUp(target) ? toPhase(view, 'Scheduled', 'T5') : undefined;
    case 'Scheduled':
      return state?.targetNode ? toPhase(view, 'PreparingTarget', 'T7') : handOff(view, vmi);
    case 'PreparingTarget':
      return state?.targetDirectMigrationNodePorts ? toPhase(view, 'TargetReady', 'T9') : undefined;
    case 'TargetReady':
      return state?.startTimestamp ? toPhase(view, 'Running', 'T11') : undefined;
    case 'Running': {
      const readyAt = state?.targetNodeDomainReadyTimestamp;
      if (readyAt !== undefined && target && target.metadata.annotations?.[readyAnnotation] === undefined) {
        const path = pointer('metadata', 'annotations', readyAnnotation);
        const patch = [{ op: 'add' as const, path, value: goTimeString(readyAt) }];
        return { step: 'T14', verb: 'patch', of: target, patch };
      }
      return state?.completed ? toPhase(view, 'Succeeded', 'T18b') : undefined;
    }
    default:
      return undefined;
  }
}

/** T6: one patch names both pods and both nodes on the VMI, and tells the target's virt-handler by a label. */
function handOff({ migration, pods, configuration }: MigrationView, vmi: VirtualMachineInstance): Write | undefined {
  const target = targetPodOf(migration, pods);
  const source = currentPod(vmi, pods);
  if (!target || !source || target.spec.nodeName === undefined || source.spec.nodeName === undefined) return undefined;
  const migrationState: MigrationState = {
    targetNode: target.spec.nodeName,
    targetPod: target.metadata.name,
    sourceNode: source.spec.nodeName,
    sourcePod: source.metadata.name,
    migrationUid: migration.metadata.uid,
    migrationConfiguration: configuration,
    targetMemoryOverhead: memoryOverhead.quantity,
  };
  const { labels = {} } = vmi.metadata;
  const patch = [
    { op: 'test' as const, path: '/status/migrationState', value: vmi.status.migrationState ?? null },
    { op: 'add' as const, path: '/status/migrationState', value: migrationState },
    ...testAndReplace('/metadata/labels', labels, {
      ...labels,
      'kubevirt.io/migrationTargetNodeName': target.spec.nodeName,
    }),
  ];
  return { step: 'T6', verb: 'patch', of: vmi, patch };
}

/** The target pod ended, a virt-handler reported a failure, or the guest itself ended. */
function nextOfFailed(view: MigrationView, vmi: VirtualMachineInstance): Write | undefined {
  const { migration, pods } = view;
  const { phase } = migration.status ?? {};
  if (phase === undefined || phase === 'Pending') return undefined;
  const state = stateOf(migration, vmi);
  if (state?.failed || isFinal(vmi.status.phase)) return toPhase(view, 'Failed', 'migration:failed');
  const target = targetPodOf(migration, pods);
  if (target && !isFinal(target.status?.phase)) return undefined;
  // Before Running the VMI is told first, from Running on the migration fails first and the VMI is told afterwards.
  if ((phase === 'PreparingTarget' || phase === 'TargetReady') && state?.startTimestamp === undefined) {
    return targetIsDown(view, vmi, { startTimestamp: view.now });
  }
  return state?.completed ? undefined : toPhase(view, 'Failed', 'migration:failed');
}

function targetIsDown({ migration, now }: MigrationView, vmi: VirtualMachineInstance, more: MigrationState): Write {
  const values = { failed: true, completed: true, endTimestamp: now, ...more, failureReason: 'Target pod is down' };
  const at = (field: string): string => `/status/migrationState/${field}`;
  const patch = [
    { op: 'test' as const, path: at('migrationUid'), value: migration.metadata.uid },
    ...Object.entries(values).map(([field, value]) => ({ op: 'add' as const, path: at(field), value })),
  ];
  return { step: 'migration:target-is-down', verb: 'patch', of: vmi, patch };
}

/** Deleting a migration cancels it; its finalizer keeps it until it has ended. */
function nextOfCancelled(view: MigrationView, vmi: VirtualMachineInstance): Write | undefined {
  const { migration, pods, now } = view;
  const { deletionTimestamp } = migration.metadata;
  if (deletionTimestamp === undefined) return undefined;
  const state = stateOf(migration, vmi);
  const { status = {} } = migration;
  const requested = status.conditions?.some(({ type }) => type === abortCondition);
  const conditions = withCondition(status.conditions, {
    ...{ type: abortCondition, status: 'True', lastProbeTime: now, lastTransitionTime: null },
  });
  if (!state) {
    const target = targetPodOf(migration, pods);
    if (target && target.metadata.deletionTimestamp === undefined && !isFinal(target.status?.phase)) {
      return { step: 'migration:delete-target-pod', verb: 'delete', of: target };
    }
    const failed = { ...migration, status: { ...inPhase(status, 'Failed', now), conditions } };
    return { step: 'migration:failed', verb: 'update/status', object: failed };
  }
  if (!requested) {
    const object = { ...migration, status: { ...status, conditions } };
    return { step: 'migration:abort-requested', verb: 'update/status', object };
  }
  if (status.phase === 'Running' && !state.abortRequested && !state.completed) {
    const after = { ...vmi.status, migrationState: { ...state, abortRequested: true } };
    return { step: 'migration:abort', verb: 'patch', of: vmi, patch: testAndReplace('/status', vmi.status, after) };
  }
  return undefined;
}

/** After the final phase: tell the VMI, copy what the VMI says, let go of the finalizer, throw out the oldest. */
function nextAfterEnd(view: MigrationView, vmi: VirtualMachineInstance): Write | undefined {
  const { migration, pods, migrations } = view;
  const state = stateOf(migration, vmi);
  const target = targetPodOf(migration, pods);
  if (
    migration.status?.phase === 'Failed' &&
    state &&
    !state.completed &&
    !isFinal(vmi.status.phase) &&
    (!target || isFinal(target.status?.phase))
  ) {
    return targetIsDown(view, vmi, {});
  }
  if (state && !isDeepStrictEqual(migration.status?.migrationState, state)) {
    const object = { ...migration, status: { ...migration.status, migrationState: state } };
    return { step: 'migration:state', verb: 'update/status', object };
  }
  return withoutFinalizer(migration) ?? nextOfGarbage(migration, migrations, pods);
}

function nextOfGarbage(
  migration: Migration,
  migrations: readonly Migration[],
  pods: readonly Pod[],
): Write | undefined {
  const ended = migrations.filter(({ status }) => isFinal(status?.phase)).sort(byAge);
  if (!ended.slice(0, -keptMigrations).includes(migration)) return undefined;
  const { phase, migrationState } = migration.status ?? {};
  const podName = phase === 'Failed' ? migrationState?.targetPod : migrationState?.sourcePod;
  const pod = pods.find(({ metadata, status }) => metadata.name === podName && isFinal(status?.phase));
  if (pod && pod.metadata.deletionTimestamp === undefined) return { step: 'T20', verb: 'delete', of: pod };
  return { step: 'T20', verb: 'delete', of: migration };
}

function withoutFinalizer(migration: Migration): Write | undefined {
  const { finalizers = [], ...metadata } = migration.metadata;
  if (!finalizers.includes(finalizer)) return undefined;
  const left = finalizers.filter((one) => one !== finalizer);
  const object = { ...migration, metadata: { ...metadata, ...(left.length > 0 && { finalizers: left }) } };
  return { step: 'migration:finalizer', verb: 'update', object };
}

function toPhase(
  { migration, now }: MigrationView,
  phase: MigrationPhase,
  step: string,
  more: { migrationState?: MigrationState } = {},
): Write {
  const status = { ...inPhase(migration.status ?? {}, phase, now), ...more };
  return { step, verb: 'update/status', object: { ...migration, status } };
}

function sourcePod(vmi: VirtualMachineInstance, pods: readonly Pod[]): { migrationState?: MigrationState } {
  const pod = currentPod(vmi, pods);
  return pod ? { migrationState: { sourcePod: pod.metadata.name } } : {};
}

/** The VMI's account of this migration; after a hand-off only, and not that of an earlier one. */
function stateOf(migration: Migration, vmi: VirtualMachineInstance): MigrationState | undefined {
  const state = vmi.status.migrationState;
  return state?.migrationUid === migration.metadata.uid ? state : undefined;
}
