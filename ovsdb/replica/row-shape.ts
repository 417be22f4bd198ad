import { OvsdbError } from '../errors.ts';
import type { ColumnSchema, GenericColumns, TableSchema, Value } from '../schema.ts';
import { columnOf } from '../transaction/encode-operations.ts';
import { type Decode, type DecodeOptions, decoderOf, defaultOf } from '../value/decode.ts';
import { applyDifference, sameValue } from '../value/difference.ts';
import { exactFormOf } from '../value/exact-integers.ts';

/** A row of a replica: its UUID and the replicated columns. Never changes; a modified row is a new object. */
export type Row<C = GenericColumns> = { readonly _uuid: string } & Readonly<C>;

export interface ShapeOptions {
  readonly columns: readonly string[];
  /** Integer columns to read as bigints. */
  readonly bigint: readonly string[];
  /** An integer beyond 2^53 in a column of numbers: it reads as NaN. */
  readonly onInexact: (uuid: string, column: string, value: bigint) => void;
}

interface ShapedColumn {
  readonly name: string;
  readonly schema: ColumnSchema;
  readonly decode: Decode;
  /** For differences, which must be exact. */
  readonly decodeExact: Decode;
  readonly isNumber: boolean;
  readonly default: Value;
}

type Blank = Record<string, Value> & { _uuid: string };

/** Makes the rows of one table from what the server sends. */
export class RowShape {
  readonly columns: readonly ShapedColumn[];
  readonly #byName: ReadonlyMap<string, ShapedColumn>;
  /** A row of defaults. Copies of it have all columns inside the object, in one layout. */
  readonly #blank: Blank;
  #uuid = '';

  constructor(table: TableSchema, options: ShapeOptions) {
    this.columns = options.columns.map((name) => {
      const schema = columnOf(table, name);
      const hasIntegers = schema.key.type === 'integer' || schema.value?.type === 'integer';
      const bigint = options.bigint.includes(name);
      if (bigint && !hasIntegers) throw new OvsdbError('schema', `column "${name}" has no integers to read as bigints`);
      const decoding: DecodeOptions = { bigint, onInexact: (value) => options.onInexact(this.#uuid, name, value) };
      return {
        name,
        schema,
        decode: decoderOf(schema, decoding),
        decodeExact: hasIntegers ? decoderOf(schema, { bigint: true }) : decoderOf(schema),
        isNumber: hasIntegers && !bigint,
        default: defaultOf(schema, decoding),
      };
    });
    this.#blank = blank(this.columns);
    this.#byName = new Map(this.columns.map((column) => [column.name, column]));
  }

  /** A whole row; columns that are not in `wire` have their defaults. */
  whole(uuid: string, wire: Readonly<Record<string, unknown>>): Row {
    this.#uuid = uuid;
    const row = { ...this.#blank };
    row._uuid = uuid;
    const cells: Readonly<Record<string, unknown>> = wire;
    for (const column of this.columns) {
      const cell = cells[column.name];
      if (cell !== undefined) row[column.name] = column.decode(cell);
    }
    return row;
  }

  /** `before` with the differences of an update2 or update3 `modify` applied. */
  modified(before: Row, wire: object): Row {
    this.#uuid = before._uuid;
    const row: Blank = { ...before };
    for (const [name, cell] of Object.entries(wire)) {
      const column = this.#byName.get(name);
      if (column) row[name] = this.#changed(column, before[name], cell);
    }
    return row;
  }

  same(a: Row, b: Row): boolean {
    return this.columns.every(({ name }) => sameValue(a[name], b[name]));
  }

  #changed(column: ShapedColumn, before: Value, cell: unknown): Value {
    const exactBefore = typeof before === 'object' ? exactFormOf(before) : undefined;
    if (exactBefore === undefined) return applyDifference(column.schema, before, column.decode(cell));
    // The row shows NaN for what does not fit a number; the difference is against the exact form.
    const exact = applyDifference(column.schema, exactBefore, column.decodeExact(cell));
    return column.decode(wireOfIntegers(exact));
  }
}

/** V8 lays all members of a parsed object out inside it; members added one by one would make rows larger and slower to copy. */
function blank(columns: readonly ShapedColumn[]): Blank {
  const names = ['_uuid', ...columns.map(({ name }) => name)];
  const row: Blank = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, '']))));
  for (const { name, default: value } of columns) row[name] = value;
  return row;
}

/** An exact set or map of integers in wire form again, to decode it as numbers. */
function wireOfIntegers(value: Value): unknown {
  if (typeof value !== 'object') return value;
  return Array.isArray(value) ? ['set', [...value]] : ['map', [...value.entries()]];
}
