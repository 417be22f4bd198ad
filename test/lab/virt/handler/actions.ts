import { isFinal, type Pod, type VirtualMachineInstance } from '../objects.ts';
import type { LauncherState } from './vmi-updates.ts';

/** What a virt-handler has one of its launchers do. */
export type LauncherAction =
  | { readonly kind: 'attach' | 'start' | 'migrate' | 'cancel' | 'shut-down' }
  | { readonly kind: 'exit'; readonly exitCode: number; readonly step: string };

/**
 * What the launcher of a pod that runs on this node is to do next, by the objects as they are and by what it has done; undefined
 * when it is to go on as it is.
 *
 * @param vmi undefined when it is gone
 */
export function nextLauncherAction(
  vmi: VirtualMachineInstance | undefined,
  pod: Pod,
  launcher: LauncherState,
  nodeName: string,
): LauncherAction | undefined {
  if (launcher.isEnded) return undefined;
  if (!vmi) return exit('vmi:launcher-exits');
  const { status } = vmi;
  const state = status.migrationState;
  const { domain, migration } = launcher;
  const isThis = migration !== undefined && migration.migrationUid === state?.migrationUid;
  const isSource = state?.sourcePod === pod.metadata.name && state.sourceNode === nodeName;
  const isTarget = state?.targetPod === pod.metadata.name && state.targetNode === nodeName;

  // T19: the domain has gone elsewhere, and whoever watched over it has nothing more to do.
  if (isSource && isThis && migration.outcome?.status === 'completed') return exit('T19');
  if (isFinal(status.phase)) return exit('vmi:launcher-exits', status.phase === 'Failed' ? 1 : 0);
  const isHome = status.nodeName === nodeName && !(isTarget && state.failed);
  if (!isHome && isTarget && state.failed) return exit('migration:target-exits');
  if (vmi.metadata.deletionTimestamp !== undefined) {
    // The target of a migration waits until the VMI is final.
    return isHome && domain === 'running' ? { kind: 'shut-down' } : undefined;
  }
  // A target that nobody has handed anything to: its migration was cancelled.
  if (pod.metadata.deletionTimestamp !== undefined && domain === 'none') return exit('migration:target-exits');

  const isAwaited = isTarget && !state.completed && vmi.metadata.labels?.[targetLabel] === nodeName;
  if (!launcher.attachments) {
    return (isHome && status.phase === 'Scheduled') || isAwaited ? { kind: 'attach' } : undefined;
  }
  if (isHome && domain === 'none' && status.phase === 'Scheduled' && status.migrationMethod !== undefined) {
    return { kind: 'start' };
  }
  if (isSource && isHome && domain === 'running' && !state.completed) {
    if (!isThis && state.targetDirectMigrationNodePorts && state.startTimestamp === undefined)
      return { kind: 'migrate' };
    if (isThis && state.abortRequested && migration.running && !migration.outcome) return { kind: 'cancel' };
  }
  return undefined;
}

const targetLabel = 'kubevirt.io/migrationTargetNodeName';

function exit(step: string, exitCode = 0): LauncherAction {
  return { kind: 'exit', step, exitCode };
}
