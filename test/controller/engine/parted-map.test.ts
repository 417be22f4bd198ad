import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartedMap, PartedSet, wholeSize } from '#controller/engine/parted-map.ts';

test('it holds what a map holds, whatever is put in and taken out, as large as it gets', () => {
  const change = fc.record({
    number: fc.nat(3 * wholeSize),
    count: fc.integer({ min: 1, max: wholeSize }),
    put: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const [parted, map] = [new PartedMap<number>(), new Map<string, number>()];
      changes.forEach(({ number, count, put }, step) => {
        for (let i = number; i < number + count; i += 1) {
          const key = `vm/team-${i % 7}/db-${i}.default`;
          if (put) {
            parted.set(key, step);
            map.set(key, step);
          } else expect(parted.delete(key)).toBe(map.delete(key));
        }
      });
      expect(parted.size).toBe(map.size);
      expect(new Map(parted)).toEqual(map);
      for (const [key, value] of map) if (parted.get(key) !== value || !parted.has(key)) expect.fail(key);
    }),
    { numRuns: 50, seed: 1 },
  );
});

test('keys that count up, before whatever ending, are spread evenly', () => {
  for (const ending of ['', '.default', '/eth1', '-virt-launcher']) {
    const parted = new PartedMap<number>();
    for (let i = 0; i < 100_000; i += 1) parted.set(`pod/team-${i % 100}/web-${i}${ending}`, i);
    expect(Math.max(...parted.partSizes)).toBeLessThan(2500);
  }
});

test('what comes into a set while it is looked through is not lost', () => {
  const set = new PartedSet();
  for (let i = 0; i < 2 * wholeSize; i += 1) set.add(`nic-${i}`);
  for (const member of set) {
    set.delete(member);
    if (member.startsWith('nic-')) set.add(member.slice('nic-'.length));
  }
  for (const member of set) set.delete(member);
  expect(set.size).toBe(0);
});
