import { type Claims, claim, speaker, unclaim } from './claims.ts';
import type { DerivedFact } from './facts.ts';
import { PartedMap } from './parted-map.ts';
import { type Home, Place } from './place.ts';
import { isSame } from './same.ts';
import { type Bucket, type IndexDefinition, noRows, TableIndex } from './table-index.ts';
import type { FeatureTicket } from './ticket.ts';
import type { Owner } from './votes.ts';

export type Key = string;

/** Is told of every change of a row, and may have a ticket at each key. */
export interface Follower<T> {
  changed(slot: Slot<T>): void;
}

/**
 * One key of a table: its row, who derives it, who looks at it, and the features that run on it. It is there while there is any of that:
 * whoever deals with a key finds all of it at once.
 */
export class Slot<T> extends Place {
  row: T | undefined;
  claims: Claims<DerivedFact<T>>;
  /** The first of a chain. */
  tickets: FeatureTicket<T> | undefined;

  get key(): Key {
    return this.name;
  }

  get isIdle(): boolean {
    return this.row === undefined && this.claims === undefined && this.tickets === undefined && !this.isRead;
  }
}

/**
 * Immutable rows by key, with named indexes. A `put` of an equal row is no change; every real change wakes exactly those
 * readers that looked at the key or at an index bucket the row was or is in, whether or not it was there when they looked.
 */
export class Table<T, Index extends string = string> implements Home {
  readonly name: string;
  readonly #slots = new PartedMap<Slot<T>>();
  readonly #indexes = new Map<string, TableIndex<T>>();
  readonly #followers: Follower<T>[] = [];
  readonly #listeners = new Set<(key: Key) => void>();
  #size = 0;

  constructor(name: string, indexes?: Readonly<Record<Index, IndexDefinition<T>>>) {
    this.name = name;
    for (const [index, definition] of Object.entries<IndexDefinition<T>>(indexes ?? {})) {
      this.#indexes.set(index, new TableIndex(definition));
    }
  }

  get size(): number {
    return this.#size;
  }

  get(key: Key): T | undefined {
    return this.#slots.get(key)?.row;
  }

  /** A copy of all rows as they are now. */
  rows(): ReadonlyMap<Key, T> {
    const rows = new Map<Key, T>();
    for (const { key, row } of this.#slots.values()) if (row !== undefined) rows.set(key, row);
    return rows;
  }

  /** The rows filed under `value`; the map is live and not to be kept. */
  by(index: Index, value: string, within?: string): ReadonlyMap<Key, T> {
    return this.#index(index).find(value, within)?.view() ?? noRows<T>();
  }

  put(key: Key, row: T): void {
    const slot = this.slot(key);
    if (slot.row === undefined || !isSame(slot.row, row)) this.#set(slot, row);
  }

  remove(key: Key): void {
    const slot = this.#slots.get(key);
    if (slot?.row !== undefined) this.#set(slot, undefined);
  }

  /** The row is there while anybody says it; of different ones the first in alphabetical order is. */
  derive(owner: Owner, fact: DerivedFact<T>): void {
    const slot = this.slot(fact.row);
    slot.claims = claim(slot.claims, owner, fact);
    this.#show(slot);
  }

  underive(owner: Owner, key: Key): void {
    const slot = this.slot(key);
    slot.claims = unclaim(slot.claims, owner);
    this.#show(slot);
  }

  /** Calls `listener` with each key whose row appears, changes or disappears; returns what stops it. */
  onChange(listener: (key: Key) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  follow(follower: Follower<T>): void {
    this.#followers.push(follower);
  }

  find(key: Key): Slot<T> | undefined {
    return this.#slots.get(key);
  }

  slots(): Iterable<Slot<T>> {
    return this.#slots.values();
  }

  /** All that is kept for a key, for as long as there is anything. */
  slot(key: Key): Slot<T> {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = new Slot(this, key);
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** The place of all rows filed under `value`, which is there for as long as it is entered or has rows. */
  bucket(index: Index, value: string, within?: string): Bucket<T> {
    return this.#index(index).bucket(value, within);
  }

  /** The place to look at for the rows filed under `value`; `before`, if it still is the right one and there are none. */
  look(index: Index, value: string, within: string | undefined, before: Place | undefined): Bucket<T> | Place {
    return this.#index(index).look(value, within, before);
  }

  forget(key: Key): void {
    if (this.#slots.get(key)?.isIdle) this.#slots.delete(key);
  }

  /** Places somebody looks at, for tests: nothing wanted leaves none. */
  get watched(): number {
    let watched = 0;
    for (const { isRead } of this.#slots.values()) watched += Number(isRead);
    for (const index of this.#indexes.values()) watched += index.watched;
    return watched;
  }

  /** Rows that features derive, for tests: nothing wanted leaves none. */
  get derived(): number {
    let derived = 0;
    for (const { claims } of this.#slots.values()) derived += Number(claims !== undefined);
    return derived;
  }

  #index(index: string): TableIndex<T> {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`table ${this.name} has no index ${index}`);
    return found;
  }

  #show(slot: Slot<T>): void {
    const row = speaker(slot.claims)?.value;
    if (row === undefined ? slot.row !== undefined : !isSame(slot.row, row)) this.#set(slot, row);
    else this.forget(slot.key);
  }

  #set(slot: Slot<T>, after: T | undefined): void {
    const { key, row: before } = slot;
    slot.row = after;
    this.#size += Number(after !== undefined) - Number(before !== undefined);
    slot.wake();
    for (const index of this.#indexes.values()) index.refile(key, before, after);
    for (const follower of this.#followers) follower.changed(slot);
    for (const listener of this.#listeners) listener(key);
    if (after === undefined) this.forget(key);
  }
}
