import { PartedMap } from '../engine/parted-map.ts';
import type { Reference } from './set-index.ts';

/**
 * What waits for a row that is not there yet: entries of large sets, which are that row's UUID, and rows that refer to it or hang under
 * it. There is an entry or two for every port before it is written, so they are kept in lists without room to grow.
 */
export class Awaiting {
  /** UUID of the missing row → the sets it is to be in. */
  readonly #entries = new PartedMap<readonly Reference[]>();
  /** UUID of the missing row → UUID of the waiting row → its table. */
  readonly #rows = new Map<string, Map<string, string>>();
  /** UUID of a waiting row → UUIDs of the rows it waits for. */
  readonly #referents = new Map<string, Set<string>>();

  get size(): number {
    return this.#entries.size + this.#rows.size;
  }

  addEntry(referent: string, set: Reference): void {
    const sets = this.#entries.get(referent) ?? none;
    if (!sets.some((one) => isSameSet(one, set))) this.#entries.set(referent, sets.concat(set));
  }

  addRow(referent: string, { table, uuid }: WaitingRow): void {
    this.#rows.set(referent, (this.#rows.get(referent) ?? new Map<string, string>()).set(uuid, table));
    this.#referents.set(uuid, (this.#referents.get(uuid) ?? new Set()).add(referent));
  }

  /** How much waits for the row. */
  countFor(referent: string): number {
    return (this.#entries.get(referent)?.length ?? 0) + (this.#rows.get(referent)?.size ?? 0);
  }

  /** The entry is wanted no more in the set. */
  forgetEntry(referent: string, set: Reference): void {
    const sets = this.#entries.get(referent);
    if (sets === undefined) return;
    const left = sets.filter((one) => !isSameSet(one, set));
    if (left.length === 0) this.#entries.delete(referent);
    else if (left.length < sets.length) this.#entries.set(referent, left);
  }

  /** The row is wanted no more, or is looked at anew. */
  forgetRow(uuid: string): void {
    for (const referent of this.#referents.get(uuid) ?? []) {
      const rows = this.#rows.get(referent);
      rows?.delete(uuid);
      if (rows?.size === 0) this.#rows.delete(referent);
    }
    this.#referents.delete(uuid);
  }

  /** Takes out the sets the row is to be in, because it is about to be written, or is there. */
  takeEntries(referent: string): readonly Reference[] {
    const sets = this.#entries.get(referent) ?? none;
    if (sets.length > 0) this.#entries.delete(referent);
    return sets;
  }

  /** Takes out the rows that waited for this one, because it is there. */
  takeRows(referent: string): readonly WaitingRow[] {
    const rows = this.#rows.get(referent);
    if (rows === undefined) return none;
    this.#rows.delete(referent);
    return [...rows].map(([uuid, table]) => {
      const referents = this.#referents.get(uuid);
      referents?.delete(referent);
      if (referents?.size === 0) this.#referents.delete(uuid);
      return { table, uuid };
    });
  }
}

export interface WaitingRow {
  readonly table: string;
  readonly uuid: string;
}

function isSameSet(a: Reference, b: Reference): boolean {
  return a === b || (a.uuid === b.uuid && a.column === b.column);
}

const none: readonly never[] = [];
