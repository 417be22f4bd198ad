/**
 * A database schema as data (RFC 7047 section 3.2), with the TypeScript types of its tables riding along.
 * One comes from a generated module (`ovsdb/schemas/`), or at run time from `parseSchema`.
 */
export interface DatabaseSchema<T extends Tables = GenericTables> {
  readonly name: string;
  readonly version: string;
  readonly tables: Readonly<Record<string, TableSchema>>;
  /** Never set: carries the row types from the schema to the calls that use it. */
  readonly rowTypes?: T;
}

/** Row types by table name. `references` names the columns that hold row UUIDs. */
export type Tables = Readonly<Record<string, TableTypes>>;
export interface TableTypes {
  readonly row: object;
  readonly references: string;
}

/** The types of a schema known only at run time. */
export type GenericTables = Readonly<Record<string, { readonly row: GenericColumns; readonly references: string }>>;
export type GenericColumns = Readonly<Record<string, Value>>;

export interface TableSchema {
  readonly columns: Readonly<Record<string, ColumnSchema>>;
  /** Sets of columns that are unique together. */
  readonly indexes: readonly (readonly string[])[];
  /** A row of a table that is not a root goes away with the last strong reference to it. */
  readonly isRoot: boolean;
  readonly maxRows?: number;
}

export interface ColumnSchema {
  readonly key: BaseType;
  /** Present: the column is a map. */
  readonly value?: BaseType;
  readonly min: number;
  /** `Infinity` where the schema says "unlimited". */
  readonly max: number;
  readonly ephemeral?: true;
  readonly immutable?: true;
}

export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

export interface BaseType {
  readonly type: AtomType;
  readonly enum?: readonly (string | number | boolean)[];
  readonly minInteger?: number;
  readonly maxInteger?: number;
  readonly minReal?: number;
  readonly maxReal?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly refTable?: string;
  readonly refType?: 'strong' | 'weak';
}

/**
 * One value of a column. Integers are numbers, or bigints in columns that were asked for as such; a UUID is a string; an
 * optional column (0 or 1) is its value or `undefined`; a set is an array; a map reads like a `ReadonlyMap`.
 */
export type Value = Atom | undefined | readonly Atom[] | ReadonlyMap<Atom, Atom>;
export type Atom = string | number | boolean | bigint;

/** How a column's value looks in JavaScript. */
export type ColumnKind = 'scalar' | 'optional' | 'set' | 'map';

export function kindOf(column: ColumnSchema): ColumnKind {
  if (column.value) return 'map';
  if (column.max > 1) return 'set';
  return column.min === 0 ? 'optional' : 'scalar';
}

/** Does an update2 or update3 `modify` carry a difference for this column? (Only if it may hold several elements.) */
export const isDiffed = (column: ColumnSchema): boolean => column.max > 1;
