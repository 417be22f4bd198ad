import { deployedSchemas, type Schema } from './schema.ts';

/** A resource the stand-in serves: one row of what a real server learns from its compiled-in types and from CRDs. */
export interface Resource {
  /** '' for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Served at `/status`; then a write of the main resource leaves `status` alone, and one of `/status` all else. */
  readonly hasStatus: boolean;
  /** `metadata.generation` counts changes of everything but metadata (and but status, where that is a subresource). */
  readonly hasGeneration: boolean;
  /** A PUT without `metadata.resourceVersion` overwrites. Custom resources refuse it. */
  readonly allowsUnconditionalUpdate: boolean;
  /** Absent: anything goes. */
  readonly schema?: Schema;
}

export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `pods`, `virtualmachines.kubevirt.io`: as Kubernetes writes it in messages. */
export function qualifiedName(resource: Pick<Resource, 'group' | 'plural'>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

const schemas = deployedSchemas();

export const resources: readonly Resource[] = [
  core('Namespace', 'namespaces', ['ns'], { namespaced: false, hasStatus: true }),
  core('Node', 'nodes', ['no'], { namespaced: false, hasStatus: true }),
  core('Pod', 'pods', ['po'], { hasStatus: true, hasGeneration: true }),
  core('Service', 'services', ['svc'], { hasStatus: true }),
  core('ConfigMap', 'configmaps', ['cm']),
  core('Event', 'events', ['ev']),
  { ...core('Lease', 'leases', []), group: 'coordination.k8s.io' },
  {
    ...core('NetworkPolicy', 'networkpolicies', ['netpol'], { hasGeneration: true }),
    group: 'networking.k8s.io',
  },
  custom('kubevirt.io/v1', 'VirtualMachine', ['vm', 'vms'], { hasStatus: true }),
  // Without a status subresource, as in KubeVirt: virt-handler writes the whole object.
  custom('kubevirt.io/v1', 'VirtualMachineInstance', ['vmi', 'vmis'], { hasStatus: false }),
  custom('kubevirt.io/v1', 'VirtualMachineInstanceMigration', ['vmim', 'vmims'], { hasStatus: true }),
  custom('hawser.dev/v1alpha1', 'ClusterNetwork', ['cnet'], { hasStatus: true, namespaced: false }),
  custom('hawser.dev/v1alpha1', 'Network', ['net'], { hasStatus: true }),
  custom('hawser.dev/v1alpha1', 'VirtualMachineNetwork', ['vmnet'], { hasStatus: true }),
  custom('k8s.cni.cncf.io/v1alpha1', 'IPAMClaim', [], { hasStatus: true }),
  {
    ...custom('k8s.cni.cncf.io/v1', 'NetworkAttachmentDefinition', ['net-attach-def'], { hasStatus: false }),
    plural: 'network-attachment-definitions',
    singular: 'network-attachment-definition',
  },
].map((resource) => {
  const schema = schemas.get(qualifiedName(resource));
  return schema === undefined ? resource : { ...resource, schema };
});

function core(kind: string, plural: string, shortNames: readonly string[], traits: Partial<Resource> = {}): Resource {
  return {
    group: '',
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames,
    namespaced: true,
    hasStatus: false,
    hasGeneration: false,
    allowsUnconditionalUpdate: true,
    ...traits,
  };
}

function custom(
  apiVersion: string,
  kind: string,
  shortNames: readonly string[],
  traits: Partial<Resource> & Pick<Resource, 'hasStatus'>,
): Resource {
  const [group = '', version = ''] = apiVersion.split('/');
  return {
    ...core(kind, `${kind.toLowerCase()}s`, shortNames, { hasGeneration: true, allowsUnconditionalUpdate: false }),
    group,
    version,
    ...traits,
  };
}
