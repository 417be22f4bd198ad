import type { Tables, TableTypes } from '../schema.ts';
import type { AnyOf } from '../transaction/operation.ts';
import type { IndexSpec } from './table-index.ts';

/** What to replicate: tables, their columns, and which rows. */
export type Selection<T extends Tables> = { readonly [N in keyof T]?: TableSelection<T[N]> };

export interface TableSelection<T extends TableTypes> {
  readonly columns: readonly (keyof T['row'] & string)[];
  /** All rows if omitted. Clauses on columns an older server lacks match nothing. */
  readonly where?: AnyOf<T>;
  /** Integer columns to read as bigints, exact over the whole 64 bits. */
  readonly bigint?: readonly (keyof T['row'] & string)[];
}

/** The rows a selection yields, by table. */
export type Selected<T extends Tables, S> = {
  readonly [N in keyof S & keyof T & string]: S[N] extends { readonly columns: readonly (infer C)[] }
    ? { readonly _uuid: string } & {
        readonly [K in C & keyof T[N]['row']]: S[N] extends { readonly bigint: readonly (infer B)[] }
          ? K extends B
            ? WithBigint<T[N]['row'][K]>
            : T[N]['row'][K]
          : T[N]['row'][K];
      }
    : never;
};

type WithBigint<V> = V extends number
  ? bigint
  : V extends readonly number[]
    ? readonly bigint[]
    : V extends ReadonlyMap<infer K, infer I>
      ? ReadonlyMap<K extends number ? bigint : K, I extends number ? bigint : I>
      : V;

/** Indexes to keep, by table and name. */
export type Indexes<S> = { readonly [N in keyof S]?: Readonly<Record<string, IndexSpec<ColumnsOf<S[N]>>>> };

type ColumnsOf<S> = S extends { readonly columns: readonly (infer C extends string)[] } ? C | '_uuid' : string;
