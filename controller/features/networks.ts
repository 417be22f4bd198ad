import { parseGuestSettings } from '#dhcp/settings.ts';
import type { Feature, Read } from '../engine/engine.ts';
import { derived, type Fact, type ObjectReference, problem, row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { type Cidr, contains, formatAddress, formatCidr, macOf, parseAddress, parseCidr } from '../ipam/address.ts';
import type { ClusterNetwork, LabelSelector, NetworkSpec } from '../kube/objects/network.ts';
import { ownerMark } from './marks.ts';
import type { NetworkPlan, SubnetPlan, Tables } from './tables.ts';

export interface NetworkDefaults {
  /** MTU of a NIC when the network does not say, bytes: what is left of the underlay's after geneve. */
  readonly mtu: number;
}

/**
 * A ClusterNetwork is one logical switch behind one distributed logical router, so that the gateway and its MAC are the same
 * on every node.
 */
export function clusterNetworks(tables: Tables, defaults: NetworkDefaults): Feature<ClusterNetwork> {
  return {
    name: 'networks',
    from: tables.clusterNetworks,
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
    *facts(_key, { namespace, name, uid, spec }) {
      const object = { kind: 'Network', namespace, name, uid };
      yield* networkFacts(tables, `network/${namespace}/${name}`, object, spec, defaults);
    },
  };
}

/**
 * Key of the network that pods and VMs of a namespace are on: a primary Network of the namespace, else a primary ClusterNetwork that
 * selects it, else the ClusterNetwork `default`. Of several the first by name.
 */
export function primaryNetwork(tables: Tables, read: Read, namespace: string): Key {
  const own = [...read.by(tables.networks, 'namespace', namespace).values()].filter(isPrimary).map(({ name }) => name);
  if (own.length > 0) return `network/${namespace}/${own.sort()[0]}`;
  const labels = read.get(tables.namespaces, namespace)?.labels ?? {};
  const selecting = [...read.by(tables.clusterNetworks, 'all', '').values()]
    .filter(isPrimary)
    .filter(({ spec }) => spec.namespaceSelector !== undefined && selects(spec.namespaceSelector, labels))
    .map(({ name }) => name);
  return `clusternetwork/${selecting.sort()[0] ?? 'default'}`;
}

function* networkFacts(
  tables: Tables,
  key: Key,
  object: ObjectReference,
  spec: NetworkSpec,
  defaults: NetworkDefaults,
): Iterable<Fact> {
  const plan = planOf(object, spec, defaults);
  if ('sentences' in plan) {
    for (const sentence of plan.sentences) yield problem(object, 'Ready', sentence);
    return;
  }
  yield derived(tables.networkPlans, key, plan);
  const mark = ownerMark(key, object.uid);
  const routerPort = `${key}/gateway`;
  yield row('Logical_Switch', key, { name: key, external_ids: mark });
  yield row('Logical_Router', key, { name: key, external_ids: mark });
  yield row(
    'Logical_Router_Port',
    routerPort,
    {
      name: routerPort,
      mac: plan.routerMac,
      networks: plan.subnets.map(({ gateway, prefixLength }) => `${gateway}/${prefixLength}`),
      external_ids: mark,
    },
    { table: 'Logical_Router', row: key, column: 'ports' },
  );
  yield row(
    'Logical_Switch_Port',
    `${key}/router`,
    {
      name: `${key}/router`,
      type: 'router',
      addresses: ['router'],
      options: { 'router-port': routerPort },
      external_ids: mark,
    },
    { table: 'Logical_Switch', row: key, column: 'ports' },
  );
}

function planOf(
  object: ObjectReference,
  spec: NetworkSpec,
  defaults: NetworkDefaults,
): NetworkPlan | { readonly sentences: readonly string[] } {
  const sentences: string[] = [];
  const subnets: SubnetPlan[] = [];
  const cidrs: Cidr[] = [];
  for (const text of spec.subnets) {
    const cidr = parseCidr(text);
    if (cidr === undefined) sentences.push(`spec.subnets: "${text}" is not a CIDR such as 10.244.0.0/16`);
    else if (cidr.size < 4n) sentences.push(`spec.subnets: ${text} has no room for a gateway and a guest`);
    else if (cidrs.some(({ family }) => family === cidr.family)) {
      sentences.push(`spec.subnets: ${text} is the second IPv${cidr.family} subnet; a network has one of each family`);
    } else cidrs.push(cidr);
  }
  if (spec.subnets.length === 0) sentences.push('spec.subnets: at least one subnet is needed');
  const gateways = new Map<Cidr, string>();
  for (const text of spec.gateway) {
    const address = parseAddress(text);
    const cidr = address && cidrs.find((candidate) => contains(candidate, address));
    if (address === undefined || cidr === undefined) {
      sentences.push(`spec.gateway: "${text}" is not an address of one of the subnets ${spec.subnets.join(', ')}`);
    } else gateways.set(cidr, formatAddress(address));
  }
  for (const cidr of cidrs.sort((a, b) => a.family - b.family)) {
    const { family, first, prefixLength } = cidr;
    const gateway = gateways.get(cidr) ?? formatAddress({ family, value: first + 1n });
    subnets.push({ family, cidr: formatCidr(cidr), gateway, prefixLength });
  }
  const excluded = spec.excludeIPs.flatMap((text) => {
    const range = rangeOf(text);
    if (range === undefined) sentences.push(`spec.excludeIPs: "${text}" is not an address, a range a-b or a CIDR`);
    return range === undefined ? [] : [range];
  });
  const guest = parseGuestSettings(spec.guest ?? {});
  for (const { field, sentence } of guest.problems ?? []) sentences.push(`spec.guest.${field}: ${sentence}`);
  const macAddress = parseAddress(subnets[0]?.gateway ?? '');
  if (sentences.length > 0 || guest.settings === undefined || macAddress === undefined) return { sentences };
  return {
    object,
    name: object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`,
    subnets,
    excluded,
    routerMac: macOf(macAddress),
    mtu: guest.settings.mtu ?? defaults.mtu,
    guest: guest.settings,
  };
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

function selects({ matchLabels, matchExpressions }: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      if (operator === 'In') return value !== undefined && values.includes(value);
      return value === undefined || !values.includes(value);
    })
  );
}
