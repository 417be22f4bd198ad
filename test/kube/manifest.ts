import { parseAllDocuments } from 'yaml';
import type { KubeApi } from '#controller/kube/api.ts';
import { KubeError } from '#controller/kube/errors.ts';
import { pathOf } from '#controller/kube/kinds.ts';
import { Fields } from '#controller/kube/objects/fields.ts';
import { isJsonObject, type JsonObject } from '#test/lab/kube-api/object.ts';
import { apiVersionOf, type Resource, resources } from '#test/lab/kube-api/resources.ts';
import { type ApiObject, apiObject } from './api-object.ts';

/**
 * What `kubectl apply -f` does, over HTTP to any server: each object is merged into what is there, or created. Resolves with the
 * objects as stored, in the order of the documents.
 */
export async function applyManifest(api: KubeApi, text: string): Promise<readonly ApiObject[]> {
  const applied: ApiObject[] = [];
  for (const object of objectsIn(text)) {
    const { collection, path } = placeOf(object);
    const stored = await api.patch(path, 'merge', object).catch((error: unknown) => {
      if (error instanceof KubeError && error.code === 'not-found') return api.create(collection, object);
      throw error;
    });
    applied.push(apiObject(stored));
  }
  return applied;
}

/** Deletes what a manifest names; what is not there is no error. */
export async function deleteManifest(api: KubeApi, text: string): Promise<void> {
  for (const object of objectsIn(text)) {
    await api.delete(placeOf(object).path).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.code === 'not-found')) throw error;
    });
  }
}

function objectsIn(text: string): readonly JsonObject[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter(isJsonObject);
}

function placeOf(object: JsonObject): { readonly collection: string; readonly path: string } {
  const fields = new Fields(object);
  const metadata = fields.needObject('metadata');
  const resource = resourceOf(fields.needString('apiVersion'), fields.needString('kind'));
  const kind = { apiVersion: apiVersionOf(resource), resource: resource.plural };
  const place = resource.namespaced ? { namespace: metadata.string('namespace') ?? 'default' } : {};
  return { collection: pathOf(kind, place), path: pathOf(kind, { ...place, name: metadata.needString('name') }) };
}

function resourceOf(apiVersion: string, kind: string): Resource {
  const found = resources.find((candidate) => candidate.kind === kind && apiVersionOf(candidate) === apiVersion);
  if (found === undefined) throw new Error(`no resource is known for ${apiVersion} ${kind}`);
  return found;
}
