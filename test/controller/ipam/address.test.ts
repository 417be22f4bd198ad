import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '#controller/ipam/address.ts';

const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 });

test('an IPv6 address is read and written as ipaddr.js does it, shortened or in full', () => {
  fc.assert(
    fc.property(groups, (parts) => {
      const library = new ipaddr.IPv6(parts);
      const address = parseAddress(library.toNormalizedString());
      expect(parseAddress(library.toRFC5952String())).toEqual(address);
      expect(address && formatAddress(address)).toBe(library.toRFC5952String());
      expect(parseAddress(library.toRFC5952String())).toEqual(address);
    }),
  );
});

test('what only looks like an IPv6 address is none', () => {
  const texts = [
    ':',
    ':::',
    '1:2',
    '1::2::3',
    '1:::2',
    ':1::2',
    '1::2:',
    'g::',
    '::12345',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
  ];
  expect(texts.filter((text) => parseAddress(text) !== undefined)).toEqual([]);
});

test('an IPv4 address within IPv6 is understood', () => {
  expect(parseAddress('::ffff:10.1.2.3')).toEqual({ family: 6, value: 0xffff_0a01_0203n });
});
