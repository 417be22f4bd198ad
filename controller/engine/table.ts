import { type Place, Places } from './place.ts';
import { isSame } from './same.ts';
import { type Bucket, type IndexDefinition, noRows, TableIndex } from './table-index.ts';

export type Key = string;

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

  constructor(name: string, indexes?: Readonly<Record<Index, IndexDefinition<T>>>) {
    this.name = name;
    for (const [index, definition] of Object.entries<IndexDefinition<T>>(indexes ?? {})) {
      this.#indexes.set(index, new TableIndex(definition));
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
  by(index: Index, value: string, within?: string): ReadonlyMap<Key, T> {
    return this.#index(index).find(value, within)?.view() ?? noRows<T>();
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

  /** The place of all rows filed under `value`, which is there for as long as it is entered or has rows. */
  bucket(index: Index, value: string, within?: string): Bucket<T> {
    return this.#index(index).bucket(value, within);
  }

  /** Places somebody looks at, for tests: nothing wanted leaves none. */
  get watched(): number {
    let watched = this.#places.size;
    for (const index of this.#indexes.values()) watched += index.watched;
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
