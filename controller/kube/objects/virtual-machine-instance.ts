import { Fields } from './fields.ts';
import { interfacesOf, networksOf, type VmInterface, type VmNetwork } from './interfaces.ts';
import { isDeleting, isUsedAnnotation, type Owner, ownerOf, present } from './metadata.ts';
import { type MigrationState, migrationStateOf } from './migration-state.ts';

/** A kubevirt.io/v1 VirtualMachineInstance. It has no status subresource: virt-controller and virt-handler write the whole. */
export interface VirtualMachineInstance {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The VirtualMachine; absent on a bare VMI. */
  readonly owner?: Owner;
  readonly deleting: boolean;
  /** `Pending`, `Scheduling`, `Scheduled`, `Running`, `Succeeded`, `Failed`, `Unknown`, `WaitingForSync`; '' before the first write. */
  readonly phase: string;
  /** Where the guest runs, except on the target of a decentralised migration before the guest is there. */
  readonly nodeName?: string;
  readonly interfaces: readonly VmInterface[];
  readonly networks: readonly VmNetwork[];
  readonly hostname?: string;
  readonly subdomain?: string;
  /** Of the current or of the last migration. */
  readonly migrationState?: MigrationState;
  /** Label `kubevirt.io/migrationTargetNodeName`; it may stay after a failed migration. */
  readonly migrationTargetNodeName?: string;
  /** Annotation `kubevirt.io/create-migration-target`: this VMI waits to receive a decentralised migration. */
  readonly isMigrationTarget: boolean;
}

export function trimVirtualMachineInstance(json: unknown): VirtualMachineInstance {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const spec = object.needObject('spec');
  const status = object.object('status');
  const labels = metadata.stringMap('labels');
  const annotations = metadata.stringMap('annotations', isUsedAnnotation);
  const nodeName = status?.string('nodeName');
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    labels,
    annotations,
    deleting: isDeleting(metadata),
    phase: status?.string('phase') ?? '',
    interfaces: interfacesOf(spec),
    networks: networksOf(spec),
    isMigrationTarget: annotations['kubevirt.io/create-migration-target'] === 'true',
    ...present({
      owner: ownerOf(metadata),
      nodeName: nodeName === '' ? undefined : nodeName,
      hostname: spec.string('hostname'),
      subdomain: spec.string('subdomain'),
      migrationState: migrationStateOf(status),
      migrationTargetNodeName: labels['kubevirt.io/migrationTargetNodeName'],
    }),
  };
}
