import { Fields, MalformedField } from './fields.ts';
import { present } from './metadata.ts';

/** A hawser.dev/v1alpha1 ClusterNetwork: a network for the namespaces it selects. The cluster default is named `default`. */
export interface ClusterNetwork {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly deleting: boolean;
  readonly spec: NetworkSpec;
}

/** A hawser.dev/v1alpha1 Network: the same for one namespace. */
export interface Network extends ClusterNetwork {
  readonly namespace: string;
}

/** What `deploy/crds/` accepts; the addresses in it are text that the API server has checked, not parsed values. */
export interface NetworkSpec {
  readonly topology: 'overlay' | 'underlay';
  /** CIDRs, at most one segment list per family. */
  readonly subnets: readonly string[];
  /** Addresses, ranges (`a-b`) or CIDRs never given away. */
  readonly excludeIPs: readonly string[];
  /** One address per family; absent: the first host of the family's first subnet. */
  readonly gateway: readonly string[];
  readonly role: 'primary' | 'secondary';
  /** Only on a ClusterNetwork; absent selects no namespace. */
  readonly namespaceSelector?: LabelSelector;
  /** Settings for the guest as the user wrote them; `dhcp/` is what understands them. */
  readonly guest?: unknown;
  /** `underlay` only: the name nodes map to a bridge (`ovn-bridge-mappings`). */
  readonly physicalNetwork?: string;
  /** `underlay` only: 802.1Q tag. */
  readonly vlan?: number;
  readonly egress?: 'nodeNAT' | 'routed' | 'none';
}

/** A `metav1.LabelSelector`; an empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export function trimClusterNetwork(json: unknown): ClusterNetwork {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  return {
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    generation: metadata.number('generation') ?? 1,
    deleting: metadata.has('deletionTimestamp'),
    spec: networkSpecOf(object.needObject('spec')),
  };
}

export function trimNetwork(json: unknown): Network {
  const namespace = new Fields(json).needObject('metadata').needString('namespace');
  return { namespace, ...trimClusterNetwork(json) };
}

export function labelSelectorOf(selector: Fields): LabelSelector {
  return {
    matchLabels: selector.stringMap('matchLabels'),
    matchExpressions: selector.objects('matchExpressions').map((requirement) => ({
      key: requirement.needString('key'),
      operator: requirement.oneOf('operator', ['In', 'NotIn', 'Exists', 'DoesNotExist']) ?? 'Exists',
      values: requirement.strings('values'),
    })),
  };
}

function networkSpecOf(spec: Fields): NetworkSpec {
  const selector = spec.object('namespaceSelector');
  const topology = spec.oneOf('topology', ['overlay', 'underlay']);
  if (topology === undefined) throw new MalformedField('spec.topology', 'overlay or underlay', undefined);
  return {
    topology,
    subnets: spec.strings('subnets'),
    excludeIPs: spec.strings('excludeIPs'),
    gateway: spec.strings('gateway'),
    role: spec.oneOf('role', ['primary', 'secondary']) ?? 'primary',
    ...present({
      namespaceSelector: selector === undefined ? undefined : labelSelectorOf(selector),
      guest: spec.has('guest') ? spec.raw('guest') : undefined,
      physicalNetwork: spec.string('physicalNetwork'),
      vlan: spec.number('vlan'),
      egress: spec.oneOf('egress', ['nodeNAT', 'routed', 'none']),
    }),
  };
}
