import { expect, test } from 'vitest';
import { chassisInTheWay } from '#node-agent/former-chassis.ts';

const renamed = { nodeName: 'node-z', isRegistered: false, isOurAddress: true, holders: ['node-a'] };

test('another chassis with our tunnel address is in the way', () => {
  expect(chassisInTheWay(renamed)).toBe('node-a');
});

test.each([
  ['our chassis is registered', { isRegistered: true }],
  ['the address is not on this host', { isOurAddress: false }],
  ['it is ours', { holders: ['node-z'] }],
  ['nobody has the address', { holders: [] }],
])('none is when %s', (_, change) => {
  expect(chassisInTheWay({ ...renamed, ...change })).toBeUndefined();
});
