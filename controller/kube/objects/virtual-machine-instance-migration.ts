import { Fields } from './fields.ts';
import { isDeleting, present } from './metadata.ts';
import { type MigrationState, migrationStateOf } from './migration-state.ts';

/** A kubevirt.io/v1 VirtualMachineInstanceMigration. */
export interface VirtualMachineInstanceMigration {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly vmiName: string;
  /**
   * '' (unset), `WaitingForSync`, `Synchronizing`, `Pending`, `Scheduling`, `Scheduled`, `PreparingTarget`, `TargetReady`, `Running`,
   * `Succeeded`, `Failed`.
   */
  readonly phase: string;
  /** Deletion of an unfinished migration cancels it; a finalizer holds the object until then. */
  readonly deleting: boolean;
  /** Condition `migrationAbortRequested` is `True`. */
  readonly abortRequested: boolean;
  /** Only `sourcePod` while the migration runs; a copy of the VMI's after its final phase. */
  readonly migrationState?: MigrationState;
  /** Source side of a decentralised migration: the `migrationID` it shares with the `receive` side. */
  readonly sendTo?: string;
  /** Target side of a decentralised migration. */
  readonly receive?: string;
  /** Milliseconds since 1970. */
  readonly creationTimestamp: number;
}

export function trimVirtualMachineInstanceMigration(json: unknown): VirtualMachineInstanceMigration {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const spec = object.needObject('spec');
  const status = object.object('status');
  const abort = status
    ?.objects('conditions')
    .find((condition) => condition.string('type') === 'migrationAbortRequested');
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    vmiName: spec.string('vmiName') ?? '',
    phase: status?.string('phase') ?? '',
    deleting: isDeleting(metadata),
    abortRequested: abort?.string('status') === 'True',
    creationTimestamp: metadata.time('creationTimestamp') ?? 0,
    ...present({
      migrationState: migrationStateOf(status),
      sendTo: spec.object('sendTo')?.string('migrationID'),
      receive: spec.object('receive')?.string('migrationID'),
    }),
  };
}
