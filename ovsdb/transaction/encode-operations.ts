import { OvsdbError } from '../errors.ts';
import type { BaseType, ColumnSchema, DatabaseSchema, TableSchema, Tables } from '../schema.ts';
import { isMap, isSet } from '../value/difference.ts';
import {
  checkedId,
  checkedText,
  encodeAtom,
  encodeMap,
  encodeSet,
  encodeUuid,
  encodeValue,
  isNamed,
  type Json,
  type WritableValue,
} from '../value/encode.ts';
import type { AllOf, AnyOf, Operation } from './operation.ts';
import type { OperationError } from './outcome.ts';

/** Any operation, its types forgotten. */
export type AnyOperation = Operation;

export type EncodedOperations =
  | { readonly kind: 'encoded'; readonly operations: readonly Json[] }
  | { readonly kind: 'invalid'; readonly error: OperationError };

/** The wire form of operations, or the error of the first that has none. `schema` says how each column is written. */
export function encodeOperations(
  schema: DatabaseSchema<Tables>,
  operations: readonly AnyOperation[],
): EncodedOperations {
  const encoded: Json[] = [];
  const names = namesOf(operations);
  for (const operation of operations) {
    try {
      encoded.push(encodeOperation(schema, operation, names));
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error;
      const index = encoded.length;
      const message = `${error.message} in operation ${index}`;
      return {
        kind: 'invalid',
        error: { kind: 'invalid', message, error: undefined, details: error.message, operationIndex: index },
      };
    }
  }
  return { kind: 'encoded', operations: encoded };
}

/** Encodes a monitor condition. Clauses on columns the server lacks (`omit`) match nothing, so they are left out. */
export function encodeAnyOf(table: TableSchema, where: AnyOf, omit: (column: string) => boolean): Json[] {
  if (typeof where === 'boolean') return [where];
  if (where.length === 0) throw new OvsdbError('value', 'an empty condition is ambiguous: say true or false');
  const clauses = where.filter(([column]) => !omit(column)).map((clause) => encodeClause(table, clause));
  return clauses.length === 0 ? [false] : clauses;
}

export function columnOf(table: TableSchema, name: string): ColumnSchema {
  if (name === '_uuid' || name === '_version') return uuidColumn;
  const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined;
  if (!column) throw new OvsdbError('schema', `no column "${name}"`);
  return column;
}

export function tableOf(schema: DatabaseSchema<Tables>, name: string): TableSchema {
  const table = Object.hasOwn(schema.tables, name) ? schema.tables[name] : undefined;
  if (!table) throw new OvsdbError('schema', `no table "${name}" in ${schema.name}`);
  return table;
}

const uuidColumn: ColumnSchema = { key: { type: 'uuid' }, min: 1, max: 1 };

type Names = ReadonlySet<string>;

const noNames: Names = new Set();

function namesOf(operations: readonly AnyOperation[]): Names {
  let names: Set<string> | undefined;
  for (const one of operations) {
    if (one.op === 'insert' && one.uuidName !== undefined) names = (names ?? new Set()).add(one.uuidName);
  }
  return names ?? noNames;
}

function encodeOperation(schema: DatabaseSchema<Tables>, operation: AnyOperation, names: Names): Json {
  switch (operation.op) {
    case 'comment':
      return { op: 'comment', comment: checkedText(operation.comment) };
    case 'assert':
      return { op: 'assert', lock: checkedId(operation.lock) };
    case 'commit':
    case 'abort':
      return operation;
  }
  const { op, table: name } = operation;
  const table = tableOf(schema, name);
  switch (op) {
    case 'insert': {
      const { uuid, uuidName, row } = operation;
      const insert: Record<string, Json> = { op, table: name, row: encodeRow(table, row, names) };
      if (uuid !== undefined) insert.uuid = plainUuid(uuid);
      if (uuidName !== undefined) insert['uuid-name'] = checkedId(uuidName);
      return insert;
    }
    case 'select': {
      const { columns } = operation;
      return { op, table: name, where: encodeAllOf(table, operation.where, names), ...(columns && { columns }) };
    }
    case 'update':
      return {
        op,
        table: name,
        where: encodeAllOf(table, operation.where, names),
        row: encodeRow(table, operation.row, names),
      };
    case 'delete':
      return { op, table: name, where: encodeAllOf(table, operation.where, names) };
    case 'mutate':
      return {
        op,
        table: name,
        where: encodeAllOf(table, operation.where, names),
        mutations: operation.mutations.map(([column, mutator, value]) => [
          column,
          mutator,
          encodeMutation(columnOf(table, column), mutator, known(value, names)),
        ]),
      };
    case 'wait':
      if (!(operation.timeoutMs >= 0)) throw new OvsdbError('value', 'a wait without timeoutMs would wait for ever');
      return {
        op,
        table: name,
        where: encodeAllOf(table, operation.where, names),
        columns: operation.columns,
        until: operation.until,
        rows: operation.rows.map((row) => encodeRow(table, row, names)),
        timeout: operation.timeoutMs,
      };
  }
}

function plainUuid(uuid: string): Json {
  encodeUuid(uuid);
  return uuid.toLowerCase();
}

function encodeRow(table: TableSchema, row: Readonly<Record<string, WritableValue>>, names: Names): Json {
  const encoded: Record<string, Json> = {};
  let name = '';
  try {
    for (name of Object.keys(row)) {
      const column = columnOf(table, name);
      encoded[name] = encodeValue(column, isReference(column) ? known(row[name], names) : row[name]);
    }
  } catch (error) {
    throw of(name, error);
  }
  return encoded;
}

function encodeAllOf(table: TableSchema, where: AllOf, names: Names): Json[] {
  if (where === true) return [];
  if (where === false) return [false];
  if ('_uuid' in where) return [['_uuid', '==', encodeUuid(known(where._uuid, names))]];
  if (where.length === 0) throw new OvsdbError('value', 'an empty condition is ambiguous: say true or false');
  return where.map((clause) => encodeClause(table, clause));
}

function encodeClause(table: TableSchema, [name, test, value]: readonly [string, string, WritableValue]): Json {
  const column = columnOf(table, name);
  return [
    name,
    test,
    within(name, () => (column.max > 1 || column.min === 0 ? encodeAny(column, value) : encodeValue(column, value))),
  ];
}

/** A clause on an optional, set or map column may name any number of elements. */
function encodeAny(column: ColumnSchema, value: WritableValue): Json {
  return column.value ? encodeMap(column, value) : encodeSet(column.key, value);
}

function encodeMutation(column: ColumnSchema, mutator: string, value: WritableValue): Json {
  if (mutator !== 'insert' && mutator !== 'delete') return encodeAtom(arithmeticType(column), value);
  if (!column.value) return encodeSet(column.key, value);
  const isPairs = isMap(value) || (typeof value === 'object' && !isSet(value) && !(value instanceof Set));
  return mutator === 'delete' && !isPairs ? encodeSet(column.key, value) : encodeMap(column, value);
}

const arithmeticType = (column: ColumnSchema): BaseType => column.value ?? column.key;

/** `value`, whose named UUIDs some operation defines. An undefined one would fail at commit as a reference to a random UUID. */
function known(value: WritableValue, names: Names): WritableValue {
  if (typeof value !== 'object') return value;
  const atoms: Iterable<unknown> = isNamed(value)
    ? [value]
    : isMap(value) || value instanceof Set || isSet(value)
      ? value.values()
      : Object.values(value);
  for (const atom of atoms) {
    if (isNamed(atom) && !names.has(atom.named)) {
      throw new OvsdbError('value', `no insert of this transaction has uuidName "${atom.named}"`);
    }
  }
  return value;
}

/** Only columns of UUIDs can hold named ones. */
function isReference({ key, value }: ColumnSchema): boolean {
  return key.type === 'uuid' || value?.type === 'uuid';
}

function within<T>(column: string, encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    throw of(column, error);
  }
}

/** The error, with the column it is about. */
function of(column: string, error: unknown): unknown {
  return error instanceof OvsdbError ? new OvsdbError(error.kind, `column "${column}": ${error.message}`) : error;
}
