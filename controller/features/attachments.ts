import type { Feature, Read } from '../engine/engine.ts';
import { derived, type ObjectReference, problem } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { isJsonObject } from '../kube/objects/fields.ts';
import type { ClusterNetwork, Network } from '../kube/objects/network.ts';
import type { NetworkAttachmentDefinition } from '../kube/objects/network-attachment-definition.ts';
import { selects } from './selectors.ts';
import type { Tables } from './tables.ts';

/** What a NetworkAttachmentDefinition of ours attaches to, or why it attaches to nothing. */
export type Attachment =
  | { readonly kind: 'network'; readonly network: Key; readonly clusterNetwork?: string }
  | { readonly kind: 'unusable'; readonly sentence: string };

/**
 * A NetworkAttachmentDefinition whose CNI configuration, or one plugin of its list, has `"type": "hawser"` names a secondary network:
 * `network`, a Network of its own namespace, or `clusterNetwork`. All others are somebody else's.
 */
export function attachments(tables: Tables): Feature<NetworkAttachmentDefinition> {
  return {
    name: 'attachments',
    from: tables.attachmentDefinitions,
    object: referenceTo,
    *facts(key, definition, read) {
      const attachment = attachmentOf(tables, read, definition);
      if (attachment === undefined) return;
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

function attachmentOf(tables: Tables, read: Read, definition: NetworkAttachmentDefinition): Attachment | undefined {
  const conf = confOf(definition.config);
  if (conf === undefined || conf.kind === 'unusable') return conf;
  const { network, clusterNetwork } = conf;
  if ((network === undefined) === (clusterNetwork === undefined)) {
    return unusable('spec.config should name one network: "network", of this namespace, or "clusterNetwork"');
  }
  if (clusterNetwork !== undefined) {
    const found = read.get(tables.clusterNetworks, clusterNetwork);
    return usable(`ClusterNetwork ${clusterNetwork}`, found, {
      kind: 'network',
      network: `clusternetwork/${clusterNetwork}`,
      clusterNetwork,
    });
  }
  const key = `${definition.namespace}/${network}`;
  return usable(`Network ${key}`, read.get(tables.networks, key), { kind: 'network', network: `network/${key}` });
}

function usable(name: string, found: ClusterNetwork | Network | undefined, attachment: Attachment): Attachment {
  if (found === undefined) return unusable(`there is no ${name}`);
  if (found.spec.role === 'secondary') return attachment;
  return unusable(`${name} has the role primary; further NICs are on networks of role secondary`);
}

interface Conf {
  readonly kind: 'conf';
  readonly network: string | undefined;
  readonly clusterNetwork: string | undefined;
}

function confOf(text: string | undefined): Conf | Extract<Attachment, { readonly kind: 'unusable' }> | undefined {
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return unusable(`spec.config is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const plugins: readonly unknown[] = isJsonObject(json) && Array.isArray(json.plugins) ? json.plugins : [json];
  const conf = plugins.filter(isJsonObject).find(({ type }) => type === 'hawser');
  if (conf === undefined) return undefined;
  for (const field of ['network', 'clusterNetwork']) {
    if (conf[field] !== undefined && typeof conf[field] !== 'string') {
      return unusable(`spec.config: "${field}" should be a name`);
    }
  }
  return { kind: 'conf', network: nameOf(conf.network), clusterNetwork: nameOf(conf.clusterNetwork) };
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function unusable(sentence: string): Extract<Attachment, { readonly kind: 'unusable' }> {
  return { kind: 'unusable', sentence };
}

function referenceTo({ namespace, name, uid }: NetworkAttachmentDefinition): ObjectReference {
  return { kind: 'NetworkAttachmentDefinition', namespace, name, uid };
}
