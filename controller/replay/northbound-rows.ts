import type { ColumnSchema } from '#ovsdb/schema.ts';
import type { Board, BoardListener } from '../engine/board.ts';
import type { DesiredRow } from '../engine/desired-row.ts';
import type { ColumnValue, Parent } from '../engine/facts.ts';
import { isSame } from '../engine/same.ts';
import { northboundSchema } from '../northbound/replica.ts';
import { rowUuid } from '../northbound/row-uuid.ts';

/**
 * Column → value of a northbound row as plain JSON. A set is a sorted array, an optional value is that value or its column is absent,
 * a map is an object, and a reference is the name of the row it leads to (what follows `<table>/`).
 */
export type RowState = Readonly<Record<string, PlainValue>>;
export type PlainValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>>;

/** The rows the board wants, named `<table>/<name>`, kept up to date change by change. */
export class NorthboundRows implements BoardListener {
  readonly #board: Board;
  readonly #rows = new Map<string, RowState>();
  readonly #dirty = new Set<string>();
  /** Row UUID → name of the row, of every row that is wanted. */
  readonly #names = new Map<string, string>();
  /** Row UUID → rows that refer to it. */
  readonly #referrers = new Map<string, Set<string>>();
  readonly #parents = new Map<string, Parent>();
  /** Parent and column → names of its children. */
  readonly #children = new Map<string, Set<string>>();

  constructor(board: Board) {
    this.#board = board;
    for (const table of board.tables()) for (const { key } of board.rows(table)) this.rowChanged(table, key);
    board.listeners.add(this);
  }

  rowChanged(table: string, row: string): void {
    this.#dirty.add(`${table}/${row}`);
  }

  cellChanged(table: string, row: string): void {
    this.#dirty.add(`${table}/${row}`);
  }

  /** All rows, as they were when changes were last taken. */
  get rows(): ReadonlyMap<string, RowState> {
    return this.#rows;
  }

  /** The rows that have changed since this was last called, null for those that are no longer wanted, in the order of their names. */
  takeChanges(): ReadonlyMap<string, RowState | null> {
    for (const id of [...this.#dirty]) this.#follow(id);
    const changes = new Map<string, RowState | null>();
    for (const id of [...this.#dirty].sort()) {
      const desired = this.#wanted(id);
      const before = this.#rows.get(id);
      const after = desired && this.#shown(id, desired);
      if (isSame(before, after)) continue;
      if (after === undefined) this.#rows.delete(id);
      else this.#rows.set(id, after);
      changes.set(id, after ?? null);
    }
    this.#dirty.clear();
    return changes;
  }

  /** Marks what changes along with a row: the parent it hangs under and, when it comes or goes, what refers to it. */
  #follow(id: string): void {
    const desired = this.#wanted(id);
    const { table, key } = placeOf(id);
    const uuid = rowUuid(table, key);
    if (this.#names.has(uuid) !== (desired !== undefined)) {
      for (const referrer of this.#referrers.get(uuid) ?? []) this.#dirty.add(referrer);
      if (desired === undefined) this.#names.delete(uuid);
      else this.#names.set(uuid, key);
    }
    const before = this.#parents.get(id);
    const after = desired?.fact?.parent;
    if (isSame(before, after)) return;
    if (before !== undefined) {
      this.#children.get(childrenId(before))?.delete(key);
      this.#dirty.add(`${before.table}/${before.row}`);
      this.#parents.delete(id);
    }
    if (after !== undefined) {
      const siblings = this.#children.get(childrenId(after)) ?? new Set();
      this.#children.set(childrenId(after), siblings.add(key));
      this.#dirty.add(`${after.table}/${after.row}`);
      this.#parents.set(id, after);
    }
  }

  #wanted(id: string): DesiredRow | undefined {
    const { table, key } = placeOf(id);
    return this.#board.row(table, key);
  }

  #shown(id: string, desired: DesiredRow): RowState {
    const schemas = northboundSchema.tables[desired.table]?.columns ?? {};
    const all = desired.all();
    const shown: Record<string, PlainValue> = {};
    for (const column of Object.keys(schemas).sort()) {
      const schema = schemas[column];
      const children = this.#children.get(childrenId({ table: desired.table, row: desired.key, column }));
      if (schema === undefined) continue;
      const value = plain(schema, all[column], (uuid) => this.#nameOf(uuid, id));
      const withChildren =
        children === undefined ? value : [...children, ...(Array.isArray(value) ? value : [])].sort();
      if (withChildren !== undefined) shown[column] = withChildren;
    }
    return shown;
  }

  /** Undefined when there is no such row (yet): the writer leaves such a reference out, too. */
  #nameOf(uuid: string, referrer: string): string | undefined {
    const referrers = this.#referrers.get(uuid) ?? new Set();
    this.#referrers.set(uuid, referrers.add(referrer));
    return this.#names.get(uuid);
  }
}

function plain(
  schema: ColumnSchema,
  value: ColumnValue | undefined,
  nameOf: (uuid: string) => string | undefined,
): PlainValue | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) {
    const named = schema.key.type === 'uuid' ? value.flatMap((uuid: string) => nameOf(uuid) ?? []) : value;
    return schema.max === 1 ? named[0] : named.toSorted();
  }
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function placeOf(id: string): { readonly table: string; readonly key: string } {
  const slash = id.indexOf('/');
  return { table: id.slice(0, slash), key: id.slice(slash + 1) };
}

function childrenId({ table, row, column }: Parent): string {
  return `${table}/${row} ${column}`;
}
