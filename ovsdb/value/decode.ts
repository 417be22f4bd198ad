import { OvsdbError } from '../errors.ts';
import { type Atom, type AtomType, type ColumnSchema, kindOf, type Value } from '../schema.ts';
import { emptyMap, mapOfKeysAndValues, mapOfStrings } from './column-map.ts';
import { rememberExactForm } from './exact-integers.ts';
import { Interner } from './interner.ts';
import { SharedKeys } from './shared-keys.ts';

/** Turns the wire form of one column (RFC 7047 section 5.1) into its value. Throws `OvsdbError` `protocol` on other JSON. */
export type Decode = (wire: unknown) => Value;

/** Thrown by a decoder given a number that `JSON.parse` may have rounded; the caller parses the text again, exactly. */
export class InexactInteger extends Error {}

/** What `read` gives; where `JSON.parse` rounded an integer, from a text parsed exactly. */
export function exactIfNeeded<T>(read: (isExact: boolean) => T): T {
  try {
    return read(false);
  } catch (error) {
    if (error instanceof InexactInteger) return read(true);
    throw error;
  }
}

export interface DecodeOptions {
  /** Integers of this column are bigints. */
  readonly bigint?: boolean;
  /** Told of an integer beyond 2^53 in a column of numbers; the value reads as NaN. */
  readonly onInexact?: (value: bigint) => void;
}

/**
 * The decoder of a column, for text parsed by `JSON.parse` or by `parseExactly`.
 *
 * Dispatch is on the schema, never on the shape: a set of one element arrives as the bare element, and the difference of
 * two sets likewise.
 */
export function decoderOf(column: ColumnSchema, options: DecodeOptions = {}): Decode {
  const key = atomDecoder(column.key.type, options);
  switch (kindOf(column)) {
    case 'scalar':
      return key;
    case 'optional':
      return (wire) => {
        const atoms = elements(wire, 'set');
        if (atoms === undefined) return key(wire);
        return atoms.length === 0 ? undefined : key(atoms[0]);
      };
    case 'set':
      return setDecoder(column.key.type, key, options);
    case 'map':
      return mapDecoder(column, key, atomDecoder(column.value?.type ?? 'string', options), options);
  }
}

/** The value a column has when an insert does not name it (RFC 7047 section 5.2.1). */
export function defaultOf(column: ColumnSchema, options: DecodeOptions = {}): Value {
  switch (kindOf(column)) {
    case 'scalar':
      return defaultAtom(column.key.type, options);
    case 'optional':
      return undefined;
    case 'set':
      return emptySet;
    case 'map':
      return emptyMap;
  }
}

export const zeroUuid = '00000000-0000-0000-0000-000000000000';
const emptySet: readonly Atom[] = Object.freeze([]);

function defaultAtom(type: AtomType, options: DecodeOptions): Atom {
  switch (type) {
    case 'integer':
      return options.bigint ? 0n : 0;
    case 'real':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return zeroUuid;
  }
}

function setDecoder(type: AtomType, key: (wire: unknown) => Atom, options: DecodeOptions): Decode {
  const decode = (wire: unknown) => {
    const atoms = elements(wire, 'set');
    if (atoms === undefined) return [key(wire)];
    return atoms.length === 0 ? emptySet : atoms.map(key);
  };
  if (type !== 'integer' || options.bigint) return decode;
  const exact = setDecoder(type, atomDecoder(type, { bigint: true }), { bigint: true });
  return (wire) => {
    const value = decode(wire);
    if (value.includes(Number.NaN)) rememberExactForm(value, exact(wire));
    return value;
  };
}

function mapDecoder(
  column: ColumnSchema,
  key: (wire: unknown) => Atom,
  value: (wire: unknown) => Atom,
  options: DecodeOptions,
): Decode {
  const hasIntegers = column.key.type === 'integer' || column.value?.type === 'integer';
  const mayBeInexact = hasIntegers && !options.bigint;
  const exact = mayBeInexact ? decoderOf(column, { bigint: true }) : undefined;
  const valueType = column.value?.type;
  const sharedKeys = new SharedKeys();
  return (wire: unknown) => {
    const pairs = elements(wire, 'map');
    if (pairs === undefined) throw new OvsdbError('protocol', `not a map: ${excerpt(wire)}`);
    if (pairs.length === 0) return emptyMap;
    const keys = sharedKeys.list(pairs.length, (index) => key(pairOf(pairs[index])[0]));
    const values: Atom[] = pairs.map((pair) => value(pairOf(pair)[1]));
    const map = isStrings(values, valueType) ? mapOfStrings(keys, values) : mapOfKeysAndValues(keys, values);
    if (mayBeInexact && (keys.includes(Number.NaN) || values.includes(Number.NaN))) {
      rememberExactForm(map, exact?.(wire));
    }
    return map;
  };
}

const isStrings = (values: readonly Atom[], type: AtomType | undefined): values is string[] =>
  (type === 'string' || type === 'uuid') && values.length > 0;

function pairOf(wire: unknown): readonly unknown[] {
  if (Array.isArray(wire)) return wire;
  throw new OvsdbError('protocol', `not a pair: ${excerpt(wire)}`);
}

function atomDecoder(type: AtomType, options: DecodeOptions): (wire: unknown) => Atom {
  switch (type) {
    case 'string': {
      const interner = new Interner();
      return (wire) => (typeof wire === 'string' ? interner.intern(wire) : notA(type, wire));
    }
    case 'boolean':
      return (wire) => (typeof wire === 'boolean' ? wire : notA(type, wire));
    case 'real':
      return (wire) => (typeof wire === 'number' || typeof wire === 'bigint' ? Number(wire) : notA(type, wire));
    case 'uuid': {
      const interner = new Interner();
      return (wire) =>
        Array.isArray(wire) && wire[0] === 'uuid' && typeof wire[1] === 'string'
          ? interner.intern(wire[1])
          : notA(type, wire);
    }
    case 'integer':
      return integerDecoder(options);
  }
}

function integerDecoder({ bigint, onInexact }: DecodeOptions): (wire: unknown) => Atom {
  return (wire) => {
    if (typeof wire === 'number') {
      // Whatever JSON.parse rounded is at or above 2^53, so this finds every loss.
      if (!Number.isSafeInteger(wire)) throw new InexactInteger();
      return bigint ? BigInt(wire) : wire;
    }
    if (typeof wire !== 'bigint') return notA('integer', wire);
    if (bigint) return wire;
    const number = Number(wire);
    if (Number.isSafeInteger(number)) return number;
    onInexact?.(wire);
    return Number.NaN;
  };
}

/** The elements of `["set", […]]` or `["map", […]]`; `undefined` for anything else. */
function elements(wire: unknown, tag: 'set' | 'map'): readonly unknown[] | undefined {
  return Array.isArray(wire) && wire[0] === tag && Array.isArray(wire[1]) ? wire[1] : undefined;
}

function notA(type: AtomType, wire: unknown): never {
  throw new OvsdbError('protocol', `not a ${type}: ${excerpt(wire)}`);
}

function excerpt(wire: unknown): string {
  return typeof wire === 'bigint' ? String(wire) : String(JSON.stringify(wire)).slice(0, 80);
}
