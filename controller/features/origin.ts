import type { Key } from '../engine/table.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';

/** The VMI that a guest came from in a decentralised migration (decentralised-migration.ts). */
export interface Origin {
  readonly namespace: string;
  readonly name: string;
}

/** Where a VMI itself says that its guest comes, or came, from. */
export function toldOrigin({
  uid,
  name,
  isMigrationTarget,
  migrationState,
}: VirtualMachineInstance): Origin | undefined {
  const source = migrationState?.sourceState;
  if (source?.domainNamespace === undefined || source.virtualMachineInstanceUid === uid) return undefined;
  // Without a UID either side may be meant.
  if (source.virtualMachineInstanceUid === undefined && !isMigrationTarget) return undefined;
  return { namespace: source.domainNamespace, name: source.domainName ?? name };
}

/** Key of the VMI that a finished or running migration names as its source; an index of the table of VMIs. */
export function receivedFrom(vmi: VirtualMachineInstance): readonly Key[] {
  const origin = toldOrigin(vmi);
  return origin === undefined ? [] : [`${origin.namespace}/${origin.name}`];
}
