import type { DatabaseSchema, Value } from '#ovsdb/schema.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { DesiredRow } from '../engine/desired-row.ts';
import type { ColumnValue, Parent } from '../engine/facts.ts';
import { type ColumnOfOurs, ColumnsOfOurs, isOwnKey } from './columns-of-ours.ts';
import { type Mutation, mapDifference, scalarDefault, setDifference } from './differences.ts';
import { tableOrder } from './owned-columns.ts';
import { rowUuid } from './row-uuid.ts';
import type { Reference } from './set-index.ts';

/** The northbound database as the replica shows it. */
export interface Actual {
  row(table: string, uuid: string): ActualRow | undefined;
  rows(table: string): ReadonlyMap<string, ActualRow>;
  /** Whether the running server has the column; older ones lack some. */
  has(table: string, column: string): boolean;
  /** The large sets (owned-columns.ts) that a row is in. */
  referencesTo(uuid: string): readonly Reference[];
  contains(set: Reference, entry: string): boolean;
}

export type ActualRow = Readonly<Record<string, Value>>;

/** A row to be brought in line; `desired` is undefined when it is ours and nobody wants it any more. */
export interface Unit {
  readonly table: string;
  readonly uuid: string;
  readonly desired: DesiredRow | undefined;
  /** Column → entries: only these have changed. Absent: look at the whole row. */
  readonly cells?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** An entry of a large set of a row. It is the UUID of the row that is to be in the set. */
export interface WantedEntry {
  readonly unit: Unit;
  readonly column: string;
}

/** Something that cannot be written before a row is there that it refers to or hangs under. */
export interface Awaited {
  /** UUID of the row that is not there. */
  readonly referent: string;
  readonly unit: Unit;
  /** The large set that the referent is to be in; absent when all of the unit waits. */
  readonly column?: string;
}

export interface Plan {
  readonly operations: readonly Operation[];
  readonly awaited: readonly Awaited[];
  readonly inserted: ReadonlySet<string>;
  readonly leaving: ReadonlySet<string>;
  /** UUIDs of the rows that were not as they are wanted. */
  readonly different: ReadonlySet<string>;
  /** Those there was no time for. */
  readonly left: readonly Unit[];
}

/**
 * The operations that make the given rows what they are wanted to be, and no others. Inserts come before what refers to them, and
 * a child and its place in the parent are always in the same transaction: OVSDB drops a child that nothing refers to.
 * `waiting` gives the sets that wait for a row, which come to hold it with it. When `isTimeUp` the rest is left for another transaction.
 */
export function plan(
  units: Iterable<Unit>,
  actual: Actual,
  schema: DatabaseSchema,
  waiting: (referent: string) => Iterable<WantedEntry> = () => [],
  isTimeUp: () => boolean = () => false,
): Plan {
  const ordered = [...units].sort((a, b) => rank(a) - rank(b));
  const staying = ordered.findIndex(({ desired }) => desired !== undefined);
  const removed = staying === -1 ? ordered : ordered.slice(0, staying);
  const planning = new Planning(actual, schema, new Set(removed.map(({ uuid }) => uuid)));
  let done = 0;
  for (const unit of ordered) {
    // Those that stay are planned as if all that are to go were gone.
    if (done > removed.length && done % unitsPerLook === 0 && isTimeUp()) break;
    planning.add(unit);
    done += 1;
  }
  for (const uuid of planning.inserted) for (const entry of waiting(uuid)) planning.addEntry(entry, uuid);
  planning.settleAwaited();
  return { ...planning.finished(), left: ordered.slice(done) };
}

/** What is little is planned in one go, whatever comes in between. */
const unitsPerLook = 16;

/** Rows that go come first. */
function rank({ table, desired }: Unit): number {
  if (desired === undefined) return -1;
  const position = tableOrder.indexOf(table);
  return position === -1 ? tableOrder.length : position;
}

class Planning {
  readonly inserted = new Set<string>();
  readonly #actual: Actual;
  readonly #schema: DatabaseSchema;
  readonly #columns: ColumnsOfOurs;
  /** Rows that go in this very transaction: a reference to one of them would go with it. */
  readonly #leaving: ReadonlySet<string>;
  readonly #inserts: Operation[] = [];
  readonly #changes: Operation[] = [];
  readonly #deletes: Operation[] = [];
  /** Row → its sets. */
  readonly #sets = new Map<string, SetChange[]>();
  readonly #awaited: Awaited[] = [];
  readonly #different = new Set<string>();
  /** Changes planned so far. */
  #count = 0;
  readonly #parents = new Map<string, string>();
  #lastParent: { readonly parent: Parent; readonly set: Reference } | undefined;

  constructor(actual: Actual, schema: DatabaseSchema, leaving: ReadonlySet<string>) {
    this.#actual = actual;
    this.#schema = schema;
    this.#columns = new ColumnsOfOurs(actual, schema);
    this.#leaving = leaving;
  }

  add(unit: Unit): void {
    const before = this.#count;
    this.#add(unit);
    if (this.#count > before) this.#different.add(unit.uuid);
  }

  /** One entry of a large set. When the set's row is not there either, all that it is to hold comes with it. */
  addEntry({ unit, column: name }: WantedEntry, entry: string): void {
    const { table, uuid, desired } = unit;
    const column = this.#columns.of(table).find((one) => one.name === name);
    if (desired === undefined || column === undefined || !this.#isThere(table, uuid)) return;
    const before = this.#count;
    this.#updateEntry(unit, desired, column, entry);
    if (this.#count > before) this.#different.add(uuid);
  }

  /** Entries that waited for rows which turned out to be inserted here too. */
  settleAwaited(): void {
    for (const awaited of this.#awaited.splice(0)) {
      const { referent, unit, column } = awaited;
      if (column === undefined || !this.inserted.has(referent)) this.#awaited.push(awaited);
      else this.addEntry({ unit, column }, referent);
    }
  }

  #add(unit: Unit): void {
    const { table, uuid, desired, cells } = unit;
    const existing = this.#actual.row(table, uuid);
    if (desired === undefined) {
      if (existing !== undefined) this.#remove(table, uuid);
    } else if (existing !== undefined) {
      if (cells === undefined) this.#update(unit, desired, existing);
      else this.#updateCells(unit, desired, cells, existing);
    } else if (cells !== undefined && this.inserted.has(uuid)) {
      this.#updateCells(unit, desired, cells, emptyRow);
    } else if (this.#isThereParent(unit, desired.fact?.parent)) {
      this.#insert(unit, desired);
    }
  }

  finished(): Omit<Plan, 'left'> {
    const sets: Operation[] = [];
    for (const { table, uuid, column, inserts, deletes } of [...this.#sets.values()].flat()) {
      const mutations: Mutation[] = [];
      if (deletes.size > 0) mutations.push([column, 'delete', [...deletes]]);
      if (inserts.size > 0) mutations.push([column, 'insert', [...inserts]]);
      if (mutations.length > 0) sets.push({ op: 'mutate', table, where: { _uuid: uuid }, mutations });
    }
    return {
      operations: [...this.#inserts, ...this.#changes, ...sets, ...this.#deletes],
      awaited: this.#awaited,
      inserted: this.inserted,
      leaving: this.#leaving,
      different: this.#different,
    };
  }

  #insert(unit: Unit, desired: DesiredRow): void {
    const { table, uuid } = unit;
    const row: Record<string, ColumnValue | ReadonlyMap<string, string>> = {};
    for (const column of this.#columns.of(table)) {
      const { name, kind } = column;
      const value = kind === 'map' ? desired.map(name) : this.#wanted(unit, desired, column);
      if (value !== undefined && !isEmpty(value)) row[name] = value;
    }
    this.#inserts.push({ op: 'insert', table, uuid, row });
    this.inserted.add(uuid);
    this.#count += 1;
    const parent = desired.fact?.parent;
    if (parent !== undefined) this.#put(this.#setOf(parent), uuid);
  }

  #update(unit: Unit, desired: DesiredRow, existing: ActualRow): void {
    const { table, uuid } = unit;
    const row: Record<string, ColumnValue> = {};
    const mutations: Mutation[] = [];
    for (const column of this.#columns.of(table)) {
      const { name, schema, kind } = column;
      const found = existing[name];
      if (kind === 'map') {
        mutations.push(...mapDifference(name, desired.map(name), found, isOwnKey(name)));
        continue;
      }
      const wanted = this.#wanted(unit, desired, column);
      switch (kind) {
        case 'set': {
          const { remove, put } = setDifference(Array.isArray(wanted) ? wanted : [], found);
          if (column.isLarge) {
            for (const entry of remove) this.#drop({ table, uuid, column: name }, entry);
            for (const entry of put) this.#put({ table, uuid, column: name }, entry);
          } else {
            // Some sets may not be empty, not even between two mutations: `networks` of a router's port.
            if (put.length > 0) mutations.push([name, 'insert', put]);
            if (remove.length > 0) mutations.push([name, 'delete', remove]);
          }
          break;
        }
        case 'optional':
          if (wanted !== found) row[name] = wanted ?? [];
          break;
        case 'scalar':
          if ((wanted ?? scalarDefault(schema)) !== found) row[name] = wanted ?? scalarDefault(schema);
          break;
      }
    }
    this.#change(unit, row, mutations);
    this.#placeUnderParent(unit, desired.fact?.parent);
  }

  /** Only some entries of sets and maps, whatever else the row has. */
  #updateCells(
    unit: Unit,
    desired: DesiredRow,
    cells: ReadonlyMap<string, ReadonlySet<string>>,
    existing: ActualRow,
  ): void {
    const row: Record<string, ColumnValue> = {};
    const mutations: Mutation[] = [];
    for (const column of this.#columns.of(unit.table)) {
      const entries = cells.get(column.name);
      if (entries === undefined) continue;
      const { name, kind } = column;
      if (column.isLarge) {
        for (const entry of entries) this.#updateEntry(unit, desired, column, entry);
      } else if (kind === 'map') {
        const wanted = new Map<string, string>();
        for (const entry of entries) {
          const value = desired.entry(name, entry);
          if (typeof value === 'string') wanted.set(entry, value);
        }
        mutations.push(...mapDifference(name, wanted, existing[name], (key) => entries.has(key)));
      } else {
        const wanted = this.#wanted(unit, desired, column);
        if (kind === 'optional') {
          if (wanted !== existing[name]) row[name] = wanted ?? [];
        } else {
          const { remove, put } = setDifference(Array.isArray(wanted) ? wanted : [], existing[name]);
          if (put.length > 0) mutations.push([name, 'insert', put]);
          if (remove.length > 0) mutations.push([name, 'delete', remove]);
        }
      }
    }
    this.#change(unit, row, mutations);
  }

  #updateEntry(unit: Unit, desired: DesiredRow, { name, schema }: ColumnOfOurs, entry: string): void {
    const set = { table: unit.table, uuid: unit.uuid, column: name };
    // What comes with this transaction is in no set yet.
    const isThere = !this.inserted.has(entry) && this.#actual.contains(set, entry);
    const isWanted = desired.entry(name, entry) !== undefined;
    if (isWanted && !isThere) {
      const { refTable } = schema.key;
      if (refTable === undefined || this.#isThere(refTable, entry)) this.#put(set, entry);
      else this.#awaited.push({ referent: entry, unit, column: name });
    } else if (!isWanted && isThere) this.#drop(set, entry);
  }

  #change({ table, uuid }: Unit, row: Readonly<Record<string, ColumnValue>>, mutations: readonly Mutation[]): void {
    const where = { _uuid: uuid };
    this.#count += Object.keys(row).length + mutations.length;
    if (Object.keys(row).length > 0) this.#changes.push({ op: 'update', table, where, row });
    if (mutations.length > 0) this.#changes.push({ op: 'mutate', table, where, mutations });
  }

  #remove(table: string, uuid: string): void {
    this.#count += 1;
    if (this.#schema.tables[table]?.isRoot) {
      this.#deletes.push({ op: 'delete', table, where: { _uuid: uuid } });
      return;
    }
    // A child goes with the last reference to it; whoever is its parent now counts, not who should have been.
    for (const parent of this.#parentsOf(uuid)) this.#drop(parent, uuid);
  }

  /** Somebody may have moved the child, or the parent has become another. */
  #placeUnderParent(unit: Unit, parent: Parent | undefined): void {
    if (parent === undefined) return;
    const wanted = this.#setOf(parent);
    const found = this.#parentsOf(unit.uuid);
    const isRight = (set: Reference) => set.uuid === wanted.uuid && set.column === wanted.column;
    if (!found.some(isRight)) {
      if (!this.#isThereParent(unit, parent)) return;
      this.#put(wanted, unit.uuid);
    }
    for (const set of found) if (!isRight(set)) this.#drop(set, unit.uuid);
  }

  #parentsOf(uuid: string): readonly Reference[] {
    return this.#actual
      .referencesTo(uuid)
      .filter(({ table, column }) => this.#schema.tables[table]?.columns[column]?.key.refType !== 'weak');
  }

  #isThereParent(unit: Unit, parent: Parent | undefined): boolean {
    if (parent === undefined) return true;
    const { table, uuid } = this.#setOf(parent);
    if (this.#isThere(table, uuid)) return true;
    this.#awaited.push({ referent: uuid, unit });
    return false;
  }

  /** What the column should hold. */
  #wanted(unit: Unit, desired: DesiredRow, column: ColumnOfOurs): ColumnValue | undefined {
    return this.#there(unit, column, desired.column(column.name));
  }

  /** What a column can hold now. Weak references to rows that are not there would be dropped silently, so they wait. */
  #there(
    unit: Unit,
    { name, schema, kind, isLarge }: ColumnOfOurs,
    value: ColumnValue | undefined,
  ): ColumnValue | undefined {
    const { refTable } = schema.key;
    if (refTable === undefined) return kind === 'set' || !Array.isArray(value) ? value : value[0];
    const there = (Array.isArray(value) ? value : []).filter((entry) => {
      const isThere = this.#isThere(refTable, entry);
      if (!isThere) {
        this.#awaited.push({ referent: entry, unit, ...(isLarge && { column: name }) });
      }
      return isThere;
    });
    return kind === 'set' ? there : there.sort()[0];
  }

  #isThere(table: string, uuid: string): boolean {
    return this.inserted.has(uuid) || (this.#actual.row(table, uuid) !== undefined && !this.#leaving.has(uuid));
  }

  #put(set: Reference, entry: string): void {
    this.#count += 1;
    this.#setChange(set).inserts.add(entry);
  }

  #drop(set: Reference, entry: string): void {
    this.#count += 1;
    this.#setChange(set).deletes.add(entry);
  }

  /** Many rows hang under one, whose UUID is worked out once. */
  #setOf(parent: Parent): Reference {
    if (this.#lastParent?.parent === parent) return this.#lastParent.set;
    const { table, row, column } = parent;
    const id = `${table} ${row}`;
    let uuid = this.#parents.get(id);
    if (uuid === undefined) {
      uuid = rowUuid(table, row);
      this.#parents.set(id, uuid);
    }
    const set = { table, uuid, column };
    this.#lastParent = { parent, set };
    return set;
  }

  #setChange(set: Reference): SetChange {
    let changes = this.#sets.get(set.uuid);
    if (changes === undefined) {
      changes = [];
      this.#sets.set(set.uuid, changes);
    }
    let change = changes.find(({ column }) => column === set.column);
    if (change === undefined) {
      change = { ...set, inserts: new Set(), deletes: new Set() };
      changes.push(change);
    }
    return change;
  }
}

interface SetChange extends Reference {
  readonly inserts: Set<string>;
  readonly deletes: Set<string>;
}

const emptyRow: ActualRow = {};

function isEmpty(value: ColumnValue | ReadonlyMap<string, string>): boolean {
  if (value instanceof Map) return value.size === 0;
  return value === '' || (Array.isArray(value) && value.length === 0);
}
