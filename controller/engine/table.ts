import { isSame } from './same.ts';

export type Key = string;

/** Something that looked at a place and wants to know when what is there changes. */
export interface Reader {
  wake(): void;
}

/** A place in a table that can be looked at: one key, or all rows that one index files under one value. */
export interface Place {
  readonly readers: Set<Reader>;
  /** Called when the last reader has left, so that places nobody looks at cost nothing. */
  forget(): void;
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
  readonly #places = new Map<Key, KeyPlace>();
  readonly #indexes = new Map<string, { of: IndexFunction<T>; buckets: Map<string, Bucket<T>> }>();
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
      place = { readers: new Set(), forget: () => this.#places.delete(key) };
      this.#places.set(key, place);
    }
    return place;
  }

  bucketPlace(index: Index, value: string): Place {
    return this.#bucket(this.#index(index).buckets, value);
  }

  #index(index: string): { of: IndexFunction<T>; buckets: Map<string, Bucket<T>> } {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`table ${this.name} has no index ${index}`);
    return found;
  }

  #bucket(buckets: Map<string, Bucket<T>>, value: string): Bucket<T> {
    let bucket = buckets.get(value);
    if (bucket === undefined) {
      const made: Bucket<T> = {
        rows: new Map(),
        readers: new Set(),
        forget: () => {
          if (made.rows.size === 0) buckets.delete(value);
        },
      };
      buckets.set(value, made);
      bucket = made;
    }
    return bucket;
  }

  #refile(key: Key, before: T | undefined, after: T | undefined): void {
    const woken = new Set<Reader>(this.#places.get(key)?.readers);
    for (const { of, buckets } of this.#indexes.values()) {
      const values = new Set(after === undefined ? [] : of(after, key));
      for (const value of before === undefined ? [] : of(before, key)) {
        if (values.has(value)) continue;
        const bucket = this.#bucket(buckets, value);
        bucket.rows.delete(key);
        for (const reader of bucket.readers) woken.add(reader);
        if (bucket.readers.size === 0) bucket.forget();
      }
      for (const value of values) {
        const bucket = this.#bucket(buckets, value);
        if (after !== undefined) bucket.rows.set(key, after);
        for (const reader of bucket.readers) woken.add(reader);
      }
    }
    for (const reader of woken) reader.wake();
    for (const listener of this.#listeners) listener(key);
  }
}

type KeyPlace = Place;

interface Bucket<T> extends Place {
  readonly rows: Map<Key, T>;
}
