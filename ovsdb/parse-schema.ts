import { OvsdbError } from './errors.ts';
import type { AtomType, BaseType, ColumnSchema, DatabaseSchema, TableSchema } from './schema.ts';

/**
 * Reads a `<database-schema>` (RFC 7047 section 3.2): an `.ovsschema` file or the reply to `get_schema`.
 * Throws `OvsdbError` `schema` with the path of what it could not read.
 */
export function parseSchema(json: unknown): DatabaseSchema {
  const schema = record(json, 'schema');
  return {
    name: text(schema.name, 'name'),
    version: typeof schema.version === 'string' ? schema.version : '',
    tables: mapRecord(record(schema.tables, 'tables'), parseTable),
  };
}

function parseTable(json: unknown, path: string): TableSchema {
  const table = record(json, path);
  return {
    columns: mapRecord(record(table.columns, `${path}.columns`), parseColumn),
    indexes: list(table.indexes ?? [], `${path}.indexes`).map((index) =>
      list(index, `${path}.indexes`).map((column) => text(column, `${path}.indexes`)),
    ),
    isRoot: table.isRoot === true,
    ...(typeof table.maxRows === 'number' && { maxRows: table.maxRows }),
  };
}

function parseColumn(json: unknown, path: string): ColumnSchema {
  const column = record(json, path);
  const type = typeof column.type === 'string' ? { key: column.type } : record(column.type, `${path}.type`);
  return {
    key: parseBaseType(type.key, `${path}.type.key`),
    ...(type.value !== undefined && { value: parseBaseType(type.value, `${path}.type.value`) }),
    min: typeof type.min === 'number' ? type.min : 1,
    max: type.max === 'unlimited' ? Number.POSITIVE_INFINITY : typeof type.max === 'number' ? type.max : 1,
    ...(column.ephemeral === true && { ephemeral: true }),
    ...(column.mutable === false && { immutable: true }),
  };
}

const atomTypes: readonly AtomType[] = ['integer', 'real', 'boolean', 'string', 'uuid'];

function parseBaseType(json: unknown, path: string): BaseType {
  const base = typeof json === 'string' ? { type: json } : record(json, path);
  const type = atomTypes.find((name) => name === base.type);
  if (!type) throw new OvsdbError('schema', `${path}: unknown type ${JSON.stringify(base.type)}`);
  const limits = ['minInteger', 'maxInteger', 'minReal', 'maxReal', 'minLength', 'maxLength'] as const;
  return {
    type,
    ...(base.enum !== undefined && { enum: parseEnum(base.enum, `${path}.enum`) }),
    ...Object.fromEntries(limits.flatMap((name) => (typeof base[name] === 'number' ? [[name, base[name]]] : []))),
    ...(typeof base.refTable === 'string' && {
      refTable: base.refTable,
      refType: base.refType === 'weak' ? 'weak' : 'strong',
    }),
  };
}

/** `["set", […]]`, or one bare value. */
function parseEnum(json: unknown, path: string): (string | number | boolean)[] {
  const values = Array.isArray(json) && json[0] === 'set' ? list(json[1], path) : [json];
  return values.map((value) => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
    throw new OvsdbError('schema', `${path}: not a value: ${JSON.stringify(value)}`);
  });
}

function record(json: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json };
  throw new OvsdbError('schema', `${path}: not an object`);
}

function list(json: unknown, path: string): readonly unknown[] {
  if (Array.isArray(json)) return json;
  throw new OvsdbError('schema', `${path}: not a list`);
}

function text(json: unknown, path: string): string {
  if (typeof json === 'string') return json;
  throw new OvsdbError('schema', `${path}: not a string`);
}

function mapRecord<T>(from: Readonly<Record<string, unknown>>, parse: (json: unknown, path: string) => T) {
  return Object.fromEntries(Object.entries(from).map(([name, json]) => [name, parse(json, name)]));
}
