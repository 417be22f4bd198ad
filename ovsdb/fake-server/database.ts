import { randomUUID } from 'node:crypto';
import type { Atom, ColumnSchema, DatabaseSchema, TableSchema, Value } from '../schema.ts';
import { columnMap } from '../value/column-map.ts';
import { decoderOf, defaultOf } from '../value/decode.ts';
import { applyDifference, isMap, isSet, sameValue } from '../value/difference.ts';

/** Columns by name. */
export type Cells = Readonly<Record<string, Value>>;

/** One row before and after a transaction. */
export interface RowChange {
  readonly table: string;
  readonly uuid: string;
  readonly before: Cells | undefined;
  readonly after: Cells | undefined;
}

/** What an operation fails with: the server's own words. */
export class OperationFailure extends Error {
  readonly details: string;
  constructor(error: string, details: string) {
    super(error);
    this.details = details;
  }
}

/** A `wait` whose rows are not there yet. */
export class NotYet extends Error {}

type WireOperation = Readonly<Record<string, unknown>> & { readonly op?: unknown };

/**
 * A database in memory: enough of RFC 7047 section 5.2 to test a client against. Uniqueness is checked at commit, as the real one does; references
 * are not followed, so nothing is collected.
 */
export class Database {
  readonly schema: DatabaseSchema;
  readonly #tables = new Map<string, Map<string, Cells>>();

  constructor(schema: DatabaseSchema) {
    this.schema = schema;
    for (const table of Object.keys(schema.tables)) this.#tables.set(table, new Map());
  }

  rows(table: string): ReadonlyMap<string, Cells> {
    return this.#tables.get(table) ?? new Map();
  }

  /**
   * Runs operations as one transaction: the results for its reply and what it changed. Throws `NotYet` if a `wait` has to wait, unless
   * `isLate`.
   */
  transact(operations: readonly WireOperation[], holds: (lock: string) => boolean, isLate: boolean) {
    const draft = new Draft(this.schema, this.#tables);
    const results: unknown[] = [];
    try {
      for (const operation of operations) results.push(draft.run(operation, holds, isLate));
      draft.checkIndexes();
    } catch (error) {
      if (!(error instanceof OperationFailure)) throw error;
      const failed = { error: error.message, details: error.details };
      const rest = Array.from({ length: Math.max(0, operations.length - results.length - 1) }, () => null);
      return { results: [...results, failed, ...rest], changes: [] };
    }
    const changes = draft.changes();
    for (const { table, uuid, after } of changes) {
      if (after) this.#tables.get(table)?.set(uuid, after);
      else this.#tables.get(table)?.delete(uuid);
    }
    return { results, changes };
  }
}

/** A transaction in progress: the database as it will be if it commits. */
class Draft {
  readonly #schema: DatabaseSchema;
  readonly #base: ReadonlyMap<string, ReadonlyMap<string, Cells>>;
  readonly #touched = new Map<string, Map<string, Cells | undefined>>();
  readonly #named = new Map<string, string>();

  constructor(schema: DatabaseSchema, base: ReadonlyMap<string, ReadonlyMap<string, Cells>>) {
    this.#schema = schema;
    this.#base = base;
  }

  changes(): RowChange[] {
    const changes: RowChange[] = [];
    for (const [table, rows] of this.#touched) {
      for (const [uuid, after] of rows) {
        const before = this.#base.get(table)?.get(uuid);
        const isSame = before && after && Object.keys(after).every((name) => sameValue(before[name], after[name]));
        if (before !== after && !isSame) changes.push({ table, uuid, before, after });
      }
    }
    return changes;
  }

  checkIndexes(): void {
    for (const table of this.#touched.keys()) {
      for (const index of this.#schema.tables[table]?.indexes ?? []) {
        const seen = new Set<string>();
        for (const [, cells] of this.#rows(table)) {
          const key = JSON.stringify(index.map((column) => cells[column]));
          if (seen.has(key))
            throw new OperationFailure('constraint violation', `duplicate ${index.join(', ')} in ${table}`);
          seen.add(key);
        }
      }
    }
  }

  run(operation: WireOperation, holds: (lock: string) => boolean, isLate: boolean): object {
    switch (operation.op) {
      case 'comment':
      case 'commit':
        return {};
      case 'abort':
        throw new OperationFailure('aborted', 'aborted by request');
      case 'assert':
        if (!holds(String(operation.lock)))
          throw new OperationFailure('not owner', `lock ${operation.lock} is not held`);
        return {};
    }
    const name = String(operation.table);
    const table = this.#schema.tables[name];
    if (!table) throw new OperationFailure('syntax error', `no table ${name}`);
    switch (operation.op) {
      case 'insert':
        return this.#insert(name, table, operation);
      case 'select':
        return {
          rows: this.#matching(name, table, operation.where).map(([uuid, cells]) => wireRow(table, uuid, cells)),
        };
      case 'wait':
        return this.#wait(name, table, operation, isLate);
      case 'delete':
        return this.#each(name, table, operation, () => undefined);
      case 'update': {
        const changed = this.#cells(table, operation.row);
        return this.#each(name, table, operation, (cells) => ({ ...cells, ...changed }));
      }
      case 'mutate':
        return this.#each(name, table, operation, (cells) => this.#mutated(table, cells, operation.mutations));
    }
    throw new OperationFailure('syntax error', `no operation ${operation.op}`);
  }

  #insert(name: string, table: TableSchema, operation: WireOperation): object {
    const uuid = typeof operation.uuid === 'string' ? operation.uuid : this.#uuidNamed(operation['uuid-name']);
    if (this.#row(name, uuid)) throw new OperationFailure('duplicate uuid', `${name} ${uuid} exists`);
    const blank = Object.fromEntries(Object.entries(table.columns).map(([column, type]) => [column, defaultOf(type)]));
    this.#set(name, uuid, { ...blank, ...this.#cells(table, operation.row) });
    return { uuid: ['uuid', uuid] };
  }

  #wait(name: string, table: TableSchema, operation: WireOperation, isLate: boolean): object {
    const columns = listOf(operation.columns).map(String);
    const found = this.#matching(name, table, operation.where).map(([, cells]) => cells);
    const wanted = listOf(operation.rows).map((row) => this.#cells(table, row));
    const isIn = (some: readonly Cells[], one: Cells) =>
      some.some((other) => columns.every((column) => sameValue(other[column], one[column])));
    const isEqual = found.every((row) => isIn(wanted, row)) && wanted.every((row) => isIn(found, row));
    if (isEqual === (operation.until === '==')) return {};
    if (operation.timeout === 0 || isLate) throw new OperationFailure('timed out', '"wait" timed out');
    throw new NotYet();
  }

  #each(
    name: string,
    table: TableSchema,
    { where }: WireOperation,
    change: (cells: Cells) => Cells | undefined,
  ): object {
    const rows = this.#matching(name, table, where);
    for (const [uuid, cells] of rows) this.#set(name, uuid, change(cells));
    return { count: rows.length };
  }

  #mutated(table: TableSchema, before: Cells, mutations: unknown): Cells {
    const cells: Record<string, Value> = { ...before };
    for (const mutation of listOf(mutations)) {
      const [name, mutator, wire] = listOf(mutation);
      const column = columnIn(table, String(name));
      cells[String(name)] = mutate(column, cells[String(name)], String(mutator), this.#resolve(wire));
    }
    return cells;
  }

  #matching(name: string, table: TableSchema, where: unknown): (readonly [string, Cells])[] {
    return [...this.#rows(name)].filter(([uuid, cells]) =>
      listOf(where).every((clause) => matches(table, uuid, cells, this.#resolve(clause))),
    );
  }

  *#rows(name: string): Iterable<readonly [string, Cells]> {
    const touched = this.#touched.get(name);
    for (const [uuid, cells] of this.#base.get(name) ?? []) if (!touched?.has(uuid)) yield [uuid, cells];
    for (const [uuid, cells] of touched ?? []) if (cells) yield [uuid, cells];
  }

  #row(name: string, uuid: string): Cells | undefined {
    const touched = this.#touched.get(name);
    return touched?.has(uuid) ? touched.get(uuid) : this.#base.get(name)?.get(uuid);
  }

  #set(name: string, uuid: string, cells: Cells | undefined): void {
    const rows = this.#touched.get(name) ?? new Map<string, Cells | undefined>();
    rows.set(uuid, cells);
    this.#touched.set(name, rows);
  }

  #cells(table: TableSchema, wire: unknown): Cells {
    const cells = Object.entries(typeof wire === 'object' && wire !== null ? wire : {});
    return Object.fromEntries(
      cells.map(([name, cell]) => [name, decoderOf(columnIn(table, name))(this.#resolve(cell))]),
    );
  }

  #uuidNamed(name: unknown): string {
    const known = this.#named.get(String(name));
    if (known) return known;
    const uuid = randomUUID();
    if (typeof name === 'string') this.#named.set(name, uuid);
    return uuid;
  }

  /** Wire JSON with named UUIDs, which may be used before the insert that defines them, replaced. */
  #resolve(wire: unknown): unknown {
    if (!Array.isArray(wire)) return wire;
    if (wire[0] === 'named-uuid') return ['uuid', this.#uuidNamed(wire[1])];
    return wire.map((item) => this.#resolve(item));
  }
}

/** Does a row satisfy `[column, function, value]`, or `true` or `false`? */
export function matches(table: TableSchema, uuid: string, cells: Cells, clause: unknown): boolean {
  if (typeof clause === 'boolean') return clause;
  const [name, test, wire] = listOf(clause);
  const isUuid = name === '_uuid';
  const column: ColumnSchema = isUuid ? { key: { type: 'uuid' }, min: 1, max: 1 } : columnIn(table, String(name));
  const mine = elementsOf(isUuid ? uuid : cells[String(name)]);
  const given = elementsOf(decoderOf({ ...column, min: 0, max: Number.POSITIVE_INFINITY })(wire));
  const has = (element: string) => mine.includes(element);
  switch (test) {
    case '==':
      return mine.length === given.length && given.every(has);
    case '!=':
      return mine.length !== given.length || !given.every(has);
    case 'includes':
      return given.every(has);
    case 'excludes':
      return !given.some(has);
    default:
      return compare(Number(mine[0]), String(test), Number(given[0]));
  }
}

function compare(a: number, test: string, b: number): boolean {
  return test === '<' ? a < b : test === '<=' ? a <= b : test === '>' ? a > b : a >= b;
}

function elementsOf(value: Value): string[] {
  if (value === undefined) return [];
  if (isSet(value)) return value.map(String);
  return isMap(value) ? [...value].map((pair) => JSON.stringify(pair)) : [String(value)];
}

function mutate(column: ColumnSchema, before: Value, mutator: string, wire: unknown): Value {
  if (mutator !== 'insert' && mutator !== 'delete') return calculate(Number(before), mutator, Number(wire));
  if (isMap(before)) {
    const map = new Map(before);
    const isKeys = Array.isArray(wire) && wire[0] === 'set';
    if (isKeys) for (const key of listOf(wire[1])) map.delete(atomOf(key));
    else {
      const pairs = decoderOf(column)(wire);
      for (const [key, value] of isMap(pairs) ? pairs : []) {
        if (mutator === 'insert' && !map.has(key)) map.set(key, value);
        if (mutator === 'delete' && map.get(key) === value) map.delete(key);
      }
    }
    return columnMap(map);
  }
  const many = { ...column, min: 0, max: Number.POSITIVE_INFINITY };
  const mine = isSet(before) ? before : before === undefined ? [] : [before];
  const decoded = decoderOf(many)(wire);
  const given = isSet(decoded) ? decoded : [];
  const difference = given.filter((atom) => mine.includes(atom) === (mutator === 'delete'));
  const after = applyDifference(many, mine, difference);
  return column.max > 1 ? after : isSet(after) ? after[0] : after;
}

function calculate(before: number, mutator: string, by: number): number {
  if ((mutator === '/=' || mutator === '%=') && by === 0)
    throw new OperationFailure('domain error', 'division by zero');
  switch (mutator) {
    case '+=':
      return before + by;
    case '-=':
      return before - by;
    case '*=':
      return before * by;
    case '/=':
      return Math.trunc(before / by);
    default:
      return before % by;
  }
}

/** A row as select, monitors and RFC 7047 updates show it. */
export function wireRow(table: TableSchema, uuid: string, cells: Cells): Record<string, unknown> {
  const row: Record<string, unknown> = { _uuid: ['uuid', uuid] };
  for (const [name, column] of Object.entries(table.columns)) row[name] = wireValue(column, cells[name]);
  return row;
}

/** A value as the server writes it: a set of one as the bare element. */
export function wireValue(column: ColumnSchema, value: Value): unknown {
  const atom = (one: unknown) => (column.key.type === 'uuid' ? ['uuid', one] : one);
  if (isMap(value)) {
    const item = (one: unknown) => (column.value?.type === 'uuid' ? ['uuid', one] : one);
    return ['map', [...value].map(([key, one]) => [atom(key), item(one)])];
  }
  if (value === undefined) return ['set', []];
  if (!isSet(value)) return atom(value);
  return value.length === 1 ? atom(value[0]) : ['set', value.map(atom)];
}

export const listOf = (wire: unknown): readonly unknown[] => (Array.isArray(wire) ? wire : []);

function atomOf(wire: unknown): Atom {
  if (Array.isArray(wire)) return String(wire[1]);
  return typeof wire === 'number' || typeof wire === 'boolean' ? wire : String(wire);
}

function columnIn(table: TableSchema, name: string): ColumnSchema {
  const column = table.columns[name];
  if (!column) throw new OperationFailure('unknown column', `no column ${name}`);
  return column;
}
