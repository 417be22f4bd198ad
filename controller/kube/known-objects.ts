import type { Kind } from './kinds.ts';
import { Fields, MalformedField } from './objects/fields.ts';

/** Where the objects of one kind go. Keys are `namespace/name`, or `name` for cluster-scoped kinds. */
export interface ObjectSink<T> {
  /** Never called twice in a row with the same resourceVersion of an object. */
  put(key: string, object: T): void;
  /** `last`: the object as it was when it went; absent when it went while nobody watched. */
  remove(key: string, last?: unknown): void;
  /** Everything there was at some moment after the call of `watchKind` has been put. Called after each complete list. */
  synced(): void;
}

/**
 * What one watch has put into its sink, so that a new list can tell what vanished meanwhile and what did not change. An object that
 * cannot be read keeps its last readable state: it is parked, not removed.
 */
export class KnownObjects<T> {
  readonly #kind: Kind<T>;
  readonly #sink: ObjectSink<T>;
  readonly #onMalformed: (key: string, problem: MalformedField) => void;
  /** Key → resourceVersion. */
  readonly #put = new Map<string, string>();
  readonly #malformed = new Map<string, string>();
  /** Keys of the list that is being read. */
  #listed = new Set<string>();

  constructor(kind: Kind<T>, sink: ObjectSink<T>, onMalformed: (key: string, problem: MalformedField) => void) {
    this.#kind = kind;
    this.#sink = sink;
    this.#onMalformed = onMalformed;
  }

  get size(): number {
    return this.#put.size;
  }

  beginList(): void {
    this.#listed = new Set();
  }

  takeListed(json: unknown): void {
    const { key } = this.#take(json);
    this.#listed.add(key);
  }

  /** Removes what the list did not have. Returns how many objects it had. */
  endList(): number {
    for (const key of [...this.#put.keys(), ...this.#malformed.keys()]) if (!this.#listed.has(key)) this.#forget(key);
    const count = this.#listed.size;
    this.#listed = new Set();
    this.#sink.synced();
    return count;
  }

  /** Takes in an `ADDED` or `MODIFIED`; returns its resourceVersion. Throws `MalformedField` when not even that can be read. */
  take(json: unknown): string {
    return this.#take(json).resourceVersion;
  }

  /** Takes in a `DELETED`; returns its resourceVersion. */
  takeDeleted(json: unknown): string {
    const { key, resourceVersion } = identityOf(json);
    this.#forget(key, json);
    return resourceVersion;
  }

  #take(json: unknown): Identity {
    const identity = identityOf(json);
    const { key, resourceVersion } = identity;
    if (this.#put.get(key) === resourceVersion || this.#malformed.get(key) === resourceVersion) return identity;
    let object: T;
    try {
      object = this.#kind.trim(json);
    } catch (error) {
      if (!(error instanceof MalformedField)) throw error;
      this.#malformed.set(key, resourceVersion);
      this.#onMalformed(key, error);
      return identity;
    }
    this.#malformed.delete(key);
    this.#put.set(key, resourceVersion);
    this.#sink.put(key, object);
    return identity;
  }

  #forget(key: string, last?: unknown): void {
    this.#malformed.delete(key);
    if (this.#put.delete(key)) this.#sink.remove(key, last);
  }
}

interface Identity {
  readonly key: string;
  readonly resourceVersion: string;
}

function identityOf(json: unknown): Identity {
  const metadata = new Fields(json).needObject('metadata');
  const namespace = metadata.string('namespace');
  const name = metadata.needString('name');
  return {
    key: namespace === undefined ? name : [namespace, name].join('/'),
    resourceVersion: metadata.needString('resourceVersion'),
  };
}
