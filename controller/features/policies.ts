import { createHash } from 'node:crypto';
import type { Feature, Read } from '../engine/engine.ts';
import { derived, type Fact, type ObjectReference, problem, row, setEntry } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import type { Namespace } from '../kube/objects/namespace.ts';
import type { NetworkPolicy, PolicyPeer, PolicyRule } from '../kube/objects/network-policy.ts';
import type { Pod } from '../kube/objects/pod.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import { rowUuid } from '../northbound/row-uuid.ts';
import { blockMatch, type Direction, infrastructureMatch, portsMatch } from './acl-matches.ts';
import { hasPort, podPort } from './pods.ts';
import { canonical, type Labels, placesToLook, selects } from './selectors.ts';
import { labelsWithin, type PodSelector, type Tables } from './tables.ts';
import { nicOnPodNetwork } from './vm-nics.ts';

/**
 * A NetworkPolicy is ACLs on the port group of those it is for. Traffic of a direction it speaks of is dropped but for what its rules,
 * or another policy's, allow; ARP, neighbour discovery, router advertisements and DHCP are no traffic in that sense.
 */
export function policies(tables: Tables): Feature<NetworkPolicy> {
  return {
    name: 'policies',
    from: tables.networkPolicies,
    object: objectOf,
    *facts(_key, policy) {
      const target: PodSelector = { scope: ownScope(policy.namespace), selector: policy.podSelector };
      yield* usedSelector(tables, target);
      if (policy.ingress !== undefined) yield* directionFacts(tables, policy, target, 'ingress', policy.ingress);
      if (policy.egress !== undefined) yield* directionFacts(tables, policy, target, 'egress', policy.egress);
    },
  };
}

/** One port group for each distinct selector, whoever uses it and for what. */
export function portGroups(tables: Tables): Feature<PodSelector> {
  return {
    name: 'port-groups',
    from: tables.podSelectors,
    *facts(key) {
      yield row('Port_Group', key, { name: groupName(key), external_ids: { 'hawser:owner': key } });
    },
  };
}

/** Which namespace selectors select a namespace. */
export function namespaceScopes(tables: Tables): Feature<Namespace> {
  return {
    name: 'namespace-scopes',
    from: tables.namespaces,
    *facts(key, { labels }, read) {
      const scopes: string[] = [];
      for (const { key: label, value } of placesToLook(labels)) {
        for (const [id, selector] of read.by(tables.namespaceSelectors, 'place', value, label)) {
          if (selects(selector, labels)) scopes.push(scopeOf(id));
        }
      }
      if (scopes.length > 0) yield derived(tables.namespaceScopes, key, scopes.sort());
    },
  };
}

/** A pod's port is in the group of every selector that selects the pod. */
export function podMembership(tables: Tables): Feature<Pod> {
  return {
    name: 'pod-membership',
    from: tables.pods,
    isFor: hasPort,
    *facts(_key, pod, read) {
      if (hasPort(pod)) yield* memberships(tables, read, podPort(pod), pod.namespace, pod.labels);
    },
  };
}

/** A VM's port is in the groups its launcher pods would be in: they carry the VMI's labels and KubeVirt's own. */
export function vmMembership(tables: Tables): Feature<VirtualMachineInstance> {
  return {
    name: 'vm-membership',
    from: tables.vmis,
    *facts(_key, vmi, read) {
      const nic = nicOnPodNetwork(vmi);
      if (nic === undefined) return;
      const labels = {
        ...vmi.labels,
        'kubevirt.io': 'virt-launcher',
        'kubevirt.io/created-by': vmi.uid,
        'vm.kubevirt.io/name': vmi.name,
      };
      yield* memberships(tables, read, nic.port, vmi.namespace, labels);
    },
  };
}

/** Asked from the port's side: it looks where selectors that may select it are filed, so those that cannot cost nothing. */
function* memberships(tables: Tables, read: Read, port: Key, namespace: string, labels: Labels): Iterable<Fact> {
  const places = placesToLook(labels);
  let uuid: string | undefined;
  for (const scope of [ownScope(namespace), ...(read.get(tables.namespaceScopes, namespace) ?? [])]) {
    for (const { key, value } of places) {
      const filed = read.by(tables.podSelectors, 'place', value, labelsWithin(scope, key));
      if (filed.size === 0) continue;
      for (const [group, { selector }] of filed) {
        if (!selects(selector, labels)) continue;
        uuid ??= rowUuid('Logical_Switch_Port', port);
        yield setEntry('Port_Group', group, 'ports', uuid);
      }
    }
  }
}

function* directionFacts(
  tables: Tables,
  policy: NetworkPolicy,
  target: PodSelector,
  direction: Direction,
  rules: readonly PolicyRule[],
): Iterable<Fact> {
  const group = groupKey(target);
  const here = `${direction === 'ingress' ? 'outport' : 'inport'} == @${groupName(group)}`;
  const shared = { 'hawser:owner': group };
  yield acl(group, direction, priorities.drop, `${here} && ip`, 'drop', shared);
  yield acl(
    group,
    direction,
    priorities.infrastructure,
    `${here} && ${infrastructureMatch(direction)}`,
    'allow',
    shared,
  );
  const own = {
    'hawser:owner': `networkpolicy/${policy.namespace}/${policy.name}`,
    'hawser:uid': policy.uid,
  };
  for (const [index, rule] of rules.entries()) {
    const path = `spec.${direction}[${index}]`;
    const ports = portsMatch(rule.ports);
    for (const sentence of ports.sentences) yield problem(objectOf(policy), 'Ready', `${path}.${sentence}`);
    const peers: string[] = [];
    for (const peer of rule.peers ?? []) {
      const match = yield* peerMatch(tables, policy, direction, peer, path);
      if (match !== undefined) peers.push(match);
    }
    // What cannot be understood allows nothing: a rule whose peers or ports are all like that is no rule.
    if (rule.peers !== undefined && peers.length === 0) continue;
    if (ports.match === undefined) continue;
    const terms = [here, rule.peers === undefined ? 'ip' : anyOf(peers), ports.match].filter((term) => term !== '');
    yield acl(group, direction, priorities.allow, terms.join(' && '), 'allow-related', own, objectOf(policy));
  }
}

/** OVN: the highest priority that matches decides. Policies only ever add to what is allowed, so two are enough. */
const priorities = { drop: 1000, allow: 1001, infrastructure: 1002 } as const;

function* peerMatch(
  tables: Tables,
  policy: NetworkPolicy,
  direction: Direction,
  peer: PolicyPeer,
  path: string,
): Generator<Fact, string | undefined> {
  const side = direction === 'ingress' ? 'src' : 'dst';
  if (peer.kind === 'ipBlock') {
    const block = blockMatch(peer, side);
    if (block.sentence !== undefined) yield problem(objectOf(policy), 'Ready', `${path}: ${block.sentence}`);
    return block.match;
  }
  const { namespaceSelector, podSelector: selector } = peer;
  if (namespaceSelector !== undefined) {
    yield derived(tables.namespaceSelectors, canonical(namespaceSelector), namespaceSelector);
  }
  const scope = namespaceSelector === undefined ? ownScope(policy.namespace) : scopeOf(canonical(namespaceSelector));
  yield* usedSelector(tables, { scope, selector });
  // northd keeps the address sets of every port group.
  const group = groupName(groupKey({ scope, selector }));
  return `(ip4.${side} == $${group}_ip4 || ip6.${side} == $${group}_ip6)`;
}

function usedSelector(tables: Tables, selector: PodSelector): readonly Fact[] {
  return [derived(tables.podSelectors, groupKey(selector), normalised(selector))];
}

/** Equal selectors may be written differently; their port group does not depend on who wrote first. */
function normalised({ scope, selector }: PodSelector): PodSelector {
  const { matchLabels, matchExpressions } = selector;
  const sortedLabels = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = (value: unknown) => JSON.stringify(value);
  const requirements = matchExpressions
    .map(({ key, operator, values }) => ({ key, operator, values: [...new Set(values)].sort() }))
    .sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return { scope, selector: { matchLabels: Object.fromEntries(sortedLabels), matchExpressions: requirements } };
}

function acl(
  group: Key,
  direction: Direction,
  priority: number,
  match: string,
  action: 'allow' | 'allow-related' | 'drop',
  ids: Readonly<Record<string, string>>,
  object?: ObjectReference,
): Fact {
  const key = `${ids['hawser:owner']}/${group}/${direction}/${digest(match)}`;
  const columns = {
    direction: direction === 'ingress' ? 'to-lport' : 'from-lport',
    priority,
    match,
    action,
    external_ids: ids,
  };
  return row('ACL', key, columns, { table: 'Port_Group', row: group, column: 'acls' }, object);
}

function groupKey({ scope, selector }: PodSelector): Key {
  return `selector/${scope}/${canonical(selector)}`;
}

/** OVN takes `[a-zA-Z_.][a-zA-Z_.0-9]*` in a match. */
function groupName(group: Key): string {
  return `hawser_${digest(group)}`;
}

function ownScope(namespace: string): string {
  return `namespace/${namespace}`;
}

function scopeOf(namespaceSelector: string): string {
  return `namespaces/${namespaceSelector}`;
}

function anyOf(matches: readonly string[]): string {
  return matches.length === 1 ? (matches[0] ?? '') : `(${matches.join(' || ')})`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function objectOf({ namespace, name, uid }: NetworkPolicy): ObjectReference {
  return { kind: 'NetworkPolicy', namespace, name, uid };
}
