import type { Attachment } from '../attachments.ts';
import type { Condition, MigrationState, VirtualMachineInstance, VmiStatus, VmiStatusInterface } from '../objects.ts';
import { isFinal } from '../objects.ts';
import { inPhase, withCondition } from '../write.ts';
import type { MigrationJob } from './launcher.ts';

/** What a virt-handler knows of one VMI: the object, and the launcher it has on this node. */
export interface HandlerView {
  readonly vmi: VirtualMachineInstance;
  readonly node: { readonly name: string; readonly address: string };
  readonly launcher: LauncherState | undefined;
  /** RFC 3339 */
  readonly now: string;
  /** Tell of the running domain (T13) and move the VMI (T15) in one PUT, as KubeVirt does when it comes to both at once. */
  readonly readyAndAckAtOnce: boolean;
}

export interface LauncherState {
  readonly podName: string;
  readonly attachments: readonly Attachment[] | undefined;
  /** IPs of the pod; those of a pod in the node's network say nothing of the guest. */
  readonly podIPs: readonly string[];
  readonly domain: 'none' | 'incoming' | 'running' | 'ended';
  readonly migration: MigrationJob | undefined;
  /** Where the target can be reached, once it listens. */
  readonly migrationPorts: Readonly<Record<string, number>> | undefined;
  readonly isEnded: boolean;
}

/** The VMI as it is to be PUT, and the step that this is. */
export interface VmiUpdate {
  readonly step: string;
  readonly vmi: VirtualMachineInstance;
}

/**
 * What virt-handler PUTs next, or undefined when it is content. Its two controllers are two functions: the VMI's own node
 * (pkg/virt-handler/vm.go, migration-source.go) and the target of a migration (migration-target.go).
 */
export function nextVmiUpdate(view: HandlerView): VmiUpdate | undefined {
  const { vmi, node } = view;
  const isTarget = vmi.metadata.labels?.['kubevirt.io/migrationTargetNodeName'] === node.name;
  return (
    (isTarget ? nextOfTarget(view) : undefined) ?? (vmi.status.nodeName === node.name ? nextOfHome(view) : undefined)
  );
}

function nextOfHome(view: HandlerView): VmiUpdate | undefined {
  const { vmi, launcher, node, now } = view;
  const { status } = vmi;
  if (isFinal(status.phase) || !launcher) return undefined;
  const { domain, migration } = launcher;
  const state = status.migrationState;
  if (vmi.metadata.deletionTimestamp !== undefined) {
    return domain === 'ended' || domain === 'none' ? ended(vmi, 'Succeeded', now) : undefined;
  }
  if (status.phase === 'Scheduled' && launcher.attachments && status.migrationMethod === undefined) {
    return withStatus('vmi:prepared', vmi, {
      conditions: [...migratable].reduce((all, condition) => withCondition(all, condition), status.conditions ?? []),
      migrationMethod: 'LiveMigration',
      selinuxContext: 'none',
    });
  }
  if (status.phase === 'Scheduled' && domain === 'running') {
    return {
      step: 'vmi:running',
      vmi: {
        ...vmi,
        status: { ...inPhase(status, 'Running', now), ...machineType, interfaces: interfaces(vmi, launcher) },
      },
    };
  }
  if (state && migration && state.sourceNode === node.name && migration.migrationUid === state.migrationUid) {
    const write = nextOfSource(vmi, state, migration, now);
    if (write) return write;
    // Post-copy that failed leaves nothing to go back to.
    if (state.failed && state.mode === 'PostCopy') return ended(vmi, 'Failed', now);
    if (!state.completed || migration.outcome?.status === 'completed') return undefined;
  }
  return domain === 'ended' ? ended(vmi, 'Failed', now) : undefined;
}

/** T10, the switch to post-copy, and the report of a migration that came to nothing. */
function nextOfSource(
  vmi: VirtualMachineInstance,
  state: MigrationState,
  { mode, outcome }: MigrationJob,
  now: string,
): VmiUpdate | undefined {
  if (state.completed) return undefined;
  if (state.startTimestamp === undefined) {
    return withMigrationState('T10', vmi, { startTimestamp: now, mode: 'PreCopy' });
  }
  if (outcome && outcome.status !== 'completed') {
    return withMigrationState('migration:source-failed', vmi, {
      completed: true,
      failed: true,
      endTimestamp: now,
      mode: outcome.mode,
      ...(state.abortRequested && { abortStatus: 'Succeeded' }),
      failureReason:
        outcome.status === 'cancelled' ? 'Live migration has been aborted' : `Live migration failed: ${outcome.error}`,
    });
  }
  if (mode === 'PostCopy' && state.mode !== 'PostCopy' && !outcome) {
    return withMigrationState('migration:post-copy', vmi, { mode: 'PostCopy' });
  }
  return undefined;
}

/** T8, T12, T13, T15, T16, T17; or the end of a target that is not needed any more. */
function nextOfTarget(view: HandlerView): VmiUpdate | undefined {
  const { vmi, node, launcher, now, readyAndAckAtOnce } = view;
  const state = vmi.status.migrationState;
  if (!state || state.targetNode !== node.name) return undefined;
  if (vmi.status.nodeName === node.name) {
    if (!state.completed) return withMigrationState('T16', vmi, { completed: true });
    return { step: 'T17', vmi: withoutTargetLabel(vmi) };
  }
  if (state.completed) {
    const isCleanedUp = !launcher || launcher.isEnded || launcher.podName !== state.targetPod;
    return isCleanedUp ? { step: 'migration:target-label', vmi: withoutTargetLabel(vmi) } : undefined;
  }
  if (!launcher || launcher.podName !== state.targetPod) return undefined;
  if (launcher.migrationPorts && state.targetNodeAddress === undefined) {
    return withMigrationState('T8', vmi, {
      targetNodeAddress: node.address,
      targetDirectMigrationNodePorts: launcher.migrationPorts,
    });
  }
  if (!state.targetNodeDomainDetected) {
    const isThere = launcher.domain === 'incoming' || launcher.domain === 'running';
    return isThere ? withMigrationState('T12', vmi, { targetNodeDomainDetected: true }) : undefined;
  }
  if (launcher.domain !== 'running') return undefined;
  const { migration } = launcher;
  const hasArrived = migration?.migrationUid === state.migrationUid && migration?.outcome?.status === 'completed';
  const isReady = state.targetNodeDomainReadyTimestamp !== undefined;
  if (!isReady && !(readyAndAckAtOnce && hasArrived)) {
    return withMigrationState('T13', vmi, { targetNodeDomainReadyTimestamp: now });
  }
  return hasArrived ? acknowledged(vmi, state, node.name, now) : undefined;
}

/** T15: from here on the VMI is this node's. */
function acknowledged(vmi: VirtualMachineInstance, state: MigrationState, nodeName: string, now: string): VmiUpdate {
  const { launcherContainerImageVersion: _unknown, evacuationNodeName: _done, ...status } = vmi.status;
  return {
    step: 'T15',
    vmi: {
      ...vmi,
      metadata: { ...vmi.metadata, labels: { ...vmi.metadata.labels, 'kubevirt.io/nodeName': nodeName } },
      status: {
        ...status,
        nodeName,
        migrationTransport: 'Unix',
        migrationState: {
          ...state,
          targetNodeDomainReadyTimestamp: state.targetNodeDomainReadyTimestamp ?? now,
          startTimestamp: state.startTimestamp ?? now,
          endTimestamp: now,
        },
      },
    },
  };
}

function withoutTargetLabel(vmi: VirtualMachineInstance): VirtualMachineInstance {
  const { 'kubevirt.io/migrationTargetNodeName': _gone, ...labels } = vmi.metadata.labels ?? {};
  return { ...vmi, metadata: { ...vmi.metadata, labels } };
}

function withMigrationState(step: string, vmi: VirtualMachineInstance, change: MigrationState): VmiUpdate {
  return withStatus(step, vmi, { migrationState: { ...vmi.status.migrationState, ...change } });
}

function withStatus(step: string, vmi: VirtualMachineInstance, change: Partial<VmiStatus>): VmiUpdate {
  return { step, vmi: { ...vmi, status: { ...vmi.status, ...change } } };
}

function ended(vmi: VirtualMachineInstance, phase: 'Succeeded' | 'Failed', now: string): VmiUpdate {
  return { step: 'vmi:ended', vmi: { ...vmi, status: inPhase(vmi.status, phase, now) } };
}

/** What the domain says of its NICs; there is no guest agent in the lab's guest. */
function interfaces(
  vmi: VirtualMachineInstance,
  { attachments = [], podIPs }: LauncherState,
): readonly VmiStatusInterface[] {
  const [ipAddress] = podIPs;
  return (vmi.spec.networks ?? []).map(({ name }, index) => ({
    infoSource: 'domain',
    ...(ipAddress !== undefined && { ipAddress, ipAddresses: podIPs }),
    linkState: 'up',
    mac: attachments[index]?.mac ?? '',
    name,
    podInterfaceName: 'eth0',
    queueCount: 1,
  }));
}

const migratable: readonly Condition[] = [
  { lastProbeTime: null, lastTransitionTime: null, status: 'True', type: 'LiveMigratable' },
  { lastProbeTime: null, lastTransitionTime: null, status: 'True', type: 'StorageLiveMigratable' },
];

const machineType = { machine: { type: 'pc-q35-rhel9.6.0' } };
