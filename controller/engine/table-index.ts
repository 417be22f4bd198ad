import { Gaps } from './gaps.ts';
import { PartedMap, wholeSize } from './parted-map.ts';
import { type Home, Place } from './place.ts';
import type { Key } from './table.ts';

/** Files a row under none, one or several different values. */
export type IndexFunction<T> = (row: T, key: Key) => readonly string[];

/**
 * A way of finding rows. With `within` the values are names within something, and are kept apart by it: what many of them have in common is
 * then neither stored nor compared with each.
 */
export type IndexDefinition<T> =
  | IndexFunction<T>
  | { readonly within: (row: T) => string; readonly of: IndexFunction<T> };

/** One way of finding rows. */
export class TableIndex<T> {
  readonly #within: ((row: T) => string) | undefined;
  readonly #of: IndexFunction<T>;
  readonly #shelves = new Map<string, Shelf<T>>();

  constructor(definition: IndexDefinition<T>) {
    this.#within = typeof definition === 'function' ? undefined : definition.within;
    this.#of = typeof definition === 'function' ? definition : definition.of;
  }

  find(value: string, within = ''): Bucket<T> | undefined {
    return this.#shelves.get(within)?.find(value);
  }

  bucket(value: string, within?: string): Bucket<T> {
    return this.#shelf(within).bucket(value);
  }

  /** The place to look at for what is filed under `value`; `before`, if it still is one that nothing is at. */
  look(value: string, within: string | undefined, before: Place | undefined): Bucket<T> | Place {
    return this.#shelf(within).look(value, before);
  }

  get watched(): number {
    let watched = 0;
    for (const shelf of this.#shelves.values()) watched += shelf.watched;
    return watched;
  }

  refile(key: Key, before: T | undefined, after: T | undefined): void {
    const values = after === undefined ? nothing : this.#of(after, key);
    const place = after && this.#within?.(after);
    if (before !== undefined) {
      const former = this.#within?.(before);
      for (const value of this.#of(before, key)) {
        if (former !== place || !values.includes(value)) this.find(value, former)?.takeOut(key);
      }
    }
    if (after !== undefined) for (const value of values) this.#shelf(place).file(value, key, after);
  }

  #shelf(within = ''): Shelf<T> {
    let shelf = this.#shelves.get(within);
    if (shelf === undefined) {
      shelf = new Shelf(() => this.#shelves.delete(within));
      this.#shelves.set(within, shelf);
    }
    return shelf;
  }
}

export function noRows<T>(): ReadonlyMap<Key, T> {
  return empty;
}

/** All rows that an index files under one value, and who looks at them. Most have one row, which is kept without a map around it. */
export class Bucket<T> extends Place {
  #rows: LoneRow<T> | ManyRows<T> | undefined;
  #presence: Place | undefined;

  /** Whether nobody looks at it and nothing is in it. */
  get isIdle(): boolean {
    return !this.isRead && !this.isPresenceRead && this.#rows === undefined;
  }

  get isEmpty(): boolean {
    return this.#rows === undefined;
  }

  get isPresenceRead(): boolean {
    return this.#presence?.isRead ?? false;
  }

  /** The place that only changes when the first row is filed, or the last one leaves. */
  get presence(): Place {
    this.#presence ??= new Place(this.home, this.name);
    return this.#presence;
  }

  /** The rows; the map is live and not to be kept. */
  view(): ReadonlyMap<Key, T> {
    return this.#rows ?? empty;
  }

  file(key: Key, row: T): void {
    const rows = this.#rows;
    if (isMany(rows)) this.#rows = rows.size < wholeSize ? rows.set(key, row) : parted(rows).set(key, row);
    else if (rows === undefined || rows.key === key) this.#rows = new LoneRow(key, row);
    else {
      this.#rows = new Map([
        [rows.key, rows.row],
        [key, row],
      ]);
    }
    this.wake();
    if (rows === undefined) this.#presence?.wake();
  }

  takeOut(key: Key): void {
    if (isMany(this.#rows)) this.#rows.delete(key);
    if (!isMany(this.#rows) || this.#rows.size === 0) this.#rows = undefined;
    this.wake();
    if (this.#rows === undefined) {
      this.#presence?.wake();
      this.home.forget(this.name);
    }
  }
}

type ManyRows<T> = Map<Key, T> | PartedMap<T>;

function isMany<T>(rows: LoneRow<T> | ManyRows<T> | undefined): rows is ManyRows<T> {
  return rows instanceof Map || rows instanceof PartedMap;
}

function parted<T>(rows: ManyRows<T>): PartedMap<T> {
  if (rows instanceof PartedMap) return rows;
  const parts = new PartedMap<T>();
  for (const [key, row] of rows) parts.set(key, row);
  return parts;
}

/** Buckets by value, each there while it has rows or somebody looks at it. */
class Shelf<T> implements Home {
  readonly #buckets = new Map<string, Bucket<T>>();
  #gaps: Gaps | undefined;
  readonly #onEmpty: () => void;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  find(value: string): Bucket<T> | undefined {
    return this.#buckets.get(value);
  }

  bucket(value: string): Bucket<T> {
    let bucket = this.#buckets.get(value);
    if (bucket === undefined) {
      bucket = new Bucket(this, value);
      this.#buckets.set(value, bucket);
    }
    return bucket;
  }

  look(value: string, before: Place | undefined): Bucket<T> | Place {
    const bucket = this.#buckets.get(value);
    if (bucket !== undefined) return bucket;
    this.#gaps ??= new Gaps(() => this.#left());
    return this.#gaps.look(value, before);
  }

  file(value: string, key: Key, row: T): void {
    const bucket = this.bucket(value);
    if (bucket.isEmpty) this.#gaps?.wake(value);
    bucket.file(key, row);
  }

  forget(value: string): void {
    if (this.#buckets.get(value)?.isIdle) this.#buckets.delete(value);
    this.#left();
  }

  #left(): void {
    if (this.#buckets.size === 0 && (this.#gaps?.isEmpty ?? true)) this.#onEmpty();
  }

  get watched(): number {
    let watched = this.#gaps?.watched ?? 0;
    for (const { isRead, isPresenceRead } of this.#buckets.values()) watched += Number(isRead) + Number(isPresenceRead);
    return watched;
  }
}

/** A map of one row, in a third of the room. */
class LoneRow<T> implements ReadonlyMap<Key, T> {
  readonly key: Key;
  readonly row: T;

  constructor(key: Key, row: T) {
    this.key = key;
    this.row = row;
  }

  get size(): number {
    return 1;
  }

  get(key: Key): T | undefined {
    return key === this.key ? this.row : undefined;
  }

  has(key: Key): boolean {
    return key === this.key;
  }

  forEach(visit: (row: T, key: Key, rows: ReadonlyMap<Key, T>) => void, thisArg?: unknown): void {
    visit.call(thisArg, this.row, this.key, this);
  }

  entries(): MapIterator<[Key, T]> {
    const entry: [Key, T] = [this.key, this.row];
    return [entry].values();
  }

  keys(): MapIterator<Key> {
    return [this.key].values();
  }

  values(): MapIterator<T> {
    return [this.row].values();
  }

  [Symbol.iterator](): MapIterator<[Key, T]> {
    return this.entries();
  }
}

const nothing: readonly string[] = [];
const empty: ReadonlyMap<Key, never> = new Map<Key, never>();
