import { OvsdbError } from '../errors.ts';
import { type Atom, type BaseType, type ColumnSchema, kindOf } from '../schema.ts';
import { exactJson } from './exact-integers.ts';

/** A row inserted by the same transaction under this `uuidName`: `{ named: 'new_port' }`. */
export interface NamedUuid {
  readonly named: string;
}

/** What a caller may give for a column: the forms a row shows, and a plain object or `Map` for a map, any iterable for a set. */
export type WritableAtom = Atom | NamedUuid;
export type WritableValue =
  | WritableAtom
  | undefined
  | readonly WritableAtom[]
  | ReadonlySet<WritableAtom>
  | ReadonlyMap<Atom, WritableAtom>
  | Readonly<Record<string, WritableAtom>>;

/** JSON as it goes on the wire. */
export type Json = string | number | boolean | null | object | readonly Json[];

/**
 * The wire form of a column's value (RFC 7047 section 5.1). Throws `OvsdbError` `value` for what has no wire form and for
 * what makes ovsdb-server drop the whole connection: NUL, a lone surrogate, a real out of range. Ranges and enums of the schema
 * are left to the server, which may know a newer schema.
 */
export function encodeValue(column: ColumnSchema, value: WritableValue): Json {
  switch (kindOf(column)) {
    case 'scalar':
      return encodeAtom(column.key, value);
    case 'optional':
      return isAbsent(value) ? ['set', []] : encodeAtom(column.key, Array.isArray(value) ? value[0] : value);
    case 'set':
      return encodeSet(column.key, value);
    case 'map':
      return encodeMap(column, value);
  }
}

/** The wire form of a set of `base`, of any size: also what a mutation inserts or deletes. Duplicates, which the server refuses, go. */
export function encodeSet(base: BaseType, value: WritableValue): Json {
  const atoms = isIterable(value) && typeof value !== 'string' ? [...value] : value === undefined ? [] : [value];
  return ['set', distinct(atoms).map((atom) => encodeAtom(base, atom))];
}

function distinct(atoms: readonly unknown[]): readonly unknown[] {
  if (atoms.length < 2) return atoms;
  if (atoms.some(isNamed)) {
    return [...new Map(atoms.map((atom) => [isNamed(atom) ? `named ${atom.named}` : atom, atom])).values()];
  }
  const members = new Set(atoms);
  return members.size === atoms.length ? atoms : [...members];
}

export function encodeMap(column: ColumnSchema, value: WritableValue): Json {
  const valueType = column.value;
  if (!valueType || typeof value !== 'object' || Array.isArray(value)) throw unfit('a map', value);
  const pairs: Json[] = [];
  const entries: Iterable<readonly unknown[]> = isMapLike(value) ? value.entries() : Object.entries(value);
  for (const pair of entries) pairs.push([encodeKey(column.key, pair[0]), encodeAtom(valueType, pair[1])]);
  return ['map', pairs];
}

/** Keys of a plain object are strings whatever the column says. */
function encodeKey(base: BaseType, key: unknown): Json {
  if (typeof key !== 'string' || base.type === 'string' || base.type === 'uuid') return encodeAtom(base, key);
  return encodeAtom(
    base,
    base.type === 'boolean' ? key === 'true' : base.type === 'integer' ? BigInt(key) : Number(key),
  );
}

/** The wire form of one atom. */
export function encodeAtom(base: BaseType, atom: unknown): Json {
  switch (base.type) {
    case 'string':
      if (typeof atom !== 'string') throw unfit('a string', atom);
      return checkedText(atom);
    case 'boolean':
      if (typeof atom !== 'boolean') throw unfit('a boolean', atom);
      return atom;
    case 'uuid':
      return encodeUuid(atom);
    case 'integer':
      return encodeInteger(atom);
    case 'real':
      if (typeof atom !== 'number' || !isWritableReal(atom)) throw unfit('a finite, normal real', atom);
      return atom;
  }
}

/** `text`, if the server can take it: a NUL or a lone surrogate is a JSON syntax error to it, and ends the connection. */
export function checkedText(text: string): string {
  if (!text.isWellFormed()) throw new OvsdbError('value', `not well-formed Unicode: ${JSON.stringify(text)}`);
  if (text.includes('\0')) throw new OvsdbError('value', `contains a NUL: ${JSON.stringify(text)}`);
  return text;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const idPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function encodeUuid(atom: unknown): Json {
  if (typeof atom === 'string' && uuidPattern.test(atom)) return ['uuid', atom.toLowerCase()];
  if (isNamed(atom)) return ['named-uuid', checkedId(atom.named)];
  throw unfit('a UUID', atom);
}

/** An `<id>` (RFC 7047 section 3.1). Not every UUID is one: hyphens are refused by the server. */
export function checkedId(id: string): string {
  if (!idPattern.test(id)) throw unfit('an <id>', id);
  return id;
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

function encodeInteger(atom: unknown): Json {
  if (typeof atom === 'number' && Number.isSafeInteger(atom)) return atom;
  if (typeof atom === 'bigint' && atom >= int64Min && atom <= int64Max) return exactJson(atom);
  throw unfit('an integer (beyond 2^53, a bigint)', atom);
}

/** Smallest normal double: the server refuses what underflows. */
const smallestNormal = 2.2250738585072014e-308;
const isWritableReal = (real: number) => Number.isFinite(real) && (real === 0 || Math.abs(real) >= smallestNormal);

export const isNamed = (value: unknown): value is NamedUuid =>
  typeof value === 'object' && value !== null && 'named' in value && typeof value.named === 'string';

const isAbsent = (value: WritableValue) => value === undefined || (Array.isArray(value) && value.length === 0);

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'string' || (typeof value === 'object' && value !== null && Symbol.iterator in value);

const isMapLike = (value: object): value is ReadonlyMap<unknown, unknown> =>
  'entries' in value && typeof value.entries === 'function' && Symbol.iterator in value;

function unfit(wanted: string, value: unknown): OvsdbError {
  const shown =
    typeof value === 'bigint' ? `${value}n` : typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new OvsdbError('value', `not ${wanted}: ${shown.slice(0, 120)}`);
}
