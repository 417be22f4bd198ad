import { isJsonObject } from '../kube/objects/fields.ts';
import type { NetworkAttachmentDefinition } from '../kube/objects/network-attachment-definition.ts';

/** The network that a NetworkAttachmentDefinition names, which need not be there. */
export type NamedNetwork =
  | { readonly kind: 'network' | 'clusterNetwork'; readonly name: string; readonly isOutside: boolean }
  | { readonly kind: 'unusable'; readonly sentence: string };

/**
 * A definition for our plugin (`"type": "hawser"` in its CNI configuration, or in one plugin of the list) names its network there. One
 * for another plugin, which attaches the NIC outside of `br-int`, names it in an annotation: a plugin may refuse a field it does not
 * know (CNI specification 1.0, section 1). Without either it is somebody else's: undefined.
 */
export function namedNetwork(definition: NetworkAttachmentDefinition): NamedNetwork | undefined {
  const conf = confOf(definition.config);
  if (conf !== undefined) return conf;
  const { network, clusterNetwork } = definition;
  if (network === undefined && clusterNetwork === undefined) return undefined;
  return oneOf(
    { network, clusterNetwork },
    true,
    'one of the annotations "hawser.dev/network", of this namespace, and "hawser.dev/cluster-network" should name a network',
  );
}

function confOf(text: string | undefined): NamedNetwork | undefined {
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
  return oneOf(conf, false, 'spec.config should name one network: "network", of this namespace, or "clusterNetwork"');
}

function oneOf(
  { network, clusterNetwork }: { readonly network?: unknown; readonly clusterNetwork?: unknown },
  isOutside: boolean,
  otherwise: string,
): NamedNetwork {
  const own = nameOf(network);
  const shared = nameOf(clusterNetwork);
  if (own !== undefined && shared === undefined) return { kind: 'network', name: own, isOutside };
  if (own === undefined && shared !== undefined) return { kind: 'clusterNetwork', name: shared, isOutside };
  return unusable(otherwise);
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function unusable(sentence: string): NamedNetwork {
  return { kind: 'unusable', sentence };
}
