import { isJsonObject, type JsonObject, keyOf, type StoredObject, sameJson } from './object.ts';
import { qualifiedName, type Resource } from './resources.ts';
import { alreadyExists, conflict, expired, notFound, StatusError } from './status-error.ts';
import { graceSecondsFor, isReleased, markedForDeletion, preparedForCreate, preparedForUpdate } from './strategy.ts';

/** One write, as watches see it. `object` of a `DELETED` is the last state with the version of the deletion. */
export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: StoredObject;
  /** The state before, absent for `ADDED`. */
  readonly previous?: StoredObject;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * What etcd and the registry are to a real server: objects under one growing version, with the history that watches read.
 * Every method either changes the state in one step or throws a {@link StatusError}.
 */
export class Store {
  readonly #now: () => number;
  readonly #admit: (body: JsonObject) => JsonObject;
  readonly #collections = new Map<string, Map<string, StoredObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  #history: Change[] = [];
  #version = 1;
  /** Watches and continue tokens from before this version are refused with 410. */
  #compactedAt = 0;

  /** `admit` is what a mutating webhook does to every object that is created. */
  constructor(now: () => number, admit: (body: JsonObject) => JsonObject = (body) => body) {
    this.#now = now;
    this.#admit = admit;
  }

  get version(): number {
    return this.#version;
  }

  get compactedAt(): number {
    return this.#compactedAt;
  }

  /** The live map of a collection, sorted by nobody: callers sort where order matters. */
  collection(resource: Resource): ReadonlyMap<string, StoredObject> {
    return this.#mutable(resource);
  }

  get(resource: Resource, namespace: string | undefined, name: string): StoredObject {
    const object = this.#mutable(resource).get(keyOf(namespace, name));
    if (object === undefined) throw notFound(resource, name);
    return object;
  }

  create(resource: Resource, namespace: string | undefined, body: JsonObject): StoredObject {
    const prepared = preparedForCreate(resource, namespace, this.#admit(body), this.#now());
    const { name } = prepared.metadata;
    if (this.#mutable(resource).has(keyOf(namespace, name))) throw alreadyExists(resource, name);
    return this.#commit('ADDED', resource, prepared, undefined);
  }

  /** `change` maps what is stored to the whole new body; a body that changes nothing is answered with what is stored. */
  update(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    change: (stored: StoredObject) => JsonObject,
    subresource?: 'status',
  ): StoredObject {
    const stored = this.get(resource, namespace, name);
    const prepared = preparedForUpdate(resource, stored, change(stored), subresource);
    if (isReleased(prepared)) return this.#commit('DELETED', resource, prepared, stored);
    if (sameJson(stored, prepared)) return stored;
    return this.#commit('MODIFIED', resource, prepared, stored);
  }

  /** `pods/binding`: a pod is bound to a node once. */
  bind(resource: Resource, namespace: string, name: string, nodeName: string): void {
    this.#replace(resource, namespace, name, (stored) => {
      const spec = isJsonObject(stored.spec) ? stored.spec : {};
      if (stored.metadata.deletionTimestamp !== undefined) {
        throw conflict(resource, name, `pod ${name} is being deleted, cannot be assigned to a host`);
      }
      if (spec.nodeName) {
        throw conflict(resource, name, `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
      }
      const status = isJsonObject(stored.status) ? stored.status : {};
      const conditions = Array.isArray(status.conditions) ? status.conditions : [];
      return {
        ...stored,
        spec: { ...spec, nodeName },
        status: { ...status, conditions: [...conditions, { type: 'PodScheduled', status: 'True' }] },
      };
    });
  }

  /** What is left of the object, or undefined when it is gone at once. */
  delete(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): StoredObject | undefined {
    const stored = this.get(resource, namespace, name);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== stored.metadata.uid) {
      throw conflict(
        resource,
        name,
        `the UID in the precondition (${uid}) does not match the UID in record (${stored.metadata.uid}). The object might have been deleted and then recreated`,
      );
    }
    if (resourceVersion !== undefined && resourceVersion !== stored.metadata.resourceVersion) {
      throw conflict(
        resource,
        name,
        `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${stored.metadata.resourceVersion}). The object might have been modified`,
      );
    }
    const grace = graceSecondsFor(resource, stored, options.gracePeriodSeconds);
    const before = stored.metadata.finalizers ?? [];
    const finalizers = [...before, ...finalizersFor(options.propagationPolicy, before)];
    const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = stored.metadata;
    // A second delete may only shorten the grace period.
    if (deletionTimestamp !== undefined && grace >= deletionGracePeriodSeconds && finalizers.length === before.length) {
      return isReleased(stored) ? this.#remove(resource, stored) : stored;
    }
    const marked = markedForDeletion(stored, finalizers, grace, this.#now());
    if (isReleased(marked)) return this.#remove(resource, stored);
    return this.#commit('MODIFIED', resource, marked, stored);
  }

  /** A change by the control plane itself (binding, garbage collection), past the rules for requests. */
  rewrite(object: StoredObject, resource: Resource, change: (stored: StoredObject) => StoredObject): void {
    this.#replace(resource, object.metadata.namespace, object.metadata.name, change);
  }

  /** The changes after `version`, oldest first; 410 when they are not all there any more. */
  since(version: number): readonly Change[] {
    if (version < this.#compactedAt) {
      throw expired(`too old resource version: ${version} (${this.#compactedAt})`);
    }
    if (version > this.#version) {
      throw new StatusError(
        504,
        'Timeout',
        `Timeout: Too large resource version: ${version}, current: ${this.#version}`,
        1,
      );
    }
    return this.#history.slice(firstAfter(this.#history, version));
  }

  /** Forgets the history, as etcd's compaction does. */
  compact(): void {
    this.#compactedAt = this.#version;
    this.#history = [];
  }

  /** Calls `listener` at each change, in order and before the writer gets its answer. Returns what ends it. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #replace(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    change: (stored: StoredObject) => StoredObject,
  ): void {
    const stored = this.get(resource, namespace, name);
    const changed = change(stored);
    if (isReleased(changed)) this.#remove(resource, changed);
    else if (!sameJson(stored, changed)) this.#commit('MODIFIED', resource, changed, stored);
  }

  #remove(resource: Resource, stored: StoredObject): undefined {
    this.#commit('DELETED', resource, stored, stored);
  }

  #commit(
    type: Change['type'],
    resource: Resource,
    prepared: StoredObject,
    previous: StoredObject | undefined,
  ): StoredObject {
    this.#version += 1;
    const object = {
      ...prepared,
      metadata: { ...prepared.metadata, resourceVersion: String(this.#version) },
    };
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    if (type === 'DELETED') this.#mutable(resource).delete(key);
    else this.#mutable(resource).set(key, object);
    const change: Change = {
      version: this.#version,
      type,
      resource,
      object,
      ...(previous === undefined ? {} : { previous }),
    };
    this.#history.push(change);
    if (this.#history.length > historyLimit) {
      this.#history = this.#history.slice(historyLimit / 2);
      this.#compactedAt = (this.#history[0]?.version ?? this.#version) - 1;
    }
    for (const listener of this.#listeners) listener(change);
    return object;
  }

  #mutable(resource: Resource): Map<string, StoredObject> {
    const id = qualifiedName(resource);
    let collection = this.#collections.get(id);
    if (collection === undefined) {
      collection = new Map();
      this.#collections.set(id, collection);
    }
    return collection;
  }
}

/** Changes kept for watches that resume; a real server keeps five minutes of them. */
const historyLimit = 200_000;

function finalizersFor(policy: DeleteOptions['propagationPolicy'], held: readonly string[]): readonly string[] {
  const finalizer = policy === 'Foreground' ? 'foregroundDeletion' : policy === 'Orphan' ? 'orphan' : undefined;
  return finalizer === undefined || held.includes(finalizer) ? [] : [finalizer];
}

function firstAfter(history: readonly Change[], version: number): number {
  let low = 0;
  let high = history.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((history[middle]?.version ?? 0) > version) high = middle;
    else low = middle + 1;
  }
  return low;
}
