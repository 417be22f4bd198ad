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
  readonly #home: Home;
  readonly #name: string;
  #readers: Reader | Set<Reader> | undefined;

  /** `home` is told `name` when the last reader has left, so that places nobody looks at cost nothing. */
  constructor(home: Home, name: string) {
    this.#home = home;
    this.#name = name;
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
    if (this.#readers === undefined) this.#home.forget(this.#name);
  }

  wake(): void {
    if (this.#readers instanceof Set) for (const reader of this.#readers) reader.wake();
    else this.#readers?.wake();
  }
}

/** What places belong to. */
interface Home {
  forget(name: string): void;
}

/** Files a row under none, one or several different values. */
export type IndexFunction<T> = (row: T, key: Key) => readonly string[];

/**
 * Immutable rows by key, with named indexes. A `put` of an equal row is no change; every real change wakes exactly those
 * readers that looked at the key or at an index bucket the row was or is in, whether or not it was there when they looked.
 */
export class Table<T, Index extends string = string> {
  readonly name: string;
  readonly #rows = new Map<Key, T>();
  readonly #places = new Places();
  readonly #indexes = new Map<string, TableIndex<T>>();
  readonly #listeners = new Set<(key: Key) => void>();

  constructor(name: string, indexes?: Readonly<Record<Index, IndexFunction<T>>>) {
    this.name = name;
    for (const [index, of] of Object.entries<IndexFunction<T>>(indexes ?? {})) {
      this.#indexes.set(index, new TableIndex(of));
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
    return this.#index(index).rows(value);
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
    return this.#places.place(key);
  }

  /** The place of all rows filed under `value`. */
  bucketPlace(index: Index, value: string): Place {
    return this.#index(index).content.place(value);
  }

  /** The place that only changes when the first row is filed under `value`, or the last one leaves. */
  presencePlace(index: Index, value: string): Place {
    return this.#index(index).presence.place(value);
  }

  /** Places somebody looks at, for tests: nothing wanted leaves none. */
  get watched(): number {
    let watched = this.#places.size;
    for (const { content, presence } of this.#indexes.values()) watched += content.size + presence.size;
    return watched;
  }

  #index(index: string): TableIndex<T> {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`table ${this.name} has no index ${index}`);
    return found;
  }

  #refile(key: Key, before: T | undefined, after: T | undefined): void {
    this.#places.wake(key);
    for (const index of this.#indexes.values()) index.refile(key, before, after);
    for (const listener of this.#listeners) listener(key);
  }
}

/** One way of finding rows. Most values have one row, which is kept without a map around it. */
class TableIndex<T> {
  readonly content = new Places();
  readonly presence = new Places();
  readonly #of: IndexFunction<T>;
  readonly #buckets = new Map<string, Lone<T> | Map<Key, T>>();

  constructor(of: IndexFunction<T>) {
    this.#of = of;
  }

  rows(value: string): ReadonlyMap<Key, T> {
    const bucket = this.#buckets.get(value);
    if (bucket === undefined) return noRows<T>();
    return bucket instanceof Map ? bucket : new Map([[bucket.key, bucket.row]]);
  }

  refile(key: Key, before: T | undefined, after: T | undefined): void {
    const values = after === undefined ? nothing : this.#of(after, key);
    for (const value of before === undefined ? nothing : this.#of(before, key)) {
      if (values.includes(value)) continue;
      const isEmpty = this.#takeOut(value, key);
      this.content.wake(value);
      if (isEmpty) this.presence.wake(value);
    }
    if (after === undefined) return;
    for (const value of values) {
      const isFirst = this.#file(value, key, after);
      this.content.wake(value);
      if (isFirst) this.presence.wake(value);
    }
  }

  /** Whether it is the first row under the value. */
  #file(value: string, key: Key, row: T): boolean {
    const bucket = this.#buckets.get(value);
    if (bucket instanceof Map) bucket.set(key, row);
    else if (bucket === undefined || bucket.key === key) this.#buckets.set(value, { key, row });
    else {
      const rows = new Map([
        [bucket.key, bucket.row],
        [key, row],
      ]);
      this.#buckets.set(value, rows);
    }
    return bucket === undefined;
  }

  /** Whether it was the last row under the value. */
  #takeOut(value: string, key: Key): boolean {
    const bucket = this.#buckets.get(value);
    if (bucket instanceof Map) bucket.delete(key);
    const isEmpty = !(bucket instanceof Map) || bucket.size === 0;
    if (isEmpty) this.#buckets.delete(value);
    return isEmpty;
  }
}

/** Places by name, each there while somebody looks at it. */
class Places {
  readonly #places = new Map<string, Place>();

  get size(): number {
    return this.#places.size;
  }

  place(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = new Place(this, name);
      this.#places.set(name, place);
    }
    return place;
  }

  wake(name: string): void {
    this.#places.get(name)?.wake();
  }

  forget(name: string): void {
    this.#places.delete(name);
  }
}

interface Lone<T> {
  readonly key: Key;
  readonly row: T;
}

const nothing: readonly string[] = [];

function noRows<T>(): ReadonlyMap<Key, T> {
  return new Map();
}
