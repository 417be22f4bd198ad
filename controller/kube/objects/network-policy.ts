import { Fields } from './fields.ts';
import { present } from './metadata.ts';
import { type LabelSelector, labelSelectorOf } from './network.ts';

/** A networking.k8s.io/v1 NetworkPolicy. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly podSelector: LabelSelector;
  /** Absent where the policy does not speak of that direction; empty denies everything. */
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
}

/** One rule: these peers, on these ports. Absent peers are everybody, absent ports are all. */
export interface PolicyRule {
  readonly peers?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

export type PolicyPeer =
  | {
      readonly kind: 'selector';
      /** Absent: the policy's own namespace. */
      readonly namespaceSelector?: LabelSelector;
      readonly podSelector: LabelSelector;
    }
  | { readonly kind: 'ipBlock'; readonly cidr: string; readonly except: readonly string[] };

export interface PolicyPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** A number, or the name of a container's port; absent is all ports. */
  readonly port?: number | string;
  readonly endPort?: number;
}

const everything: LabelSelector = { matchLabels: {}, matchExpressions: [] };

export function trimNetworkPolicy(json: unknown): NetworkPolicy {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const spec = object.object('spec');
  const types = spec?.strings('policyTypes') ?? [];
  // The API server fills `policyTypes` in; this is its rule (staging/src/k8s.io/api/networking/v1, NetworkPolicySpec).
  const isIngress = types.includes('Ingress') || types.length === 0;
  const isEgress = types.includes('Egress') || (types.length === 0 && spec?.has('egress') === true);
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    podSelector: selectorOf(spec?.object('podSelector')) ?? everything,
    ...present({
      ingress: isIngress ? (spec?.objects('ingress') ?? []).map((rule) => ruleOf(rule, 'from')) : undefined,
      egress: isEgress ? (spec?.objects('egress') ?? []).map((rule) => ruleOf(rule, 'to')) : undefined,
    }),
  };
}

function ruleOf(rule: Fields, side: 'from' | 'to'): PolicyRule {
  const peers = rule.objects(side).map(peerOf);
  const ports = rule.objects('ports').map(portOf);
  return present({ peers: peers.length > 0 ? peers : undefined, ports: ports.length > 0 ? ports : undefined });
}

function peerOf(peer: Fields): PolicyPeer {
  const block = peer.object('ipBlock');
  if (block !== undefined) {
    return { kind: 'ipBlock', cidr: block.needString('cidr'), except: block.strings('except') };
  }
  return {
    kind: 'selector',
    podSelector: selectorOf(peer.object('podSelector')) ?? everything,
    ...present({ namespaceSelector: selectorOf(peer.object('namespaceSelector')) }),
  };
}

function portOf(entry: Fields): PolicyPort {
  const port = entry.raw('port');
  return {
    protocol: entry.oneOf('protocol', ['TCP', 'UDP', 'SCTP']) ?? 'TCP',
    ...present({
      port: typeof port === 'number' || typeof port === 'string' ? port : undefined,
      endPort: entry.number('endPort'),
    }),
  };
}

function selectorOf(selector: Fields | undefined): LabelSelector | undefined {
  return selector && labelSelectorOf(selector);
}
