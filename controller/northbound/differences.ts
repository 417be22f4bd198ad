import type { Atom, ColumnSchema, Value } from '#ovsdb/schema.ts';

/** One mutation of a set or a map, as a transaction has it. */
export type Mutation = readonly [
  column: string,
  mutator: 'insert' | 'delete',
  value: readonly string[] | Readonly<Record<string, string>>,
];

/** What makes the map hold `wanted` and, of the keys for which `isOurs`, nothing else. */
export function mapDifference(
  column: string,
  wanted: ReadonlyMap<string, string>,
  found: Value,
  isOurs: (key: string) => boolean,
): readonly Mutation[] {
  const remove: string[] = [];
  const put: Record<string, string> = {};
  const existing: ReadonlyMap<Atom, Atom> = isMap(found) ? found : empty;
  for (const key of existing.keys()) {
    if (typeof key === 'string' && !wanted.has(key) && isOurs(key)) remove.push(key);
  }
  for (const [key, value] of wanted) {
    if (existing.get(key) === value) continue;
    // An insert does not overwrite: to set a key it is deleted first, in the same mutate.
    if (existing.has(key)) remove.push(key);
    put[key] = value;
  }
  const mutations: Mutation[] = [];
  if (remove.length > 0) mutations.push([column, 'delete', remove]);
  if (Object.keys(put).length > 0) mutations.push([column, 'insert', put]);
  return mutations;
}

export function setDifference(wanted: readonly string[], found: Value): SetDifference {
  const existing = Array.isArray(found) ? found.filter((item) => typeof item === 'string') : [];
  if (wanted.length === existing.length && wanted.every((item, i) => item === existing[i])) return same;
  const [left, right] = [new Set(wanted), new Set(existing)];
  return { remove: existing.filter((item) => !left.has(item)), put: wanted.filter((item) => !right.has(item)) };
}

/** What a scalar column holds when nobody says anything (RFC 7047 §5.2.1). */
export function scalarDefault({ key }: ColumnSchema): string | number | boolean {
  if (key.type === 'boolean') return false;
  return key.type === 'integer' || key.type === 'real' ? 0 : '';
}

interface SetDifference {
  readonly remove: readonly string[];
  readonly put: readonly string[];
}

const same: SetDifference = { remove: [], put: [] };

const empty: ReadonlyMap<Atom, Atom> = new Map();

function isMap(value: Value): value is ReadonlyMap<Atom, Atom> {
  return typeof value === 'object' && 'get' in value;
}
