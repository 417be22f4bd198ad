import { expect, test } from 'vitest';
import { claimName } from '#controller/features/claim-name.ts';

test('a claim is called for VM and network, as the ecosystem does', () => {
  expect(claimName('db.one', 'default')).toBe('db.one.default');
});

test('what no object may be called is made a name, of each its own', () => {
  const name = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  const long = 'v'.repeat(250);
  const names = [
    claimName('db', 'my_net'),
    claimName('db', 'My-Net'),
    claimName('db', 'my-net'),
    claimName(long, 'default'),
  ];
  for (const one of names) {
    expect(one).toMatch(name);
    expect(one.length).toBeLessThanOrEqual(253);
  }
  expect(new Set(names).size).toBe(names.length);
});
