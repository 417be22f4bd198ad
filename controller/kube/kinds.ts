import { type IPAMClaim, trimIPAMClaim } from './objects/ipam-claim.ts';
import { type Namespace, trimNamespace } from './objects/namespace.ts';
import { type ClusterNetwork, type Network, trimClusterNetwork, trimNetwork } from './objects/network.ts';
import {
  type NetworkAttachmentDefinition,
  trimNetworkAttachmentDefinition,
} from './objects/network-attachment-definition.ts';
import { type NetworkPolicy, trimNetworkPolicy } from './objects/network-policy.ts';
import { type Node, trimNode } from './objects/node.ts';
import { type Pod, trimPod } from './objects/pod.ts';
import { trimVirtualMachine, type VirtualMachine } from './objects/virtual-machine.ts';
import { trimVirtualMachineInstance, type VirtualMachineInstance } from './objects/virtual-machine-instance.ts';
import {
  trimVirtualMachineInstanceMigration,
  type VirtualMachineInstanceMigration,
} from './objects/virtual-machine-instance-migration.ts';
import { trimVirtualMachineNetwork, type VirtualMachineNetwork } from './objects/virtual-machine-network.ts';

/** One kind of object: where the API serves it and what we keep of it. */
export interface Kind<T> {
  /** As in `kind:` of an object. */
  readonly kind: string;
  /** As in `apiVersion:` of an object. */
  readonly apiVersion: string;
  /** Lower-case plural, as in paths and in RBAC. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** Unknown JSON → our small type. Throws `MalformedField` (and nothing else) on an object that is not of this kind. */
  trim(this: void, json: unknown): T;
}

export const nodes: Kind<Node> = kind('v1', 'Node', 'nodes', false, trimNode);
export const namespaces: Kind<Namespace> = kind('v1', 'Namespace', 'namespaces', false, trimNamespace);
export const pods: Kind<Pod> = kind('v1', 'Pod', 'pods', true, trimPod);
export const virtualMachines: Kind<VirtualMachine> = kind(
  'kubevirt.io/v1',
  'VirtualMachine',
  'virtualmachines',
  true,
  trimVirtualMachine,
);
export const virtualMachineInstances: Kind<VirtualMachineInstance> = kind(
  'kubevirt.io/v1',
  'VirtualMachineInstance',
  'virtualmachineinstances',
  true,
  trimVirtualMachineInstance,
);
export const virtualMachineInstanceMigrations: Kind<VirtualMachineInstanceMigration> = kind(
  'kubevirt.io/v1',
  'VirtualMachineInstanceMigration',
  'virtualmachineinstancemigrations',
  true,
  trimVirtualMachineInstanceMigration,
);
export const clusterNetworks: Kind<ClusterNetwork> = kind(
  'hawser.dev/v1alpha1',
  'ClusterNetwork',
  'clusternetworks',
  false,
  trimClusterNetwork,
);
export const networks: Kind<Network> = kind('hawser.dev/v1alpha1', 'Network', 'networks', true, trimNetwork);
export const virtualMachineNetworks: Kind<VirtualMachineNetwork> = kind(
  'hawser.dev/v1alpha1',
  'VirtualMachineNetwork',
  'virtualmachinenetworks',
  true,
  trimVirtualMachineNetwork,
);
export const ipamClaims: Kind<IPAMClaim> = kind(
  'k8s.cni.cncf.io/v1alpha1',
  'IPAMClaim',
  'ipamclaims',
  true,
  trimIPAMClaim,
);
export const networkAttachmentDefinitions: Kind<NetworkAttachmentDefinition> = kind(
  'k8s.cni.cncf.io/v1',
  'NetworkAttachmentDefinition',
  'network-attachment-definitions',
  true,
  trimNetworkAttachmentDefinition,
);
export const networkPolicies: Kind<NetworkPolicy> = kind(
  'networking.k8s.io/v1',
  'NetworkPolicy',
  'networkpolicies',
  true,
  trimNetworkPolicy,
);

/** `/api/v1/namespaces/default/pods/db`; without a namespace all of them, without a name the collection. */
export function pathOf(
  kind: Pick<Kind<unknown>, 'apiVersion' | 'resource'>,
  place: { readonly namespace?: string; readonly name?: string; readonly subresource?: string } = {},
): string {
  const root = kind.apiVersion.includes('/') ? '/apis' : '/api';
  const namespace = place.namespace === undefined ? '' : `/namespaces/${encodeURIComponent(place.namespace)}`;
  const name = place.name === undefined ? '' : `/${encodeURIComponent(place.name)}`;
  const subresource = place.subresource === undefined ? '' : `/${place.subresource}`;
  return `${root}/${kind.apiVersion}${namespace}/${kind.resource}${name}${subresource}`;
}

function kind<T>(
  apiVersion: string,
  name: string,
  resource: string,
  namespaced: boolean,
  trim: (json: unknown) => T,
): Kind<T> {
  return { apiVersion, kind: name, resource, namespaced, trim };
}
