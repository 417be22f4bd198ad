import { isJsonObject, type JsonObject, type StoredObject } from './object.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { unknownFields } from './schema.ts';
import { badRequest, noSuchPath, notFound, StatusError } from './status-error.ts';
import type { DeleteOptions, Store } from './store.ts';

/** A path of the API, taken apart. */
export interface Target {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** What a request with a body asks for. */
export interface Write {
  readonly method: string;
  readonly contentType: string;
  readonly body: unknown;
  readonly isDryRun: boolean;
  readonly query: URLSearchParams;
}

export interface Answer {
  readonly code: number;
  readonly body: object;
}

/** `/apis/kubevirt.io/v1/namespaces/default/virtualmachines/db/status`. */
export function targetOf(path: string, resources: readonly Resource[]): Target {
  const match = /^(?:\/api\/(v1)|\/apis\/([^/]+\/[^/]+))\/(.+)$/.exec(path);
  if (match === null) throw noSuchPath();
  const apiVersion = match[1] ?? match[2] ?? '';
  const segments = (match[3] ?? '').split('/').map(decodeURIComponent);
  // `namespaces/db` is the Namespace itself, `namespaces/db/pods` is in it; `status` and `finalize` are of the Namespace.
  const isNamespaced =
    segments[0] === 'namespaces' && segments.length > 2 && !/^(status|finalize)$/.test(segments[2] ?? '');
  const namespace = isNamespaced ? segments[1] : undefined;
  const [plural = '', name, subresource] = isNamespaced ? segments.slice(2) : segments;
  const resource = resources.find((candidate) => candidate.plural === plural && apiVersionOf(candidate) === apiVersion);
  if (resource === undefined) throw noSuchPath();
  if (name !== undefined && resource.namespaced !== isNamespaced) throw noSuchPath();
  return { resource, namespace, name, subresource };
}

/** Carries out a request that writes. */
export function write(store: Store, resources: readonly Resource[], target: Target, request: Write): Answer {
  const { resource, namespace, name, subresource } = target;
  if (request.isDryRun) throw badRequest('the lab API does no dry runs; use a real API server (--real-kube)');
  if (subresource === 'binding' && resource.kind === 'Pod' && request.method === 'POST') {
    return bound(store, target, request.body);
  }
  if (subresource !== undefined && (subresource !== 'status' || !resource.hasStatus)) throw noSuchPath();
  const part = subresource === 'status' ? 'status' : undefined;
  if (request.query.get('fieldValidation') === 'Strict' && resource.schema !== undefined) {
    const [unknown] = unknownFields(resource.schema, request.body);
    if (unknown !== undefined) throw badRequest(`strict decoding error: unknown field "${unknown}"`);
  }
  switch (request.method) {
    case 'POST':
      if (name !== undefined) throw notAllowed('POST');
      checkNamespace(store, resources, target);
      return { code: 201, body: store.create(resource, namespace, objectIn(request.body)) };
    case 'PUT': {
      const body = objectIn(request.body);
      return { code: 200, body: store.update(resource, namespace, needName(name), () => body, part) };
    }
    case 'PATCH': {
      const change = patched(request.contentType, request.body);
      return { code: 200, body: store.update(resource, namespace, needName(name), change, part) };
    }
    case 'DELETE': {
      if (name === undefined) throw notAllowed('DELETE of a collection');
      const options = deleteOptionsIn(request.body, request.query);
      const left = store.delete(resource, namespace, name, options);
      const details = { name, group: resource.group, kind: resource.plural };
      return {
        code: 200,
        body: left ?? { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details },
      };
    }
    default:
      throw notAllowed(request.method);
  }
}

function patched(contentType: string, patch: unknown): (stored: StoredObject) => JsonObject {
  switch (contentType.split(';')[0]) {
    case 'application/json-patch+json':
      return (stored) => objectIn(jsonPatch(stored, patch));
    case 'application/merge-patch+json':
      return (stored) => objectIn(mergePatch(stored, patch));
    default:
      throw new StatusError(
        415,
        'UnsupportedMediaType',
        `the lab API patches with application/merge-patch+json or application/json-patch+json, not ${contentType} (kubectl: --type=merge)`,
      );
  }
}

function bound(store: Store, { resource, namespace, name }: Target, body: unknown): Answer {
  const target = isJsonObject(body) && isJsonObject(body.target) ? body.target.name : undefined;
  if (typeof target !== 'string' || namespace === undefined) throw badRequest('target.name: Required value');
  store.bind(resource, namespace, needName(name), target);
  return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}

/** The NamespaceLifecycle admission plugin: nothing is made in a namespace that is not there, or that ends. */
function checkNamespace(store: Store, resources: readonly Resource[], { resource, namespace }: Target): void {
  if (!resource.namespaced) return;
  if (namespace === undefined) throw badRequest('an empty namespace may not be set during creation');
  const namespaces = resources.find(({ kind, group }) => kind === 'Namespace' && group === '');
  if (namespaces === undefined) return;
  const found = store.collection(namespaces).get(namespace);
  if (found === undefined) throw notFound(namespaces, namespace);
  if (found.metadata.deletionTimestamp !== undefined) {
    throw new StatusError(
      403,
      'Forbidden',
      `${resource.plural} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    );
  }
}

function deleteOptionsIn(body: unknown, query: URLSearchParams): DeleteOptions {
  const given = isJsonObject(body) ? body : {};
  const grace = given.gracePeriodSeconds ?? query.get('gracePeriodSeconds') ?? undefined;
  const policy = given.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  const preconditions = isJsonObject(given.preconditions) ? given.preconditions : {};
  const { uid, resourceVersion } = preconditions;
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === 'Background' || policy === 'Foreground' || policy === 'Orphan' ? { propagationPolicy: policy } : {}),
    preconditions: {
      ...(typeof uid === 'string' ? { uid } : {}),
      ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    },
  };
}

function objectIn(body: unknown): JsonObject {
  if (!isJsonObject(body)) throw badRequest('the body of the request is not an object');
  return body;
}

function needName(name: string | undefined): string {
  if (name === undefined) throw notAllowed('a write of a collection');
  return name;
}

function notAllowed(what: string): StatusError {
  return new StatusError(405, 'MethodNotAllowed', `${what} is not supported on this path`);
}
