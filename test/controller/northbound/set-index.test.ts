import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SetIndex } from '#controller/northbound/set-index.ts';

const set = { table: 'Port_Group', uuid: 'web', column: 'ports' };
const value = fc.uniqueArray(fc.constantFrom<string>(...'abcdefg'));

test('what came into a set and what went is told, in whatever order its entries are', () => {
  fc.assert(
    fc.property(value, value, (before, after) => {
      const index = new SetIndex();
      index.change(set, undefined, before);
      const { come, gone } = index.change(set, before, after);
      expect(come).toEqual(after.filter((entry) => !before.includes(entry)));
      expect(gone).toEqual(before.filter((entry) => !after.includes(entry)));
      for (const entry of 'abcdefg') {
        expect(index.has(set, entry)).toBe(after.includes(entry));
        expect(index.of(entry)).toEqual(after.includes(entry) ? [set] : []);
      }
    }),
    { numRuns: 1000 },
  );
});

test('an entry is known in every set that it is in', () => {
  const index = new SetIndex();
  const other = { ...set, uuid: 'db' };
  index.change(set, undefined, ['a', 'b']);
  index.change(other, undefined, ['b']);
  expect(index.of('b')).toEqual([set, other]);
  index.change(set, ['a', 'b'], ['a']);
  expect(index.of('b')).toEqual([other]);
});
