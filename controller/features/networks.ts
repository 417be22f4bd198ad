import { parseGuestSettings } from '#dhcp/settings.ts';
import type { Feature, Read } from '../engine/engine.ts';
import { derived, type Fact, type ObjectReference, problem, row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import {
  type Address,
  type Cidr,
  contains,
  formatAddress,
  formatCidr,
  macOf,
  parseAddress,
  parseCidr,
} from '../ipam/address.ts';
import { type Cut, cut, sliceOf } from '../ipam/cut.ts';
import type { Namespace } from '../kube/objects/namespace.ts';
import type { ClusterNetwork, NetworkSpec } from '../kube/objects/network.ts';
import { ownerMark } from './marks.ts';
import { selects } from './selectors.ts';
import type { NetworkPlan, Segment, SubnetPlan, Tables } from './tables.ts';

export interface NetworkDefaults {
  /** MTU of a NIC on an overlay that does not say, bytes: what is left of the nodes' own after geneve. */
  readonly mtu: number;
  /** IPv4 addresses of one segment of the ClusterNetwork `default`, a power of two; 4,096 when absent. */
  readonly segmentAddresses?: number;
}

/** MTU of a NIC on an underlay that does not say, bytes: Ethernet's. Nothing is wrapped around its frames. */
const underlayMtu = 1500;

/** A ClusterNetwork is one distributed logical router with a segment, or several, behind it (segments.ts). */
export function clusterNetworks(tables: Tables, defaults: NetworkDefaults): Feature<ClusterNetwork> {
  return {
    name: 'networks',
    from: tables.clusterNetworks,
    object: ({ name, uid }) => ({ kind: 'ClusterNetwork', name, uid }),
    *facts(_key, { name, uid, spec }) {
      yield* networkFacts(tables, `clusternetwork/${name}`, { kind: 'ClusterNetwork', name, uid }, spec, defaults);
    },
  };
}

/** The same for one namespace. */
export function networks(tables: Tables, defaults: NetworkDefaults): Feature<ClusterNetwork & { namespace: string }> {
  return {
    name: 'namespaced-networks',
    from: tables.networks,
    object: ({ namespace, name, uid }) => ({ kind: 'Network', namespace, name, uid }),
    *facts(_key, { namespace, name, uid, spec }) {
      const object = { kind: 'Network', namespace, name, uid };
      yield* networkFacts(tables, `network/${namespace}/${name}`, object, spec, defaults);
    },
  };
}

/** Decides once for everything in a namespace. */
export function namespaceNetworks(tables: Tables): Feature<Namespace> {
  return {
    name: 'namespace-networks',
    from: tables.namespaces,
    *facts(namespace, _row, read) {
      yield derived(tables.namespaceNetworks, namespace, chosenNetwork(tables, read, namespace));
    },
  };
}

/** Key of the network that pods and VMs of a namespace are on. */
export function primaryNetwork(tables: Tables, read: Read, namespace: string): Key {
  // A pod may be seen before its namespace.
  return read.get(tables.namespaceNetworks, namespace) ?? chosenNetwork(tables, read, namespace);
}

/**
 * A primary Network of the namespace, else a primary ClusterNetwork that selects it, else the ClusterNetwork `default`. Of several the
 * first by name.
 */
function chosenNetwork(tables: Tables, read: Read, namespace: string): Key {
  const own = [...read.by(tables.networks, 'namespace', namespace).values()].filter(isPrimary).map(({ name }) => name);
  if (own.length > 0) return `network/${namespace}/${own.sort()[0]}`;
  const labels = read.get(tables.namespaces, namespace)?.labels ?? {};
  const selecting = [...read.by(tables.clusterNetworks, 'all', '').values()]
    .filter(isPrimary)
    .filter(({ spec }) => spec.namespaceSelector !== undefined && selects(spec.namespaceSelector, labels))
    .map(({ name }) => name);
  return `clusternetwork/${selecting.sort()[0] ?? 'default'}`;
}

/** Key of the network that `IPAMClaim.spec.network` names: `NAMESPACE/NAME` or `NAME`. */
export function networkKey(name: string): Key {
  return name.includes('/') ? `network/${name}` : `clusternetwork/${name}`;
}

function* networkFacts(
  tables: Tables,
  key: Key,
  object: ObjectReference,
  spec: NetworkSpec,
  defaults: NetworkDefaults,
): Iterable<Fact> {
  const { plan, sentences } = planOf(key, object, spec, defaults);
  for (const sentence of sentences) yield problem(object, 'Ready', sentence);
  if (plan === undefined) return;
  yield derived(tables.networkPlans, key, plan);
  for (const segment of plan.segments) yield derived(tables.segments, segment.key, segment);
  // ovn-trace takes the name of a switch or a router, and the first segment's switch is named as the network.
  if (spec.topology === 'overlay') {
    yield row(
      'Logical_Router',
      key,
      { name: `router/${key}`, external_ids: ownerMark(key, object.uid) },
      undefined,
      object,
    );
  }
}

function localnetOf({ topology, physicalNetwork, vlan }: NetworkSpec): Pick<Segment, 'localnet'> {
  if (topology !== 'underlay' || physicalNetwork === undefined) return {};
  return { localnet: { physicalNetwork, ...(vlan !== undefined && { vlan }) } };
}

/** What of the spec can be used, and sentences about what cannot. Without a usable first subnet there is no plan. */
function planOf(
  key: Key,
  object: ObjectReference,
  spec: NetworkSpec,
  defaults: NetworkDefaults,
): { readonly plan?: NetworkPlan; readonly sentences: readonly string[] } {
  const sentences: string[] = [];
  const groups = subnetGroups(spec.subnets, sentences);
  const guest = parseGuestSettings(spec.guest ?? {});
  for (const { field, sentence } of guest.problems ?? []) sentences.push(`spec.guest.${field}: ${sentence}`);
  const cidrs = groups.flat();
  const gateways = spec.gateway.flatMap((text) => {
    const address = parseAddress(text);
    if (address !== undefined && cidrs.some((cidr) => contains(cidr, address))) return [address];
    sentences.push(`spec.gateway: "${text}" is not an address of one of the subnets ${spec.subnets.join(', ')}`);
    return [];
  });
  const excluded = spec.excludeIPs.flatMap((text) => {
    const range = rangeOf(text);
    if (range === undefined) sentences.push(`spec.excludeIPs: "${text}" is not an address, a range a-b or a CIDR`);
    return range === undefined ? [] : [range];
  });
  const { settings } = guest;
  // Half-understood is not understood: what is wrong here could give a guest another's address or gateway.
  if (sentences.length > 0 || settings === undefined) return { sentences };

  const keepsSixtyFour = settings.ra?.mode === 'slaac' || settings.ra?.mode === 'stateless';
  const bits = spec.topology === 'underlay' ? 128 : addressBitsOf(object, defaults);
  const cuts: Cut[] = [];
  for (const group of groups) {
    const firstSegment = cuts.reduce(
      (count, { firstSegment: first, segments }) => Math.max(count, first + segments),
      0,
    );
    cuts.push(...cut(group, bits, { firstSegment, keepsSixtyFour }));
  }
  const count = cuts.reduce((sum, { firstSegment, segments }) => Math.max(sum, firstSegment + segments), 0);
  const isSecondary = spec.role === 'secondary';
  const plan: NetworkPlan = {
    object,
    name: object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`,
    families: [...new Set(cidrs.map(({ family }) => family))].sort(),
    cuts,
    segments: Array.from({ length: count }, (_, index): Segment => {
      const subnets = cuts.flatMap((one) => {
        const slice = sliceOf(one, index);
        return slice === undefined ? [] : [subnetOf(slice, gateways)];
      });
      const [first] = subnets;
      const mac = parseAddress(first?.gateway ?? '');
      return {
        key: index === 0 ? key : `${key}/${index}`,
        network: key,
        object,
        subnets,
        routerMac: mac === undefined ? '' : macOf(mac),
        mtu: settings.mtu ?? (spec.topology === 'underlay' ? underlayMtu : defaults.mtu),
        // Where a further NIC is on, the default route is the first one's, unless somebody says otherwise.
        guest: isSecondary ? { defaultRoute: false, ...settings } : settings,
        isSecondary,
        ...localnetOf(spec),
      };
    }),
    excluded,
  };
  return { plan, sentences };
}

/**
 * The subnets side by side, the first of each family together, then the second: each group is segments of its own. Subnets can be
 * added later, at the end; what was there before stays as it was.
 */
function subnetGroups(subnets: readonly string[], sentences: string[]): readonly (readonly Cidr[])[] {
  const families: readonly [Cidr[], Cidr[]] = [[], []];
  for (const text of subnets) {
    const cidr = parseCidr(text);
    if (cidr === undefined) sentences.push(`spec.subnets: "${text}" is not a CIDR such as 10.244.0.0/16`);
    else if (cidr.size < 4n) sentences.push(`spec.subnets: ${text} has no room for a gateway and a guest`);
    else families[cidr.family === 4 ? 0 : 1].push(cidr);
  }
  if (subnets.length === 0) sentences.push('spec.subnets: at least one subnet is needed');
  const [v4, v6] = families;
  if (v4.length > 0 && v6.length > 0 && v4.length !== v6.length) {
    sentences.push(
      `spec.subnets: there are ${v4.length} IPv4 and ${v6.length} IPv6 subnets; with both families each subnet needs one of the other beside it`,
    );
  }
  return Array.from({ length: Math.max(v4.length, v6.length) }, (_, i) =>
    [v4[i], v6[i]].filter((cidr) => cidr !== undefined),
  );
}

function subnetOf(slice: Cidr, gateways: readonly Address[]): SubnetPlan {
  const { family, first, prefixLength } = slice;
  const asked = gateways.find((address) => contains(slice, address));
  const gateway = formatAddress(asked ?? { family, value: first + 1n });
  return { family, cidr: formatCidr(slice), gateway, prefixLength };
}

/** A tenant's network is one switch until it outgrows it; the default network is cut small, for northd's sake. */
function addressBitsOf({ namespace, name }: ObjectReference, { segmentAddresses = 4096 }: NetworkDefaults): number {
  return namespace === undefined && name === 'default' ? Math.floor(Math.log2(segmentAddresses)) : 15;
}

function rangeOf(text: string): { first: bigint; last: bigint } | undefined {
  const cidr = parseCidr(text);
  if (cidr !== undefined) return { first: cidr.first, last: cidr.first + cidr.size - 1n };
  const [from = '', to = from] = text.split('-').map((part) => part.trim());
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === undefined || last === undefined || first.family !== last.family) return undefined;
  return { first: first.value, last: last.value };
}

function isPrimary({ spec }: ClusterNetwork): boolean {
  return spec.role === 'primary';
}
