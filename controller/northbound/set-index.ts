import type { Value } from '#ovsdb/schema.ts';
import { PartedMap } from '../engine/parted-map.ts';

/** A place in the database where a row is referred to. */
export interface Reference {
  readonly table: string;
  readonly uuid: string;
  readonly column: string;
}

/** Entries that came into a set, and entries that went. */
export interface SetChange {
  readonly set: Reference;
  readonly come: readonly string[];
  readonly gone: readonly string[];
}

/** What is in large sets of references, by entry: whether one is there, and which sets it is in, without a walk through any. */
export class SetIndex {
  /** A list of one or two has no room to grow: there is one for every port. */
  readonly #references = new PartedMap<readonly Reference[]>();

  /** The sets `entry` is in. */
  of(entry: string): readonly Reference[] {
    return this.#references.get(entry) ?? none;
  }

  has({ table, uuid, column }: Reference, entry: string): boolean {
    return this.of(entry).some((one) => one.uuid === uuid && one.column === column && one.table === table);
  }

  /** Takes in a new value of a set. `set` is always the same object for one set. */
  change(set: Reference, before: Value, after: Value): SetChange {
    const changed = difference(stringsOf(before), stringsOf(after));
    for (const entry of changed.gone) {
      const left = this.of(entry).filter((one) => one.uuid !== set.uuid || one.column !== set.column);
      if (left.length === 0) this.#references.delete(entry);
      else this.#references.set(entry, left);
    }
    for (const entry of changed.come) {
      this.#references.set(entry, this.of(entry).concat(set));
    }
    return { set, ...changed };
  }
}

const none: readonly Reference[] = [];

/**
 * Usually a few entries are gone from the middle and a few are new at the end, and the others are in the order in which they were: both are walked
 * through side by side, and only what is left over is looked at closely.
 */
function difference(
  before: readonly string[],
  after: readonly string[],
): { gone: readonly string[]; come: readonly string[] } {
  const gone: string[] = [];
  let at = 0;
  for (const entry of before) {
    if (entry === after[at]) at += 1;
    else gone.push(entry);
  }
  const come = after.slice(at);
  if (gone.length === 0 || come.length === 0) return { gone, come };
  // Entries that are elsewhere in the set now are among both.
  const missing = new Set(gone);
  const fresh = come.filter((entry) => !missing.delete(entry));
  return { gone: [...missing], come: fresh };
}

const nothing: readonly string[] = [];

function stringsOf(value: Value): readonly string[] {
  return isStrings(value) ? value : nothing;
}

/** The first speaks for all: a column holds values of one type, and sets of thousands pass here with every change. */
function isStrings(value: Value): value is readonly string[] {
  return Array.isArray(value) && typeof value[0] === 'string';
}
