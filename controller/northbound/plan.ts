import { type Atom, type ColumnSchema, type DatabaseSchema, kindOf, type Value } from '#ovsdb/schema.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { DesiredRow } from '../engine/desired-row.ts';
import type { ColumnValue, Parent } from '../engine/facts.ts';
import { ownedColumns, ownPrefix } from './owned-columns.ts';
import { rowUuid } from './row-uuid.ts';

/** The northbound database as the replica shows it. */
export interface Actual {
  row(table: string, uuid: string): ActualRow | undefined;
  rows(table: string): ReadonlyMap<string, ActualRow>;
  /** Whether the running server has the column; older ones lack some. */
  has(table: string, column: string): boolean;
}

export type ActualRow = Readonly<Record<string, Value>>;

/** A row to be brought in line; `desired` is undefined when it is ours and nobody wants it any more. */
export interface Unit {
  readonly table: string;
  readonly uuid: string;
  readonly desired: DesiredRow | undefined;
}

export interface Plan {
  readonly operations: readonly Operation[];
  /** Rows that some unit refers to or hangs under and that are not there yet, by UUID → units to look at again then. */
  readonly awaited: ReadonlyMap<string, readonly Unit[]>;
}

/**
 * The operations that make the given rows what they are wanted to be, and no others. Inserts come before what refers to them, and
 * a child and its place in the parent are always in the same transaction: OVSDB drops a child that nothing refers to.
 */
export function plan(units: Iterable<Unit>, actual: Actual, schema: DatabaseSchema): Plan {
  const planning = new Planning(actual, schema);
  const ordered = [...units].sort((a, b) => rank(a.table) - rank(b.table));
  for (const unit of ordered) planning.add(unit);
  return planning.finished();
}

/** Parents and referents first. */
const order = ['DHCP_Options', 'Logical_Switch', 'Logical_Router', 'Logical_Router_Port', 'Logical_Switch_Port'];

function rank(table: string): number {
  const position = order.indexOf(table);
  return position === -1 ? order.length : position;
}

class Planning {
  readonly #actual: Actual;
  readonly #schema: DatabaseSchema;
  readonly #inserts: Operation[] = [];
  readonly #changes: Operation[] = [];
  readonly #deletes: Operation[] = [];
  readonly #inserted = new Set<string>();
  readonly #children = new Map<string, Children>();
  readonly #awaited = new Map<string, Unit[]>();

  constructor(actual: Actual, schema: DatabaseSchema) {
    this.#actual = actual;
    this.#schema = schema;
  }

  add(unit: Unit): void {
    const { table, uuid, desired } = unit;
    const existing = this.#actual.row(table, uuid);
    const parent = desired?.fact?.parent;
    if (desired === undefined) {
      if (existing !== undefined) this.#remove(table, uuid);
    } else if (existing !== undefined) {
      this.#update(unit, desired, existing);
    } else if (parent === undefined || this.#isThere(parent.table, rowUuid(parent.table, parent.row))) {
      this.#insert(unit, desired, parent);
    } else {
      this.#await(rowUuid(parent.table, parent.row), unit);
    }
  }

  finished(): Plan {
    const parents = [...this.#children.values()].map(({ table, uuid, column, inserts, deletes }): Operation => {
      const mutations = [
        ...(deletes.length > 0 ? [[column, 'delete', deletes] as const] : []),
        ...(inserts.length > 0 ? [[column, 'insert', inserts] as const] : []),
      ];
      return { op: 'mutate', table, where: { _uuid: uuid }, mutations };
    });
    return {
      operations: [...this.#inserts, ...this.#changes, ...parents, ...this.#deletes],
      awaited: this.#awaited,
    };
  }

  #insert(unit: Unit, desired: DesiredRow, parent: Parent | undefined): void {
    const { table, uuid } = unit;
    const row: Record<string, ColumnValue> = {};
    for (const [column, schema] of this.#columns(table)) {
      const value = this.#wanted(unit, desired, column, schema);
      if (value !== undefined && !isEmpty(value)) row[column] = value;
    }
    this.#inserts.push({ op: 'insert', table, uuid, row });
    this.#inserted.add(uuid);
    if (parent !== undefined) {
      this.#childrenOf(parent.table, rowUuid(parent.table, parent.row), parent.column).inserts.push(uuid);
    }
  }

  #update(unit: Unit, desired: DesiredRow, existing: ActualRow): void {
    const { table, uuid } = unit;
    const row: Record<string, ColumnValue | undefined> = {};
    const mutations: (readonly [string, 'insert' | 'delete', readonly string[] | Readonly<Record<string, string>>])[] =
      [];
    for (const [column, schema] of this.#columns(table)) {
      const wanted = this.#wanted(unit, desired, column, schema);
      const found = existing[column];
      switch (kindOf(schema)) {
        case 'map': {
          const { remove, put } = mapDifference(column, isRecord(wanted) ? wanted : {}, found);
          if (remove.length > 0) mutations.push([column, 'delete', remove]);
          if (Object.keys(put).length > 0) mutations.push([column, 'insert', put]);
          break;
        }
        case 'set': {
          const { remove, put } = setDifference(Array.isArray(wanted) ? wanted : [], found);
          if (remove.length > 0) mutations.push([column, 'delete', remove]);
          if (put.length > 0) mutations.push([column, 'insert', put]);
          break;
        }
        case 'optional':
          if (wanted !== found) row[column] = wanted ?? [];
          break;
        case 'scalar':
          if ((wanted ?? scalarDefault(schema)) !== found) row[column] = wanted ?? scalarDefault(schema);
          break;
      }
    }
    const where = { _uuid: uuid };
    if (Object.keys(row).length > 0) this.#changes.push({ op: 'update', table, where, row });
    if (mutations.length > 0) this.#changes.push({ op: 'mutate', table, where, mutations });
  }

  #remove(table: string, uuid: string): void {
    if (this.#schema.tables[table]?.isRoot) {
      this.#deletes.push({ op: 'delete', table, where: { _uuid: uuid } });
      return;
    }
    // A child goes with the reference to it; whoever is its parent now counts, not who should have been.
    for (const [parentTable, { columns }] of Object.entries(this.#schema.tables)) {
      for (const [column, { key }] of Object.entries(columns)) {
        if (key.refTable !== table || key.refType === 'weak') continue;
        for (const [parentUuid, parent] of this.#actual.rows(parentTable)) {
          const children = parent[column];
          if (Array.isArray(children) && children.includes(uuid)) {
            this.#childrenOf(parentTable, parentUuid, column).deletes.push(uuid);
          }
        }
      }
    }
  }

  /** What the column should hold. Weak references to rows that are not there would be dropped silently, so they wait. */
  #wanted(unit: Unit, desired: DesiredRow, column: string, schema: ColumnSchema): ColumnValue | undefined {
    const value = desired.column(column);
    const { refTable } = schema.key;
    const isSet = kindOf(schema) === 'set';
    if (refTable === undefined) return isSet || !Array.isArray(value) ? value : value[0];
    const there = (Array.isArray(value) ? value : []).filter((uuid) => {
      const isThere = this.#isThere(refTable, uuid);
      if (!isThere) this.#await(uuid, unit);
      return isThere;
    });
    return isSet ? there : there.sort()[0];
  }

  #columns(table: string): [string, ColumnSchema][] {
    const known = this.#schema.tables[table]?.columns ?? {};
    return (ownedColumns[table] ?? []).flatMap((column) => {
      const schema = known[column];
      return schema !== undefined && this.#actual.has(table, column) ? [[column, schema]] : [];
    });
  }

  #isThere(table: string, uuid: string): boolean {
    return this.#inserted.has(uuid) || this.#actual.row(table, uuid) !== undefined;
  }

  #await(uuid: string, unit: Unit): void {
    const units = this.#awaited.get(uuid);
    if (units === undefined) this.#awaited.set(uuid, [unit]);
    else units.push(unit);
  }

  #childrenOf(table: string, uuid: string, column: string): Children {
    const id = `${uuid} ${column}`;
    let children = this.#children.get(id);
    if (children === undefined) {
      children = { table, uuid, column, inserts: [], deletes: [] };
      this.#children.set(id, children);
    }
    return children;
  }
}

interface Children {
  readonly table: string;
  readonly uuid: string;
  readonly column: string;
  readonly inserts: string[];
  readonly deletes: string[];
}

function mapDifference(
  column: string,
  wanted: Readonly<Record<string, string>>,
  found: Value,
): { remove: string[]; put: Record<string, string> } {
  const remove: string[] = [];
  const put: Record<string, string> = {};
  const existing: ReadonlyMap<Atom, Atom> = isMap(found) ? found : new Map();
  for (const key of existing.keys()) {
    if (typeof key !== 'string' || Object.hasOwn(wanted, key)) continue;
    if (column !== 'external_ids' || key.startsWith(ownPrefix)) remove.push(key);
  }
  for (const [key, value] of Object.entries(wanted)) {
    if (existing.get(key) === value) continue;
    // An insert does not overwrite: to set a key it is deleted first, in the same mutate.
    if (existing.has(key)) remove.push(key);
    put[key] = value;
  }
  return { remove, put };
}

function setDifference(wanted: readonly string[], found: Value): { remove: string[]; put: string[] } {
  const existing = Array.isArray(found) ? found.filter((item) => typeof item === 'string') : [];
  const [left, right] = [new Set(wanted), new Set(existing)];
  return { remove: existing.filter((item) => !left.has(item)), put: wanted.filter((item) => !right.has(item)) };
}

function isMap(value: Value): value is ReadonlyMap<Atom, Atom> {
  return typeof value === 'object' && 'get' in value;
}

function scalarDefault({ key }: ColumnSchema): string | number | boolean {
  if (key.type === 'boolean') return false;
  return key.type === 'integer' || key.type === 'real' ? 0 : '';
}

function isEmpty(value: ColumnValue): boolean {
  return value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

function isRecord(value: ColumnValue | undefined): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && !Array.isArray(value);
}
