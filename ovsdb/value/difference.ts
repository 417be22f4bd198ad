import { type Atom, type ColumnSchema, isDiffed, type Value } from '../schema.ts';
import { ColumnMap, columnMap, emptyMap } from './column-map.ts';

/**
 * The value after an update2 or update3 `modify` (ovsdb-server(7), section 4.1.14). Columns that can hold at most one
 * element carry the new value whole; a set carries the elements that come or go; a map carries the keys that come, change
 * (with the new value) or go (with the value they have).
 */
export function applyDifference(column: ColumnSchema, before: Value, difference: Value): Value {
  if (!isDiffed(column)) return difference;
  if (difference instanceof ColumnMap) return mapAfter(before instanceof ColumnMap ? before : emptyMap, difference);
  return setAfter(isSet(before) ? before : [], isSet(difference) ? difference : []);
}

/** Are two values of one column the same? Sets and maps have no order. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (isSet(a)) return isSet(b) && sameSet(a, b);
  if (isMap(a)) {
    if (!isMap(b) || a.size !== b.size) return false;
    for (const [key, value] of a) if (!sameAtom(b.get(key), value)) return false;
    return true;
  }
  return Number.isNaN(a) && Number.isNaN(b);
}

export const isSet = (value: unknown): value is readonly Atom[] => Array.isArray(value);
export const isMap = (value: unknown): value is ReadonlyMap<Atom, Atom> =>
  value instanceof ColumnMap || value instanceof Map;

const sameAtom = (a: Atom | undefined, b: Atom | undefined) => Object.is(a, b) || a === b;

function sameSet(a: readonly Atom[], b: readonly Atom[]): boolean {
  if (a.length !== b.length) return false;
  // The server sorts, so equal sets usually are equal arrays.
  if (a.every((atom, i) => sameAtom(atom, b[i]))) return true;
  const members = new Set(b);
  return a.every((atom) => members.has(atom));
}

/** A set this large keeps a hash of its members for the next difference. */
const hashedSize = 64;
const hashes = new WeakMap<readonly Atom[], Set<Atom>>();

function setAfter(before: readonly Atom[], difference: readonly Atom[]): readonly Atom[] {
  if (before.length < hashedSize && difference.length < hashedSize) {
    const going = difference.filter((atom) => before.includes(atom));
    const staying = going.length === 0 ? before : before.filter((atom) => !going.includes(atom));
    return going.length === difference.length
      ? staying
      : [...staying, ...difference.filter((atom) => !before.includes(atom))];
  }
  const members = hashes.get(before) ?? new Set(before);
  // The hash moves on to the new value: the old one is history and is seldom asked again.
  hashes.delete(before);
  const going = new Set<Atom>();
  const coming: Atom[] = [];
  for (const atom of difference) {
    if (members.delete(atom)) going.add(atom);
    else coming.push(atom);
  }
  for (const atom of coming) members.add(atom);
  const staying = going.size === 0 ? before : before.filter((atom) => !going.has(atom));
  const after = [...staying, ...coming];
  hashes.set(after, members);
  return after;
}

function mapAfter(before: ColumnMap, difference: ColumnMap): ColumnMap {
  const after = new Map(before);
  for (const [key, value] of difference) {
    if (sameAtom(after.get(key), value)) after.delete(key);
    else after.set(key, value);
  }
  return after.size === 0 ? emptyMap : columnMap(after);
}
