import { expect, test } from 'vitest';
import { GuestBook } from '#dhcp/guests.ts';
import { advertisementOf } from '#dhcp/server/advertisement.ts';
import { type Clock, routerAdvertiser } from '#dhcp/server/router-advertiser.ts';
import { segmentServer } from '#dhcp/server/segment-server.ts';
import { Counter } from '#dhcp/server/tally.ts';
import { fromHex } from '#dhcp/wire/bytes.ts';
import { decodeRouterAdvertisement, encodeRouterAdvertisement } from '#dhcp/wire/router-advertisement.ts';
import { guest, linkLocalA, macA, segment } from './packets.ts';

/** Time that passes only when told to. */
function manualClock(random = 0.5) {
  let nowMs = 0;
  let timers: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    random: () => random,
    after(delayMs, run) {
      const timer = { at: nowMs + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  const passMs = (ms: number): void => {
    const end = nowMs + ms;
    for (;;) {
      const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers = timers.filter((other) => other !== next);
      nowMs = next.at;
      next.run();
    }
    nowMs = end;
  };
  return { clock, passMs };
}

function advertising(settings = {}) {
  const { clock, passMs } = manualClock();
  const sent: string[] = [];
  const advertiser = routerAdvertiser(segment, { settings, isRouter: true }, clock, new Counter(), (_message, to) => {
    sent.push(`${clock.nowMs()} ${to?.address ?? 'all'}`);
  });
  return { advertiser, passMs, sent };
}

test('three advertisements come quickly, then one at each interval', () => {
  const { passMs, sent } = advertising({ ra: { maxIntervalSeconds: 100, minIntervalSeconds: 50 } });
  passMs(200_000);
  expect(sent).toEqual(['0 all', '16000 all', '32000 all', '107000 all', '182000 all']);
});

test('a solicitation with a source is answered alone and at once, five times a second at most', () => {
  const { advertiser, passMs, sent } = advertising();
  passMs(1000);
  for (let i = 0; i < 9; i++) advertiser.solicited({ mac: macA, address: linkLocalA, port: 0 });
  passMs(1000);
  advertiser.solicited({ mac: macA, address: linkLocalA, port: 0 });
  expect(sent).toEqual(['0 all', ...Array(5).fill(`1000 ${linkLocalA}`), `2000 ${linkLocalA}`]);
});

test('solicitations without a source share one advertisement, three seconds after the last at the earliest', () => {
  const { advertiser, passMs, sent } = advertising();
  passMs(1000);
  for (let i = 0; i < 100; i++) advertiser.solicited({ mac: macA, address: '::', port: 0 });
  passMs(3000);
  for (let i = 0; i < 100; i++) advertiser.solicited({ mac: macA, address: '::', port: 0 });
  passMs(4000);
  expect(sent).toEqual(['0 all', '3000 all', '6000 all']);
});

test('nothing more is sent once stopped', () => {
  const { advertiser, passMs, sent } = advertising();
  passMs(100);
  advertiser.stop();
  passMs(1_000_000);
  expect(sent).toEqual(['0 all']);
});

test('the mode drives M, O and A together', () => {
  const flags = (['stateful', 'stateless', 'slaac'] as const).map((mode) => {
    const ra = advertisementOf({ ra: { mode } }, segment, true);
    return [ra.managed, ra.other, ra.prefixes[0]?.autonomous, ra.prefixes[0]?.onLink];
  });
  expect(flags).toEqual([
    [true, true, false, true],
    [false, true, true, true],
    [false, false, true, true],
  ]);
});

test('every setting is in the advertisement and survives the wire', () => {
  const settings = {
    dns: { servers: ['fd00::53', 'fd00::54', '10.0.0.53'], search: ['example.com', 'b.org'] },
    mtu: 1300,
    routes: [{ to: 'fd0a::/48', via: 'fd77::1' }],
    captivePortal: 'https://p.example/',
    ra: {
      mode: 'stateless' as const,
      preference: 'high' as const,
      routerLifetimeSeconds: 900,
      prefixValidSeconds: 1000,
      prefixPreferredSeconds: 500,
      deprecatedPrefixes: ['fd66::/64'],
      routes: [{ prefix: 'fd0b::/64', preference: 'low' as const, lifetimeSeconds: 60 }],
      dnsLifetimeSeconds: 120,
      pref64: '64:ff9b::/96',
      maxIntervalSeconds: 100,
    },
  };
  const advertisement = advertisementOf(settings, segment, true);
  const onLink = { length: 64, onLink: true, autonomous: true, validSeconds: 1000 };
  expect(advertisement).toEqual({
    hopLimit: 64,
    managed: false,
    other: true,
    preference: 'high',
    routerLifetimeSeconds: 900,
    mtu: 1300,
    prefixes: [
      { address: 'fd77::', ...onLink, preferredSeconds: 500 },
      { address: 'fd66::', ...onLink, preferredSeconds: 0 },
    ],
    routes: [
      { address: 'fd0b::', length: 64, preference: 'low', lifetimeSeconds: 60 },
      { address: 'fd0a::', length: 48, preference: 'medium', lifetimeSeconds: 0xffff_ffff },
    ],
    dns: { servers: ['fd00::53', 'fd00::54'], search: ['example.com', 'b.org'], lifetimeSeconds: 120 },
    pref64: { address: '64:ff9b::', length: 96, lifetimeSeconds: 300 },
    captivePortal: 'https://p.example/',
  });
  const decoded = decodeRouterAdvertisement(encodeRouterAdvertisement(advertisement));
  expect(decoded).toEqual({ ...advertisement, pref64: { address: '64:ff9b::', length: 96, lifetimeSeconds: 304 } });
});

test('a supplement in our own name makes no router and gives no routes', () => {
  const ra = advertisementOf({ ra: { routes: [{ prefix: 'fd0b::/64' }] } }, segment, false);
  expect([ra.routerLifetimeSeconds, ra.routes]).toEqual([0, []]);
});

test.each<[string, string, string, number, boolean | string]>([
  ['a solicitation of our guest', '8500000000000000', linkLocalA, 255, true],
  ['one with its source address', '85000000000000000101525400000000', linkLocalA, 255, true],
  ['one without a source', '8500000000000000', '::', 255, true],
  ['one from beyond a router', '8500000000000000', linkLocalA, 254, 'ra.malformed.badHopLimit'],
  ['one with a code', '8501000000000000', linkLocalA, 255, 'ra.malformed.badCode'],
  ['one cut short', '85000000000000', linkLocalA, 255, 'ra.malformed.tooShort'],
  ['an option of length zero', '85000000000000000100525400000000', linkLocalA, 255, 'ra.malformed.badOptionLength'],
  ['an option past the end', '85000000000000000102525400000000', linkLocalA, 255, 'ra.malformed.badOptionLength'],
  ['a source address without a source', '85000000000000000101525400000000', '::', 255, 'ra.malformed.badSource'],
])('%s', (_what, hex, address, hopLimit, expected) => {
  const counter = new Counter();
  const server = segmentServer(segment, new GuestBook([guest()]), counter);
  const isAnswered = server.solicitation(fromHex(hex), { mac: macA, address, port: 0, hopLimit });
  expect(isAnswered || [...counter.tally.keys()][0]).toBe(expected);
});

test('a solicitation of a stranger is not answered', () => {
  const server = segmentServer(segment, new GuestBook([guest()]), new Counter());
  const sender = { mac: '02:00:00:00:00:01', address: 'fe80::1', port: 0, hopLimit: 255 };
  expect(server.solicitation(fromHex('8500000000000000'), sender)).toBe(false);
});
