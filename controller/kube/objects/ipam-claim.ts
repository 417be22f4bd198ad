import { Fields } from './fields.ts';
import { isDeleting, type Owner, ownerOf, present } from './metadata.ts';

/** A k8s.cni.cncf.io/v1alpha1 IPAMClaim: the addresses a VM's NIC keeps until the VM is deleted. */
export interface IPAMClaim {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The VirtualMachine, or the VMI when that is bare. */
  readonly owner?: Owner;
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
  /** `spec.network`: name of the network the addresses are of. */
  readonly network: string;
  /** `spec.interface`: pod interface name. */
  readonly interface: string;
  /** `status.ips`: CIDRs (`10.244.0.5/16`), as ipam-extensions and OVN-Kubernetes write them; empty until allocated. */
  readonly ips: readonly string[];
  /** Only while `ips` is empty: the version in which they may be filled in. */
  readonly resourceVersion?: string;
  /** What condition `IPsAllocated` says while it is False. */
  readonly conflict?: string;
}

export function trimIPAMClaim(json: unknown): IPAMClaim {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const spec = object.needObject('spec');
  const status = object.object('status');
  const ips = status?.strings('ips') ?? [];
  const allocated = status?.objects('conditions').find((condition) => condition.string('type') === 'IPsAllocated');
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    labels: metadata.stringMap('labels'),
    finalizers: metadata.strings('finalizers'),
    deleting: isDeleting(metadata),
    network: spec.needString('network'),
    interface: spec.string('interface') ?? '',
    ips,
    ...present({
      owner: ownerOf(metadata),
      resourceVersion: ips.length > 0 ? undefined : metadata.string('resourceVersion'),
      conflict: allocated?.string('status') === 'False' ? (allocated.string('message') ?? '') : undefined,
    }),
  };
}
