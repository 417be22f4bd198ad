import type { Fields } from './fields.ts';
import { present } from './metadata.ts';

/**
 * `status.migrationState` of a VMI or VMIM (KubeVirt `staging/src/kubevirt.io/api/core/v1/types.go`). It stays on a VMI after its
 * migration has ended, until the next hand-off replaces it, so its presence does not say that a migration runs.
 */
export interface MigrationState {
  /** UID of the VirtualMachineInstanceMigration; absent while a VMIM only names its source pod. */
  readonly migrationUid?: string;
  readonly sourceNode?: string;
  readonly sourcePod?: string;
  readonly targetNode?: string;
  readonly targetPod?: string;
  /** Milliseconds since 1970, as are the other timestamps. */
  readonly startTimestamp?: number;
  readonly endTimestamp?: number;
  readonly targetNodeDomainDetected: boolean;
  readonly targetNodeDomainReadyTimestamp?: number;
  readonly completed: boolean;
  readonly failed: boolean;
  /** Stays true when the abort came too late and the migration succeeded. */
  readonly abortRequested: boolean;
  readonly abortStatus?: string;
  /** `PostCopy`: the guest runs on the target already, and there is no way back. */
  readonly mode?: 'PreCopy' | 'PostCopy' | 'Paused';
  /** Only in decentralised migrations. */
  readonly sourceState?: MigrationSide;
  readonly targetState?: MigrationSide;
}

/** One end of a decentralised migration, which may be in another namespace. */
export interface MigrationSide {
  readonly migrationUid?: string;
  readonly domainNamespace?: string;
  readonly domainName?: string;
  readonly virtualMachineInstanceUid?: string;
  readonly node?: string;
  readonly pod?: string;
  readonly domainDetected: boolean;
  readonly domainReadyTimestamp?: number;
}

export function migrationStateOf(status: Fields | undefined): MigrationState | undefined {
  const state = status?.object('migrationState');
  if (state === undefined) return undefined;
  const mode = state.string('mode');
  return {
    targetNodeDomainDetected: state.boolean('targetNodeDomainDetected') ?? false,
    completed: state.boolean('completed') ?? false,
    failed: state.boolean('failed') ?? false,
    abortRequested: state.boolean('abortRequested') ?? false,
    ...present({
      migrationUid: nonEmpty(state.string('migrationUid')),
      sourceNode: nonEmpty(state.string('sourceNode')),
      sourcePod: nonEmpty(state.string('sourcePod')),
      targetNode: nonEmpty(state.string('targetNode')),
      targetPod: nonEmpty(state.string('targetPod')),
      startTimestamp: state.time('startTimestamp'),
      endTimestamp: state.time('endTimestamp'),
      targetNodeDomainReadyTimestamp: state.time('targetNodeDomainReadyTimestamp'),
      abortStatus: nonEmpty(state.string('abortStatus')),
      mode: mode === '' ? undefined : state.oneOf('mode', ['PreCopy', 'PostCopy', 'Paused']),
      sourceState: sideOf(state.object('sourceState')),
      targetState: sideOf(state.object('targetState')),
    }),
  };
}

function sideOf(side: Fields | undefined): MigrationSide | undefined {
  if (side === undefined) return undefined;
  return {
    domainDetected: side.boolean('domainDetected') ?? false,
    ...present({
      // The API spells it migrationUID here and migrationUid one level up.
      migrationUid: nonEmpty(side.string('migrationUID')),
      domainNamespace: nonEmpty(side.string('domainNamespace')),
      domainName: nonEmpty(side.string('domainName')),
      virtualMachineInstanceUid: nonEmpty(side.string('virtualMachineInstanceUID')),
      node: nonEmpty(side.string('node')),
      pod: nonEmpty(side.string('pod')),
      domainReadyTimestamp: side.time('domainReadyTimestamp'),
    }),
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
