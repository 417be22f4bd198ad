import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject, type StoredObject } from './object.ts';
import { mergePatch } from './patch.ts';
import { apiVersionOf, type Resource, resources as servedResources } from './resources.ts';
import type { KubeApi } from './server.ts';

/**
 * What `kubectl apply -f` does with a manifest: each document is created, or merged into what is there (a field the user leaves
 * out is kept). Returns the objects as stored, in the order of the documents. Throws on a kind the API does not serve.
 */
export function applyYaml(
  api: Pick<KubeApi, 'store'>,
  text: string,
  resources: readonly Resource[] = servedResources,
): readonly StoredObject[] {
  return documentsIn(text).map((document) => applyObject(api, document, resources));
}

/** Deletes what a manifest names; what is not there is no error. */
export function deleteYaml(
  api: Pick<KubeApi, 'store'>,
  text: string,
  resources: readonly Resource[] = servedResources,
): void {
  for (const document of documentsIn(text)) {
    const { resource, namespace, name } = placeOf(document, resources);
    const isThere = api.store.collection(resource).has(namespace === undefined ? name : `${namespace}/${name}`);
    if (isThere) api.store.delete(resource, namespace, name);
  }
}

function applyObject(
  { store }: Pick<KubeApi, 'store'>,
  object: JsonObject,
  resources: readonly Resource[],
): StoredObject {
  const { resource, namespace, name } = placeOf(object, resources);
  const stored = store.collection(resource).get(namespace === undefined ? name : `${namespace}/${name}`);
  if (stored === undefined) return store.create(resource, namespace, object);
  return store.update(resource, namespace, name, (current) => {
    const merged = mergePatch(current, object);
    if (!isJsonObject(merged)) throw new Error(`${resource.kind} ${name}: the manifest is not an object`);
    return merged;
  });
}

function documentsIn(text: string): readonly JsonObject[] {
  const objects: JsonObject[] = [];
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const object: unknown = document.toJS();
    if (object === null) continue;
    if (!isJsonObject(object)) throw new Error(`a manifest should be an object, not ${JSON.stringify(object)}`);
    objects.push(object);
  }
  return objects;
}

function placeOf(
  object: JsonObject,
  resources: readonly Resource[],
): { resource: Resource; namespace: string | undefined; name: string } {
  const { apiVersion, kind, metadata } = object;
  const resource = resources.find((candidate) => candidate.kind === kind && apiVersionOf(candidate) === apiVersion);
  if (resource === undefined) throw new Error(`no resource serves ${String(apiVersion)} ${String(kind)}`);
  const given: JsonObject = isJsonObject(metadata) ? metadata : {};
  const { namespace = 'default', name } = given;
  if (typeof name !== 'string' || typeof namespace !== 'string') throw new Error(`a ${String(kind)} has no name`);
  return { resource, namespace: resource.namespaced ? namespace : undefined, name };
}
