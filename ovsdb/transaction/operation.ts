import type { Atom, GenericTables, Tables, TableTypes } from '../schema.ts';
import type { NamedUuid, WritableAtom, WritableValue } from '../value/encode.ts';

/**
 * One operation of a transaction, as plain data (RFC 7047 section 5.2). Typed by a generated schema; without one, tables and
 * columns are strings and values are what `WritableValue` allows.
 */
export type Operation<T extends Tables = GenericTables> =
  | { readonly [N in keyof T & string]: RowOperation<N, T[N]> }[keyof T & string]
  | DatabaseOperation;

export type RowOperation<N extends string, T extends TableTypes> =
  | Insert<N, T>
  | Select<N, T>
  | Update<N, T>
  | Mutate<N, T>
  | Delete<N, T>
  | Wait<N, T>;

export interface Insert<N extends string, T extends TableTypes> {
  readonly op: 'insert';
  readonly table: N;
  readonly row: WritableRow<T>;
  /** A UUID of the caller's choice (Open vSwitch 2.13): inserting it twice fails with `duplicateUuid`. */
  readonly uuid?: string;
  /** A name other operations of the transaction refer to the row by, as `{ named }`; an `<id>`, so not a UUID. */
  readonly uuidName?: string;
}

export interface Select<N extends string, T extends TableTypes> {
  readonly op: 'select';
  readonly table: N;
  readonly where: AllOf<T>;
  /** All, with `_uuid` and `_version`, if omitted. */
  readonly columns?: readonly (ColumnName<T> | '_version')[];
}

export interface Update<N extends string, T extends TableTypes> {
  readonly op: 'update';
  readonly table: N;
  readonly where: AllOf<T>;
  /** Only what changes: naming an immutable column is refused even if its value is the same. */
  readonly row: WritableRow<T>;
}

export interface Mutate<N extends string, T extends TableTypes> {
  readonly op: 'mutate';
  readonly table: N;
  readonly where: AllOf<T>;
  /** Applied in order. */
  readonly mutations: readonly Mutation<T>[];
}

export interface Delete<N extends string, T extends TableTypes> {
  readonly op: 'delete';
  readonly table: N;
  readonly where: AllOf<T>;
}

/** Fails the transaction with `timedOut` unless the rows come to be (or not to be) as given. */
export interface Wait<N extends string, T extends TableTypes> {
  readonly op: 'wait';
  readonly table: N;
  readonly where: AllOf<T>;
  readonly columns: readonly ColumnName<T>[];
  readonly until: '==' | '!=';
  /** `[]` with `==` asserts that no row matches. */
  readonly rows: readonly WritableRow<T>[];
  /** 0: look once. Explicit, since without one the server waits for ever. */
  readonly timeoutMs: number;
}

export type DatabaseOperation =
  | { readonly op: 'commit'; readonly durable: boolean }
  | { readonly op: 'abort' }
  | { readonly op: 'comment'; readonly comment: string }
  | { readonly op: 'assert'; readonly lock: string };

/**
 * Rows that satisfy every clause. `{ _uuid }` is the usual and the fast one: anything but `_uuid` makes the server look at every row.
 * `true` is all rows; an empty list, which means the same to the server, is refused as ambiguous.
 */
export type AllOf<T extends TableTypes = GenericTables[string]> =
  | { readonly _uuid: string | NamedUuid }
  | readonly Clause<T>[]
  | boolean;

/** Rows that satisfy any clause: how monitor conditions combine. */
export type AnyOf<T extends TableTypes = GenericTables[string]> = readonly Clause<T>[] | boolean;

/** `[column, function, value]`; with sets and maps `includes` and `excludes` take the elements asked for. */
export type Clause<T extends TableTypes = GenericTables[string]> = {
  readonly [C in ColumnName<T>]: readonly [
    column: C,
    function_: '==' | '!=' | 'includes' | 'excludes' | '<' | '<=' | '>' | '>=',
    value: WritableCell<T, C>,
  ];
}[ColumnName<T>];

/**
 * `[column, mutator, value]`. On sets `insert` ignores what is there and `delete` what is not. On maps `insert` does not overwrite a key:
 * to set one, delete the key and then insert the pair, in one list. `delete` on a map takes pairs, or a list of keys.
 */
export type Mutation<T extends TableTypes = GenericTables[string]> = {
  readonly [C in keyof T['row'] & string]: readonly [
    column: C,
    mutator: 'insert' | 'delete' | '+=' | '-=' | '*=' | '/=' | '%=',
    value: MutationValue<WritableCell<T, C>>,
  ];
}[keyof T['row'] & string];

export type ColumnName<T extends TableTypes> = (keyof T['row'] & string) | '_uuid';

export type WritableRow<T extends TableTypes> = { readonly [C in keyof T['row']]?: WritableCell<T, C> };

/** What may be written where a row shows `T['row'][C]`. */
type WritableCell<T extends TableTypes, C> = C extends '_uuid'
  ? string | NamedUuid
  : C extends keyof T['row']
    ? C extends T['references']
      ? Writable<T['row'][C], NamedUuid>
      : Writable<T['row'][C], never>
    : never;

type Writable<V, Named> = [V] extends [ReadonlyMap<infer K, infer I>]
  ? ReadonlyMap<K, I | Exact<I> | Named> | Readonly<Record<string, I | Exact<I> | Named>>
  : [V] extends [readonly (infer I)[]]
    ? readonly (I | Exact<I> | Named)[] | ReadonlySet<I | Exact<I> | Named>
    : [V] extends [Atom | undefined]
      ? V | Exact<V> | Named
      : WritableValue;

/** Integers beyond 2^53 are written as bigints. */
type Exact<V> = number extends V ? bigint : never;

type MutationValue<V> = V | (V extends ReadonlyMap<infer K, unknown> ? readonly K[] : never) | ElementOf<V>;
type ElementOf<V> = V extends readonly (infer I)[] ? I : never;

export type { WritableAtom, WritableValue };
