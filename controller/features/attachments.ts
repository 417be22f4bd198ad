import type { Feature, Read } from '../engine/engine.ts';
import { derived, type ObjectReference, problem } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import type { NetworkAttachmentDefinition } from '../kube/objects/network-attachment-definition.ts';
import { isAnsweredByServer } from './guest-servers.ts';
import { type NamedNetwork, namedNetwork } from './named-network.ts';
import { selects } from './selectors.ts';
import type { Attachment, Tables } from './tables.ts';

/**
 * A NetworkAttachmentDefinition that names a network (named-network.ts) is for NICs on a secondary one: a Network of its own namespace
 * or a ClusterNetwork. All others are somebody else's.
 */
export function attachments(tables: Tables): Feature<NetworkAttachmentDefinition> {
  return {
    name: 'attachments',
    from: tables.attachmentDefinitions,
    object: referenceTo,
    *facts(key, definition, read) {
      const named = namedNetwork(definition);
      if (named === undefined) return;
      const attachment = attachmentOf(tables, read, definition, named);
      yield derived(tables.attachments, key, attachment);
      if (attachment.kind === 'unusable') yield problem(referenceTo(definition), 'NetworkReady', attachment.sentence);
    },
  };
}

/**
 * The network that a NIC of `namespace` is on by the NetworkAttachmentDefinition `definition` (`namespace/name`); undefined when that
 * is somebody else's.
 */
export function attachedNetwork(
  tables: Tables,
  read: Read,
  namespace: string,
  definition: Key,
): Attachment | undefined {
  const name = `NetworkAttachmentDefinition ${definition}`;
  if (read.get(tables.attachmentDefinitions, definition) === undefined) return unusable(`there is no ${name}`);
  const attachment = read.get(tables.attachments, definition);
  if (attachment?.kind === 'unusable') return unusable(`${name}: ${attachment.sentence}`);
  if (attachment?.clusterNetwork === undefined) return attachment;
  const selector = read.get(tables.clusterNetworks, attachment.clusterNetwork)?.spec.namespaceSelector;
  const labels = read.get(tables.namespaces, namespace)?.labels ?? {};
  if (selector !== undefined && selects(selector, labels)) return attachment;
  return unusable(
    `${name}: ClusterNetwork ${attachment.clusterNetwork} is not for namespace ${namespace}: its namespaceSelector does not select it`,
  );
}

/** `name` or `namespace/name`, as Multus reads it. */
export function definitionKey(namespace: string, reference: string): Key {
  return reference.includes('/') ? reference : `${namespace}/${reference}`;
}

function attachmentOf(
  tables: Tables,
  read: Read,
  { namespace }: NetworkAttachmentDefinition,
  named: NamedNetwork,
): Attachment {
  if (named.kind === 'unusable') return named;
  const { name, isOutside } = named;
  const isShared = named.kind === 'clusterNetwork';
  const key = isShared ? name : `${namespace}/${name}`;
  const found = isShared ? read.get(tables.clusterNetworks, key) : read.get(tables.networks, key);
  const words = `${isShared ? 'ClusterNetwork' : 'Network'} ${key}`;
  if (found === undefined) return unusable(`there is no ${words}`);
  if (found.spec.role !== 'secondary') {
    return unusable(`${words} has the role primary; further NICs are on networks of role secondary`);
  }
  const network = `${isShared ? 'clusternetwork' : 'network'}/${key}`;
  const obstacle = isOutside ? obstacleOutside(tables, read, network) : undefined;
  if (obstacle !== undefined) return unusable(`${words} ${obstacle}`);
  return { kind: 'network', network, isOutside, ...(isShared && { clusterNetwork: name }) };
}

/** What keeps guests from being answered where another plugin attaches them; a network that cannot be used says why itself. */
function obstacleOutside(tables: Tables, read: Read, network: Key): string | undefined {
  const [segment] = read.get(tables.networkPlans, network)?.segments ?? [];
  if (segment === undefined) return undefined;
  if (segment.localnet === undefined) return 'is not an underlay: what another plugin attaches is never on an overlay';
  if (isAnsweredByServer(segment)) return undefined;
  return 'needs guest.service: server: OVN cannot answer what another plugin attaches';
}

function unusable(sentence: string): Attachment {
  return { kind: 'unusable', sentence };
}

function referenceTo({ namespace, name, uid }: NetworkAttachmentDefinition): ObjectReference {
  return { kind: 'NetworkAttachmentDefinition', namespace, name, uid };
}
