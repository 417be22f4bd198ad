import type { DatabaseSchema, Value } from '#ovsdb/schema.ts';
import type { DesiredRow } from '../engine/desired-row.ts';
import type { Parent } from '../engine/facts.ts';
import { type ColumnOfOurs, ColumnsOfOurs, isOwnKey } from './columns-of-ours.ts';
import { scalarDefault } from './differences.ts';
import type { Actual, ActualRow } from './plan.ts';
import { rowUuid } from './row-uuid.ts';

/**
 * Tells rows that are as they are wanted, which at a restart is nearly all of them, from those that have to be planned. It is sure when it says
 * yes; what it cannot see at a glance (a set in another order, say) it leaves to the plan, which then finds nothing to do.
 */
export class InLine {
  readonly #actual: Actual;
  readonly #schema: DatabaseSchema;
  readonly #columns: ColumnsOfOurs;
  /** Of the parents of a table's rows, which mostly say where they hang with one object for thousands. */
  readonly #parents = new Map<Parent, string>();

  constructor(actual: Actual, schema: DatabaseSchema) {
    this.#actual = actual;
    this.#schema = schema;
    this.#columns = new ColumnsOfOurs(actual, schema);
  }

  has(desired: DesiredRow, uuid: string): boolean {
    const { table, fact } = desired;
    const existing = this.#actual.row(table, uuid);
    if (existing === undefined) return false;
    for (const column of this.#columns.of(table)) if (!isAsWanted(desired, column, existing)) return false;
    return this.#isUnder(uuid, fact?.parent);
  }

  /** Whether the row hangs there and nowhere else. */
  #isUnder(uuid: string, parent: Parent | undefined): boolean {
    if (parent === undefined) return true;
    let parentUuid = this.#parents.get(parent);
    if (parentUuid === undefined) {
      parentUuid = rowUuid(parent.table, parent.row);
      this.#parents.set(parent, parentUuid);
    }
    let isThere = false;
    for (const set of this.#actual.referencesTo(uuid)) {
      if (this.#schema.tables[set.table]?.columns[set.column]?.key.refType === 'weak') continue;
      if (set.uuid !== parentUuid || set.column !== parent.column) return false;
      isThere = true;
    }
    return isThere;
  }
}

function isAsWanted(desired: DesiredRow, { name, schema, kind, isLarge }: ColumnOfOurs, existing: ActualRow): boolean {
  const found = existing[name];
  if (kind === 'map') return isSameMap(name, desired.map(name), found);
  const wanted = desired.column(name);
  switch (kind) {
    case 'scalar':
      return (wanted ?? scalarDefault(schema)) === found;
    case 'optional':
      return Array.isArray(wanted) ? wanted.length <= 1 && wanted[0] === found : wanted === found;
    case 'set': {
      const entries = Array.isArray(wanted) ? wanted : [];
      if (!Array.isArray(found) || found.length !== entries.length) return false;
      return isLarge
        ? found.every((entry) => typeof entry === 'string' && desired.entry(name, entry) !== undefined)
        : entries.every((entry, i) => entry === found[i]);
    }
  }
}

function isSameMap(column: string, wanted: ReadonlyMap<string, string>, found: Value): boolean {
  if (typeof found !== 'object' || !('get' in found)) return false;
  const isOurs = isOwnKey(column);
  let same = 0;
  for (const [key, value] of found) {
    const expected = typeof key === 'string' ? wanted.get(key) : undefined;
    if (expected === undefined ? typeof key === 'string' && isOurs(key) : expected !== value) return false;
    if (expected !== undefined) same += 1;
  }
  return same === wanted.size;
}
