import { expect, test } from 'vitest';
import { lackOf } from './requirements.ts';

const debian = { platform: 'linux', uid: 0, hasApt: true, hasTun: true };

test('a Debian machine, as root, with /dev/net/tun lacks nothing', () => {
  expect(lackOf(debian)).toBeUndefined();
});

test.each([
  { what: 'another system', machine: { ...debian, platform: 'darwin', hasApt: false }, says: 'Run it in a Debian VM' },
  { what: 'another Linux', machine: { ...debian, hasApt: false }, says: 'Run it on Debian 12 or 13' },
  { what: 'another user', machine: { ...debian, uid: 1000 }, says: 'Run it with sudo' },
  { what: 'no tun device', machine: { ...debian, hasTun: false }, says: 'modprobe tun' },
])('$what is told what to do, in one line', ({ machine, says }) => {
  const lack = lackOf(machine);
  expect(lack).toContain(says);
  expect(lack).not.toContain('\n');
});
