import { loadAllYaml } from '@kubernetes/client-node';
import { isJsonObject } from '../kube/objects/fields.ts';
import { BadRecording, metadataOf, type RecordedEvent } from './recording.ts';
import { isWatched } from './watched.ts';

/** An object a cluster has beside what was recorded. */
export type KubeObject = Readonly<Record<string, unknown>> & { readonly kind: string };

/**
 * What was there before a recording begins: the objects given, a dual-stack ClusterNetwork `default` unless they have primary networks
 * of their own or the recording has primary ClusterNetworks, and every node that the recording names, which counts as Ready.
 */
export function surroundings(events: readonly RecordedEvent[], given: readonly KubeObject[]): readonly KubeObject[] {
  const areGiven = given.some((object) => isPrimaryNetwork(object.kind, object));
  const areRecorded = events.some(({ kind, object }) => kind === 'ClusterNetwork' && isPrimaryNetwork(kind, object));
  const hasNetworks = areGiven || areRecorded;
  const nodes = new Set(events.flatMap(({ object }) => [...nodesNamedIn(object)]));
  for (const { kind, object } of events) if (kind === 'Node') nodes.delete(String(metadataOf(object).name));
  for (const object of given) if (object.kind === 'Node') nodes.delete(String(metadataOf(object).name));
  return [...(hasNetworks ? [] : [defaultNetwork]), ...[...nodes].sort().map(readyNode), ...given];
}

/**
 * Reads manifests (YAML documents, JSON, a `List`) or JSON lines of objects or of watch events.
 *
 * @throws BadRecording when the text holds anything but Kubernetes objects.
 */
export function parseObjects(text: string): readonly KubeObject[] {
  return documentsOf(text)
    .flatMap((document) => (Array.isArray(document) ? document : [document]))
    .filter((document) => document !== null && document !== undefined)
    .flatMap((document) => (isJsonObject(document) && Array.isArray(document.items) ? document.items : [document]))
    .map((document: unknown) => (isJsonObject(document) && isJsonObject(document.object) ? document.object : document))
    .map((document: unknown): KubeObject => {
      if (!isJsonObject(document)) throw new BadRecording('it holds something that is not a Kubernetes object');
      const { kind } = document;
      if (typeof kind !== 'string' || typeof metadataOf(document).name !== 'string') {
        throw new BadRecording('it holds an object without kind or name');
      }
      const { name, uid } = metadataOf(document);
      return { ...document, kind, metadata: { ...metadataOf(document), uid: uid ?? `${kind} ${String(name)}` } };
    });
}

const defaultNetwork: KubeObject = {
  apiVersion: 'hawser.dev/v1alpha1',
  kind: 'ClusterNetwork',
  metadata: { name: 'default', uid: 'ClusterNetwork default' },
  spec: { topology: 'overlay', role: 'primary', subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] },
};

function isPrimaryNetwork(kind: string, object: Readonly<Record<string, unknown>>): boolean {
  const isNetwork = (kind === 'ClusterNetwork' || kind === 'Network') && isWatched(kind, object);
  return isNetwork && !(isJsonObject(object.spec) && object.spec.role === 'secondary');
}

function readyNode(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `Node ${name}` },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

const nodeFields: ReadonlySet<string> = new Set(['nodeName', 'sourceNode', 'targetNode']);

/** Pods, VMIs and their migration states name nodes in fields of these names, wherever they sit. */
function* nodesNamedIn(value: unknown): Iterable<string> {
  if (Array.isArray(value)) for (const item of value) yield* nodesNamedIn(item);
  if (!isJsonObject(value)) return;
  for (const [name, field] of Object.entries(value)) {
    if (nodeFields.has(name) && typeof field === 'string' && field !== '') yield field;
    else yield* nodesNamedIn(field);
  }
}

function documentsOf(text: string): readonly unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  for (const parse of [() => [JSON.parse(text)], () => lines.map((line) => JSON.parse(line))]) {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  try {
    return loadAllYaml(text);
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new BadRecording(`it is neither JSON nor YAML: ${why}`);
  }
}
