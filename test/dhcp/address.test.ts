import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { addressBytes, addressFromBytes } from '#dhcp/address.ts';

test('an IPv6 address is the same 16 bytes however it is spelt', () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, (parts) => {
      const address = new ipaddr.IPv6(parts);
      const bytes = Uint8Array.from(address.toByteArray());
      for (const text of [address.toRFC5952String(), address.toNormalizedString(), address.toString().toUpperCase()]) {
        expect(addressBytes(text), text).toEqual(bytes);
      }
      expect(addressFromBytes(bytes)).toBe(address.toRFC5952String());
    }),
    { numRuns: 2000 },
  );
});

test.each(['::', '::1', 'fe80::', '1::8', '::ffff:192.0.2.1', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8'])('%s', (text) => {
  expect(addressBytes(text)).toEqual(Uint8Array.from(ipaddr.parse(text).toByteArray()));
});

test('an IPv4 address is four bytes', () => {
  expect(addressBytes('10.0.255.7')).toEqual(Uint8Array.of(10, 0, 255, 7));
});
