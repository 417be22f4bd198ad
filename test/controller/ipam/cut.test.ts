import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cidr, contains, formatAddress, formatCidr, parseAddress, parseCidr } from '#controller/ipam/address.ts';
import { cut, segmentOf, sliceOf } from '#controller/ipam/cut.ts';

const cidrs = (...texts: string[]): readonly Cidr[] =>
  texts.flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr === undefined ? [] : [cidr];
  });
const slices = (bits: number, texts: readonly string[], options = {}) =>
  cut(cidrs(...texts), bits, options).map((one) => {
    const [first, last] = [sliceOf(one, one.firstSegment), sliceOf(one, one.firstSegment + one.segments - 1)];
    return [one.segments, first && formatCidr(first), last && formatCidr(last)];
  });

describe('a network is cut into segments', () => {
  test('of so many IPv4 addresses, and its IPv6 subnet into as many', () => {
    expect(slices(12, ['10.244.0.0/16', 'fd00:10:244::/64'])).toEqual([
      [16, '10.244.0.0/20', '10.244.240.0/20'],
      [16, 'fd00:10:244::/68', 'fd00:10:244:0:f000::/68'],
    ]);
    expect(slices(12, ['10.0.0.0/8'])).toEqual([[4096, '10.0.0.0/20', '10.255.240.0/20']]);
  });

  test('unless it is small', () => {
    expect(slices(15, ['10.0.0.0/17', 'fd00::/64'])).toEqual([
      [1, '10.0.0.0/17', '10.0.0.0/17'],
      [1, 'fd00::/64', 'fd00::/64'],
    ]);
  });

  test('with 64 bits left where guests form their addresses themselves', () => {
    expect(slices(12, ['10.244.0.0/16', 'fd00::/62'], { keepsSixtyFour: true })).toEqual([
      [4, '10.244.0.0/18', '10.244.192.0/18'],
      [4, 'fd00::/64', 'fd00:0:0:3::/64'],
    ]);
  });
});

test('every address of a subnet is in the slice of its segment and of no other', () => {
  const [v4, v6] = cidrs('10.16.0.0/12', 'fd00::/64');
  if (v4 === undefined || v6 === undefined) throw new Error('not CIDRs');
  const cuts = cut([v4, v6], 12, { firstSegment: 3 });
  fc.assert(
    fc.property(fc.constantFrom(v4, v6), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (cidr, n) => {
      const address = { family: cidr.family, value: cidr.first + (n % cidr.size) };
      const segment = segmentOf(cuts, address);
      const own = cuts.find((one) => one.cidr === cidr);
      const slice = own && segment !== undefined ? sliceOf(own, segment) : undefined;
      expect(slice && contains(slice, address)).toBe(true);
    }),
  );
  expect(segmentOf(cuts, parseAddress('10.32.0.0') ?? { family: 4, value: 0n })).toBeUndefined();
});

test('IPv4 is written as it is read', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (number) => {
      const text = formatAddress({ family: 4, value: BigInt(number) });
      expect(parseAddress(text)).toEqual({ family: 4, value: BigInt(number) });
    }),
  );
  for (const text of ['010.0.0.1', '10.1', '256.0.0.1', '10.0.0.1 ', '']) expect(parseAddress(text)).toBeUndefined();
});
