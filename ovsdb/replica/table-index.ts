import type { Atom, Value } from '../schema.ts';
import { isMap, isSet } from '../value/difference.ts';
import type { Row } from './row-shape.ts';

/**
 * What an index looks rows up by: a column, one entry of a map column, or each element of a set column. Several parts make a compound
 * index.
 */
export type IndexPart<C extends string = string> =
  | C
  | { readonly column: C; readonly key: string }
  | { readonly each: C };
export type IndexSpec<C extends string = string> = C | readonly IndexPart<C>[];

/**
 * Rows by the values of some columns. A row whose optional column or map entry is absent is not in the index. Values need not be
 * unique, so that two rows may share one for a moment inside a transaction.
 */
export class TableIndex {
  readonly #parts: readonly IndexPart[];
  /** One row, or several by UUID. */
  readonly #buckets = new Map<Atom, Row | Map<string, Row>>();

  constructor(spec: IndexSpec) {
    this.#parts = typeof spec === 'string' ? [spec] : spec;
  }

  find(values: readonly (Atom | undefined)[]): readonly Row[] {
    const key = keyOf(values);
    const bucket = key === undefined ? undefined : this.#buckets.get(key);
    if (bucket === undefined) return [];
    return bucket instanceof Map ? [...bucket.values()] : [bucket];
  }

  add(row: Row): void {
    for (const key of this.#keys(row)) {
      const bucket = this.#buckets.get(key);
      if (bucket === undefined) this.#buckets.set(key, row);
      else if (bucket instanceof Map) bucket.set(row._uuid, row);
      else if (bucket._uuid === row._uuid) this.#buckets.set(key, row);
      else
        this.#buckets.set(
          key,
          new Map([
            [bucket._uuid, bucket],
            [row._uuid, row],
          ]),
        );
    }
  }

  /** Removes `row`, and only it: another row that took over its value stays. */
  remove(row: Row): void {
    for (const key of this.#keys(row)) {
      const bucket = this.#buckets.get(key);
      if (bucket === undefined) continue;
      if (!(bucket instanceof Map)) {
        if (bucket._uuid === row._uuid) this.#buckets.delete(key);
        continue;
      }
      bucket.delete(row._uuid);
      const [last] = bucket.values();
      if (bucket.size === 1 && last) this.#buckets.set(key, last);
    }
  }

  #keys(row: Row): readonly Atom[] {
    const [only] = this.#parts;
    if (this.#parts.length === 1 && only !== undefined) return choices(row, only);
    let combinations: Atom[][] = [[]];
    for (const part of this.#parts) {
      const atoms = choices(row, part);
      combinations = combinations.flatMap((start) => atoms.map((atom) => [...start, atom]));
    }
    return combinations.flatMap((values) => keyOf(values) ?? []);
  }
}

/** The atoms a row has for one part of an index. */
function choices(row: Row, part: IndexPart): readonly Atom[] {
  if (typeof part === 'string') return atoms(row[part], part);
  if ('each' in part) {
    const value = row[part.each];
    return isSet(value) ? value : isMap(value) ? [...value.keys()] : value === undefined ? [] : [value];
  }
  const value = row[part.column];
  const entry = isMap(value) ? value.get(part.key) : undefined;
  return entry === undefined ? [] : [entry];
}

function atoms(value: Value, column: string): readonly Atom[] {
  if (value === undefined) return [];
  if (typeof value !== 'object') return [value];
  throw new TypeError(`column ${column} holds several values: index { each: '${column}' } or { column, key }`);
}

/** One key for the values of all parts: lengths keep ('a', 'bc') apart from ('ab', 'c'). */
function keyOf(values: readonly (Atom | undefined)[]): Atom | undefined {
  if (values.length === 1) return values[0];
  let key = '';
  for (const value of values) {
    if (value === undefined) return undefined;
    const text = String(value);
    key += `${text.length} ${text}`;
  }
  return key;
}
