import { describe, expect, test } from 'vitest';
import { map, optional, scalar, set } from '#ovsdb/column-types.ts';
import { OvsdbError } from '#ovsdb/errors.ts';
import type { ColumnSchema, Value } from '#ovsdb/schema.ts';
import { decoderOf, defaultOf } from '#ovsdb/value/decode.ts';
import { applyDifference, sameValue } from '#ovsdb/value/difference.ts';
import { encodeValue, type WritableValue } from '#ovsdb/value/encode.ts';
import { parseExactly } from '#ovsdb/value/exact-integers.ts';

const id = '0c9e1c53-1fbb-4f0d-9f63-6b5d1f8a1b60';
const decode = (column: ColumnSchema, wire: unknown) => decoderOf(column)(wire);
const plain = (value: Value) => (typeof value === 'object' && !Array.isArray(value) ? [...value] : value);

describe('decoding goes by the schema, never by the shape', () => {
  test.for<[string, ColumnSchema, unknown, unknown]>([
    ['a set of one is the bare element', set('string'), 'x', ['x']],
    ['a set of several is tagged', set('string'), ['set', ['x', 'y']], ['x', 'y']],
    ['an empty set is tagged', set('string'), ['set', []], []],
    ['a set whose only element is the string "set"', set('string'), 'set', ['set']],
    ['a set of one UUID', set('uuid'), ['uuid', id], [id]],
    ['a set of UUIDs', set('uuid'), ['set', [['uuid', id]]], [id]],
    ['a present optional', optional('string'), 'x', 'x'],
    ['an absent optional', optional('string'), ['set', []], undefined],
    ['a map', map('string', 'integer'), ['map', [['k', 1]]], [['k', 1]]],
    ['an integer written as a real', scalar('integer'), 3.0, 3],
    ['a boolean', scalar('boolean'), true, true],
  ])('%s', ([, column, wire, value]) => {
    expect(plain(decode(column, wire))).toEqual(value);
  });

  test.for<[string, ColumnSchema, unknown]>([
    ['null for a set', set('string'), null],
    ['an array that is no map', map('string', 'string'), []],
    ['a number for a string', scalar('string'), 1],
    ['a string for a UUID', scalar('uuid'), id],
    ['a pair that is none', map('string', 'string'), ['map', ['k']]],
  ])('%s is a protocol error', ([, column, wire]) => {
    expect(() => decode(column, wire)).toThrow(OvsdbError);
  });

  test('a column left out has the default of its type', () => {
    const columns = [scalar('integer'), scalar('real'), scalar('boolean'), scalar('string'), scalar('uuid')];
    expect(columns.map((column) => defaultOf(column))).toEqual([
      0,
      0,
      false,
      '',
      '00000000-0000-0000-0000-000000000000',
    ]);
    expect([optional('integer'), set('string')].map((column) => defaultOf(column))).toEqual([undefined, []]);
    expect(plain(defaultOf(map('string', 'string')))).toEqual([]);
  });
});

describe('integers beyond 2^53 are never silently wrong', () => {
  const text = '{"n":9223372036854775807,"m":["map",[["k",9007199254740993],["j",1]]],"r":1e300}';

  test('JSON.parse rounds them, and the decoder notices every one', () => {
    for (const rounded of ['9007199254740993', '-9007199254740993', '9223372036854775807', '9007199254740992']) {
      expect(() => decode(scalar('integer'), JSON.parse(rounded))).toThrow();
    }
  });

  test('parsed exactly, a column asked for as bigint has all 64 bits', () => {
    expect(parseExactly(text)).toMatchObject({ n: 9223372036854775807n, r: 1e300 });
    expect(decoderOf(scalar('integer'), { bigint: true })(9223372036854775807n)).toBe(9223372036854775807n);
    expect(decoderOf(scalar('integer'), { bigint: true })(5)).toBe(5n);
  });

  test('in a column of numbers one reads as NaN and is reported', () => {
    const told: bigint[] = [];
    const value = decoderOf(scalar('integer'), { onInexact: (exact) => told.push(exact) })(9223372036854775807n);
    expect([value, told]).toEqual([Number.NaN, [9223372036854775807n]]);
  });

  test('one that is a bigint is sent digit by digit', () => {
    expect(JSON.stringify(encodeValue(scalar('integer'), -9223372036854775808n))).toBe('-9223372036854775808');
    expect(JSON.stringify(encodeValue(set('integer'), [1, 9007199254740993n]))).toBe('["set",[1,9007199254740993]]');
  });

  test('2^63, 3.5 and a rounded number are refused before they are sent', () => {
    for (const value of [2n ** 63n, 3.5, 2 ** 53, Number.NaN]) {
      expect(() => encodeValue(scalar('integer'), value)).toThrow(/not an integer/);
    }
  });
});

describe('differences of update2 and update3', () => {
  const applied = (column: ColumnSchema, before: WritableValue, difference: unknown) =>
    plain(applyDifference(column, decode(column, encodeWire(column, before)), decode(column, difference)));
  const encodeWire = (column: ColumnSchema, value: WritableValue): unknown =>
    JSON.parse(JSON.stringify(encodeValue(column, value)));

  test('a scalar and an optional carry the new value whole', () => {
    expect(applied(scalar('integer'), 1, 2)).toBe(2);
    expect(applied(optional('string'), 'a', 'b')).toBe('b');
    expect(applied(optional('string'), 'a', ['set', []])).toBeUndefined();
  });

  test('a set carries what comes and what goes, even if its maximum is two', () => {
    expect(applied(set('string', { max: 2 }), ['one'], ['set', ['one', 'two']])).toEqual(['two']);
    expect(applied(set('string'), ['one', 'three'], 'two')).toEqual(['one', 'three', 'two']);
    expect(applied(set('string'), ['one'], 'one')).toEqual([]);
  });

  test('a map carries keys that come, change with the new value, or go with the value they have', () => {
    const difference = [
      'map',
      [
        ['same', 'v'],
        ['changed', 'w'],
        ['new', 'n'],
      ],
    ];
    expect(applied(map('string', 'string'), { same: 'v', changed: 'v', kept: 'k' }, difference)).toEqual([
      ['changed', 'w'],
      ['kept', 'k'],
      ['new', 'n'],
    ]);
  });

  test('a map that may have one entry carries the new value whole', () => {
    expect(applied(map('string', 'string', { max: 1 }), { k: 'v' }, ['map', [['j', 'w']]])).toEqual([['j', 'w']]);
  });

  test('a large set takes many small differences, each from the value before it', () => {
    const column = set('integer');
    let value: Value = decode(column, ['set', Array.from({ length: 1_000 }, (_, n) => n)]);
    const history = [value];
    for (let n = 0; n < 300; n++) {
      value = applyDifference(column, value, [n, 10_000 + n]);
      history.push(value);
    }
    expect(
      sameValue(value, [
        ...Array.from({ length: 700 }, (_, n) => n + 300),
        ...Array.from({ length: 300 }, (_, n) => n + 10_000),
      ]),
    ).toBe(true);
    // From an older value too, although the hash of its members has moved on.
    expect(
      sameValue(
        applyDifference(column, history[0], [0]),
        Array.from({ length: 999 }, (_, n) => n + 1),
      ),
    ).toBe(true);
  });

  test('equality of sets and maps knows no order', () => {
    expect(sameValue(['a', 'b'], ['b', 'a'])).toBe(true);
    expect(sameValue(['a', 'b'], ['b', 'c'])).toBe(false);
    const [one, other] = [
      { a: '1', b: '2' },
      { b: '2', a: '1' },
    ].map((value) => decode(map('string', 'string'), encodeWire(map('string', 'string'), value)));
    expect(sameValue(one, other)).toBe(true);
  });
});

describe('what would make the server drop the connection is refused here', () => {
  test.for<[string, ColumnSchema, WritableValue]>([
    ['a NUL', scalar('string'), 'a\0b'],
    ['a lone surrogate', scalar('string'), 'a\ud800'],
    ['a lone surrogate in a key', map('string', 'string'), { '\udc00': 'v' }],
    ['infinity', scalar('real'), Number.POSITIVE_INFINITY],
    ['a subnormal real', scalar('real'), 5e-324],
    ['not a number', scalar('real'), Number.NaN],
    ['a UUID that is none', scalar('uuid'), 'x'],
    ['a named UUID that is no <id>', scalar('uuid'), { named: 'a-b' }],
    ['nothing for a scalar', scalar('string'), undefined],
  ])('%s', ([, column, value]) => {
    expect(() => encodeValue(column, value)).toThrow(OvsdbError);
  });

  test('other control characters, U+2028, a byte order mark and DEL are fine', () => {
    expect(encodeValue(scalar('string'), '\u0001\u2028\ufeff\u007f😀')).toBe('\u0001\u2028\ufeff\u007f😀');
  });

  test('duplicates, which the server refuses, are sent once', () => {
    expect(encodeValue(set('string'), ['a', 'b', 'a'])).toEqual(['set', ['a', 'b']]);
  });

  test("a map may be given as an object, a Map or a row's own value", () => {
    const wire = ['map', [['k', 'v']]];
    const column = map('string', 'string');
    expect([{ k: 'v' }, new Map([['k', 'v']])].map((value) => encodeValue(column, value))).toEqual([wire, wire]);
    const own = decode(column, wire);
    expect(
      encodeValue(column, typeof own === 'object' && !Array.isArray(own) ? new Map([...own.entries()]) : {}),
    ).toEqual(wire);
    expect(encodeValue(map('integer', 'uuid'), { 7: id })).toEqual(['map', [[7, ['uuid', id]]]]);
  });
});
