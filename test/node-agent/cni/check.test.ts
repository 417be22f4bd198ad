import { expect, test } from 'vitest';
import { nicDifference } from '#node-agent/cni/check.ts';

const wanted = { mac: '0a:58:0a:f4:00:05', addresses: ['10.244.0.5/16', 'fd00:10:244::5/64'] };
const shown = (changes: object = {}) =>
  JSON.stringify([
    {
      address: '0a:58:0a:f4:00:05',
      flags: ['BROADCAST', 'UP'],
      addr_info: [
        { local: '10.244.0.5', prefixlen: 16 },
        { local: 'fd00:10:244::5', prefixlen: 64 },
        { local: 'fe80::1', prefixlen: 64 },
      ],
      ...changes,
    },
  ]);

test('a NIC as ADD left it differs in nothing', () => {
  expect(nicDifference(wanted, shown())).toBeUndefined();
});

test.each([
  ['it is gone', '[]', 'is not there'],
  ['it is down', shown({ flags: ['BROADCAST'] }), 'is down'],
  [
    'an address is gone',
    shown({ addr_info: [{ local: '10.244.0.5', prefixlen: 16 }] }),
    'address fd00:10:244::5/64 is missing',
  ],
  [
    'it has another MAC',
    shown({ address: '0a:00:00:00:00:01' }),
    'its MAC is 0a:00:00:00:00:01, not 0a:58:0a:f4:00:05',
  ],
])('the first difference is named: %s', (_, output, difference) => {
  expect(nicDifference(wanted, output)).toBe(difference);
});

test("a launcher's NIC may have another MAC: virt-handler gives it one", () => {
  expect(nicDifference({ ...wanted, addresses: [] }, shown({ address: '0a:00:00:00:00:01' }))).toBeUndefined();
});
