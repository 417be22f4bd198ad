import { isSame } from './same.ts';

export type Key = string;

/** Something that looked at a place and wants to know when what is there changes. */
export interface Reader {
  wake(): void;
}

/**
 * A place in a table that can be looked at: one key, all rows that an index files under one value, or whether there are any. Most
 * places have one reader, and there are as many places as rows, so a lone reader is kept without a set around it.
 */
export class Place {
  readonly #forget: () => void;
  #readers: Reader | Set<Reader> | undefined;

  /** `forget` is called when the last reader has left, so that places nobody looks at cost nothing. */
  constructor(forget: () => void) {
    this.#forget = forget;
  }

  get isRead(): boolean {
    return this.#readers !== undefined;
  }

  enter(reader: Reader): void {
    if (this.#readers === undefined) this.#readers = reader;
    else if (this.#readers instanceof Set) this.#readers.add(reader);
    else if (this.#readers !== reader) this.#readers = new Set([this.#readers, reader]);
  }

  leave(reader: Reader): void {
    if (this.#readers instanceof Set) {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#readers = undefined;
    } else if (this.#readers === reader) this.#readers = undefined;
    if (this.#readers === undefined) this.#forget();
  }

  wake(): void {
    if (this.#readers instanceof Set) for (const reader of this.#readers) reader.wake();
    else this.#readers?.wake();
  }
}

/** Files a row under none, one or several values. */
export type IndexFunction<T> = (row: T, key: Key) => Iterable<string>;

/**
 * Immutable rows by key, with named indexes. A `put` of an equal row is no change; every real change wakes exactly those
 * readers that looked at the key or at an index bucket the row was or is in, whether or not it was there when they looked.
 */
export class Table<T, Index extends string = string> {
  readonly name: string;
  readonly #rows = new Map<Key, T>();
  readonly #places = new Map<Key, Place>();
  readonly #indexes = new Map<string, TableIndex<T>>();
  readonly #listeners = new Set<(key: Key) => void>();

  constructor(name: string, indexes?: Readonly<Record<Index, IndexFunction<T>>>) {
    this.name = name;
    for (const [index, of] of Object.entries<IndexFunction<T>>(indexes ?? {})) {
      this.#indexes.set(index, { of, buckets: new Map() });
    }
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: Key): T | undefined {
    return this.#rows.get(key);
  }

  rows(): ReadonlyMap<Key, T> {
    return this.#rows;
  }

  /** The rows filed under `value`; the map is live and not to be kept. */
  by(index: Index, value: string): ReadonlyMap<Key, T> {
    return this.#index(index).buckets.get(value)?.rows ?? new Map();
  }

  put(key: Key, row: T): void {
    const before = this.#rows.get(key);
    if (before !== undefined && isSame(before, row)) return;
    this.#rows.set(key, row);
    this.#refile(key, before, row);
  }

  remove(key: Key): void {
    const before = this.#rows.get(key);
    if (before === undefined) return;
    this.#rows.delete(key);
    this.#refile(key, before, undefined);
  }

  /** Calls `listener` with each key whose row appears, changes or disappears; returns what stops it. */
  onChange(listener: (key: Key) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  place(key: Key): Place {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = new Place(() => this.#places.delete(key));
      this.#places.set(key, place);
    }
    return place;
  }

  /** The place of all rows filed under `value`. */
  bucketPlace(index: Index, value: string): Place {
    const { buckets } = this.#index(index);
    const bucket = bucketOf(buckets, value);
    bucket.content ??= new Place(() => forgetIdle(buckets, value));
    return bucket.content;
  }

  /** The place that only changes when the first row is filed under `value`, or the last one leaves. */
  presencePlace(index: Index, value: string): Place {
    const { buckets } = this.#index(index);
    const bucket = bucketOf(buckets, value);
    bucket.presence ??= new Place(() => forgetIdle(buckets, value));
    return bucket.presence;
  }

  /** Places somebody looks at, for tests: nothing wanted leaves none. */
  get watched(): number {
    let watched = this.#places.size;
    for (const { buckets } of this.#indexes.values()) {
      for (const { content, presence } of buckets.values())
        watched += (content?.isRead ? 1 : 0) + (presence?.isRead ? 1 : 0);
    }
    return watched;
  }

  #index(index: string): TableIndex<T> {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`table ${this.name} has no index ${index}`);
    return found;
  }

  #refile(key: Key, before: T | undefined, after: T | undefined): void {
    this.#places.get(key)?.wake();
    for (const { of, buckets } of this.#indexes.values()) {
      const values = new Set(after === undefined ? [] : of(after, key));
      for (const value of before === undefined ? [] : of(before, key)) {
        if (values.has(value)) continue;
        const bucket = bucketOf(buckets, value);
        bucket.rows.delete(key);
        bucket.content?.wake();
        if (bucket.rows.size === 0) bucket.presence?.wake();
        forgetIdle(buckets, value);
      }
      for (const value of values) {
        const bucket = bucketOf(buckets, value);
        if (after !== undefined) bucket.rows.set(key, after);
        bucket.content?.wake();
        if (bucket.rows.size === 1) bucket.presence?.wake();
      }
    }
    for (const listener of this.#listeners) listener(key);
  }
}

interface TableIndex<T> {
  readonly of: IndexFunction<T>;
  readonly buckets: Map<string, Bucket<T>>;
}

interface Bucket<T> {
  readonly rows: Map<Key, T>;
  content: Place | undefined;
  presence: Place | undefined;
}

function bucketOf<T>(buckets: Map<string, Bucket<T>>, value: string): Bucket<T> {
  let bucket = buckets.get(value);
  if (bucket === undefined) {
    bucket = { rows: new Map(), content: undefined, presence: undefined };
    buckets.set(value, bucket);
  }
  return bucket;
}

/** Drops a bucket without rows that nobody looks at. */
function forgetIdle<T>(buckets: Map<string, Bucket<T>>, value: string): void {
  const bucket = buckets.get(value);
  if (bucket?.rows.size === 0 && !bucket.content?.isRead && !bucket.presence?.isRead) buckets.delete(value);
}
