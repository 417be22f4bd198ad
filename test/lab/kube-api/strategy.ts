import { randomInt, randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject, type Metadata, type StoredObject, sameJson } from './object.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { checkedAgainst } from './schema.ts';
import { badRequest, conflict, invalid, modifiedSince, StatusError } from './status-error.ts';

/** A new object as it is stored, less the resourceVersion, which the store gives it. */
export function preparedForCreate(
  resource: Resource,
  namespace: string | undefined,
  body: JsonObject,
  nowMs: number,
): StoredObject {
  const given = metadataIn(resource, body);
  const name = nameFor(resource, given);
  if (given.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created');
  if (given.namespace !== undefined && given.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { managedFields, deletionTimestamp, deletionGracePeriodSeconds, selfLink, ...metadata } = given;
  const { status: givenStatus, ...content } = body;
  const status = resource.hasStatus ? initialStatus(resource) : givenStatus;
  return accepted(resource, {
    ...content,
    ...(resource.kind === 'Namespace' ? { spec: { finalizers: ['kubernetes'] } } : {}),
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: {
      ...metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: randomUUID(),
      resourceVersion: '',
      creationTimestamp: apiTime(nowMs),
      ...(resource.hasGeneration ? { generation: 1 } : {}),
    },
    ...(status === undefined ? {} : { status }),
  });
}

/** What a PUT or a patched object turns into, given what is stored; throws the refusal of a real server. */
export function preparedForUpdate(
  resource: Resource,
  stored: StoredObject,
  body: JsonObject,
  subresource: 'status' | undefined,
): StoredObject {
  const given = metadataIn(resource, body);
  const name = stored.metadata.name;
  if (given.name !== name || given.namespace !== stored.metadata.namespace) {
    throw badRequest(`the name of the object (${String(given.name)}) does not match the name on the URL (${name})`);
  }
  if (given.uid && given.uid !== stored.metadata.uid) {
    throw conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${String(given.uid)}, UID in object meta: ${stored.metadata.uid}`,
    );
  }
  const version = given.resourceVersion;
  if (!version && !resource.allowsUnconditionalUpdate) {
    throw invalid(resource, name, 'metadata.resourceVersion: Invalid value: 0: must be specified for an update');
  }
  if (version && version !== stored.metadata.resourceVersion) throw modifiedSince(resource, name);

  if (subresource === 'status') {
    const { status: _old, ...kept } = stored;
    const metadata = resource.allowsUnconditionalUpdate ? updatedMetadata(resource, stored, given) : stored.metadata;
    return accepted(resource, { ...kept, metadata, ...(body.status === undefined ? {} : { status: body.status }) });
  }
  const { status: givenStatus, ...content } = body;
  const status = resource.hasStatus ? stored.status : givenStatus;
  const updated = accepted(resource, {
    ...content,
    apiVersion: stored.apiVersion,
    kind: stored.kind,
    metadata: updatedMetadata(resource, stored, given),
    ...(status === undefined ? {} : { status }),
  });
  if (!resource.hasGeneration || sameContent(stored, updated)) return updated;
  return { ...updated, metadata: { ...updated.metadata, generation: (stored.metadata.generation ?? 0) + 1 } };
}

/** An object on its way out, held by finalizers or by its grace period. */
export function markedForDeletion(
  stored: StoredObject,
  finalizers: readonly string[],
  graceSeconds: number,
  nowMs: number,
): StoredObject {
  const first = stored.metadata.deletionTimestamp === undefined;
  return {
    ...stored,
    ...(isNamespace(stored) ? { status: { phase: 'Terminating' } } : {}),
    metadata: {
      ...stored.metadata,
      deletionTimestamp: apiTime(nowMs + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
      ...(finalizers.length > 0 ? { finalizers } : {}),
      ...(first && stored.metadata.generation !== undefined ? { generation: stored.metadata.generation + 1 } : {}),
    },
  };
}

/** Whether nothing holds a deleted object any more: it goes in the same write. */
export function isReleased(object: StoredObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  return (
    deletionTimestamp !== undefined &&
    deletionGracePeriodSeconds === 0 &&
    finalizers.length === 0 &&
    namespaceFinalizers(object).length === 0
  );
}

/** `spec.finalizers` of a Namespace: held until everything in it is gone. */
export function namespaceFinalizers(object: StoredObject): readonly unknown[] {
  const spec = object.kind === 'Namespace' && isJsonObject(object.spec) ? object.spec : {};
  return Array.isArray(spec.finalizers) ? spec.finalizers : [];
}

/** Seconds a kubelet has to end the pod. None where no kubelet is concerned: not bound yet, or all containers have ended. */
export function graceSecondsFor(resource: Resource, stored: StoredObject, asked: number | undefined): number {
  if (resource.kind !== 'Pod' || resource.group !== '') return 0;
  const spec = isJsonObject(stored.spec) ? stored.spec : {};
  const status = isJsonObject(stored.status) ? stored.status : {};
  if (!spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed') return 0;
  const own = spec.terminationGracePeriodSeconds;
  return asked ?? (typeof own === 'number' ? own : 30);
}

/** `metav1.Time`: whole seconds. */
export function apiTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The object as its CRD's schema leaves it. */
function accepted(resource: Resource, object: StoredObject): StoredObject {
  if (resource.schema === undefined) return object;
  const { value, problems } = checkedAgainst(resource.schema, object);
  if (problems.length > 0 || !isJsonObject(value)) throw invalid(resource, object.metadata.name, problems.join(', '));
  return { ...value, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

function isNamespace(object: StoredObject): boolean {
  return object.kind === 'Namespace' && object.apiVersion === 'v1';
}

function metadataIn(resource: Resource, body: JsonObject): JsonObject {
  const { apiVersion, kind, metadata } = body;
  if ((apiVersion ?? apiVersionOf(resource)) !== apiVersionOf(resource) || (kind ?? resource.kind) !== resource.kind) {
    throw badRequest(
      `the object provided (${String(apiVersion)}, Kind=${String(kind)}) is not a ${resource.kind} of ${apiVersionOf(resource)}`,
    );
  }
  if (!isJsonObject(metadata)) throw invalid(resource, '', 'metadata: Required value');
  return metadata;
}

function nameFor(resource: Resource, metadata: JsonObject): string {
  const { name, generateName } = metadata;
  const given = typeof name === 'string' && name !== '' ? name : undefined;
  if (given === undefined && typeof generateName === 'string') return `${generateName.slice(0, 58)}${suffix()}`;
  if (given === undefined)
    throw invalid(resource, '', 'metadata.name: Required value: name or generateName is required');
  if (given.length > 253 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(given)) {
    throw invalid(
      resource,
      given,
      `metadata.name: Invalid value: ${JSON.stringify(given)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    );
  }
  return given;
}

/** Five letters without vowels, as `k8s.io/apiserver/pkg/storage/names` makes them. */
function suffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function initialStatus(resource: Resource): JsonObject | undefined {
  if (resource.group !== '') return undefined;
  switch (resource.kind) {
    case 'Pod':
      return { phase: 'Pending', qosClass: 'BestEffort' };
    case 'Namespace':
      return { phase: 'Active' };
    default:
      return undefined;
  }
}

function updatedMetadata(resource: Resource, stored: StoredObject, given: JsonObject): Metadata {
  const { managedFields, ...metadata } = given;
  const { name, namespace, uid, resourceVersion, creationTimestamp, generation } = stored.metadata;
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers: held = [] } = stored.metadata;
  if (deletionTimestamp !== undefined) {
    const added = Array.isArray(metadata.finalizers)
      ? metadata.finalizers.filter((finalizer: unknown) => !held.some((known) => known === finalizer))
      : [];
    if (added.length > 0) {
      throw new StatusError(
        422,
        'Invalid',
        `${resource.kind} "${name}" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      );
    }
  }
  return withoutUndefined({
    ...metadata,
    name,
    namespace,
    uid,
    resourceVersion,
    creationTimestamp,
    generation,
    deletionTimestamp,
    deletionGracePeriodSeconds,
  });
}

function withoutUndefined(metadata: { [Key in keyof Metadata]: Metadata[Key] | undefined }): Metadata {
  const { name, uid, resourceVersion, creationTimestamp, ...rest } = metadata;
  const kept = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...kept,
    name: name ?? '',
    uid: uid ?? '',
    resourceVersion: resourceVersion ?? '',
    creationTimestamp: creationTimestamp ?? '',
  };
}

function sameContent(a: StoredObject, b: StoredObject): boolean {
  const { metadata: _a, ...contentA } = a;
  const { metadata: _b, ...contentB } = b;
  return sameJson(contentA, contentB);
}
