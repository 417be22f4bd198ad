import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, macOf, parseAddress, parseCidr } from '#controller/ipam/address.ts';
import { AddressPool } from '#controller/ipam/address-pool.ts';
import { IndexPool } from '#controller/ipam/index-pool.ts';

function address(text: string) {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is not an address`);
  return parsed;
}

function pool(cidr: string, excluded: readonly string[] = []) {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) throw new Error(`${cidr} is not a CIDR`);
  return new AddressPool(
    parsed,
    excluded.map((text) => ({ first: address(text).value, last: address(text).value })),
  );
}

const next = (from: AddressPool, owner: string) => {
  const given = from.takeNext(owner);
  return given && formatAddress(given);
};

describe('addresses', () => {
  test('are read in the spellings Kubernetes uses and written in that of RFC 5952', () => {
    expect(formatAddress(address('fd00:0:0:0::0A'))).toBe('fd00::a');
    expect(formatAddress(address('10.244.0.5'))).toBe('10.244.0.5');
    for (const bad of ['10.244.1', '0x0a000001', 'fe80::1%eth0', '', '10.0.0.256'])
      expect(parseAddress(bad)).toBeUndefined();
    for (const bad of ['10.0.0.0/33', '10.0.0.0', '10.0.0.0/', '10.0.0.0/8/8', 'fd00::/129'])
      expect(parseCidr(bad)).toBeUndefined();
  });

  test('make a MAC of their own in either family', () => {
    expect(macOf(address('10.244.0.5'))).toBe('0a:58:0a:f4:00:05');
    expect(macOf(address('fd00::1:2:3'))).toBe('0a:59:00:02:00:03');
  });
});

describe('a pool', () => {
  test('never gives the network, broadcast or an excluded address', () => {
    const small = pool('10.0.0.0/29', ['10.0.0.1']);
    const given = Array.from({ length: 6 }, (_, i) => next(small, `p${i}`));
    expect(given).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', undefined]);
  });

  test('gives a released address again only after all others', () => {
    const small = pool('10.0.0.0/29', ['10.0.0.1']);
    const first = small.takeNext('a');
    if (first === undefined) throw new Error('the pool is empty');
    small.release(first, 'a');
    expect(next(small, 'b')).toBe('10.0.0.3');
  });

  test('gives an address that is asked for to one owner only', () => {
    const large = pool('fd00::/64');
    const far = address('fd00::dead:beef:0:1');
    expect(large.take(far, 'a')).toBe(true);
    expect(large.take(far, 'a')).toBe(true);
    expect(large.take(far, 'b')).toBe(false);
    large.release(far, 'b');
    expect(large.ownerOf(far.value)).toBe('a');
    large.release(far, 'a');
    expect(large.take(far, 'b')).toBe(true);
    expect(large.take(address('fd01::1'), 'b')).toBe(false);
  });

  test('does not put an excluded address back on offer when its owner gives it back', () => {
    const small = pool('10.0.0.0/30', ['10.0.0.1']);
    const excluded = address('10.0.0.1');
    expect(small.take(excluded, 'a')).toBe(true);
    small.release(excluded, 'a');
    expect(next(small, 'b')).toBe('10.0.0.2');
    expect(next(small, 'c')).toBeUndefined();
  });
});

test('an index pool behaves as a set of free numbers', () => {
  const command = fc.oneof(
    fc.record({ op: fc.constant('take' as const), index: fc.integer({ min: -1, max: 2100 }) }),
    fc.record({ op: fc.constant('release' as const), index: fc.integer({ min: 0, max: 2100 }) }),
    fc.record({ op: fc.constant('next' as const), index: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2100 }), fc.array(command, { maxLength: 300 }), (capacity, commands) => {
      const indexes = new IndexPool(capacity);
      const model = new Set<number>();
      for (const { op, index } of commands) {
        if (op === 'take') {
          const free = index >= 0 && index < capacity && !model.has(index);
          expect(indexes.take(index)).toBe(free);
          if (free) model.add(index);
        } else if (op === 'release') {
          indexes.release(index);
          model.delete(index);
        } else {
          const given = indexes.takeNext();
          expect(given === undefined).toBe(model.size === capacity);
          if (given !== undefined) {
            expect(model.has(given)).toBe(false);
            model.add(given);
          }
        }
        expect(indexes.taken).toBe(model.size);
      }
      for (let index = 0; index < capacity; index += 1) expect(indexes.isTaken(index)).toBe(model.has(index));
    }),
    { numRuns: 200 },
  );
});

test('a full /12 is found full and its last free address is found', () => {
  const indexes = new IndexPool(2 ** 20);
  for (let i = 0; i < 2 ** 20; i += 1) indexes.take(i);
  expect(indexes.takeNext()).toBeUndefined();
  indexes.release(777_777);
  expect(indexes.takeNext()).toBe(777_777);
});

describe('however full a /12 or a /64 is, an address is found in at most twelve looks', () => {
  /** Of a /64 as many are given without being asked for as a /12 has. */
  const capacity = 2 ** 20;

  function mostLooks(indexes: IndexPool, times: number, step: (i: number) => void): number {
    let most = 0;
    for (let i = 0; i < times; i += 1) {
      const before = indexes.looks;
      step(i);
      most = Math.max(most, indexes.looks - before);
    }
    return most;
  }

  test('from the first to the last one, mostly in one', () => {
    const indexes = new IndexPool(capacity);
    expect(mostLooks(indexes, capacity, () => indexes.takeNext())).toBeLessThanOrEqual(12);
    expect(indexes.free).toBe(0);
    expect(indexes.looks / capacity).toBeLessThan(1.3);
  });

  test.each([1, 2, 1000, capacity / 2])('as addresses come and go when %d are free', (free) => {
    const indexes = new IndexPool(capacity);
    for (let i = free; i < capacity; i += 1) indexes.take(i);
    const looks = mostLooks(indexes, 100_000, (i) => {
      indexes.release((i * 7919) % capacity);
      indexes.takeNext();
    });
    expect(looks).toBeLessThanOrEqual(12);
  });
});

test('half of a /12 is excluded', () => {
  const parsed = parseCidr('10.0.0.0/12');
  if (parsed === undefined) throw new Error('not a CIDR');
  const half = new AddressPool(parsed, [{ first: parsed.first, last: parsed.first + 2n ** 19n - 1n }]);
  expect(half.free).toBe(2 ** 19 - 1);
  expect(next(half, 'a')).toBe('10.8.0.0');
});
