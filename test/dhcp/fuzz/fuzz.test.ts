import { expect, test } from 'vitest';
import { GuestBook } from '#dhcp/guests.ts';
import { segmentServer } from '#dhcp/server/segment-server.ts';
import { Counter } from '#dhcp/server/tally.ts';
import { guest, macA, segment } from '../server/packets.ts';
import { Coverage } from './coverage.ts';
import { type FuzzTarget, fuzz } from './coverage-guided.ts';
import { fuzzTarget } from './run.ts';
import { type FuzzTargetName, fuzzTargets } from './targets.ts';
import { threeGates } from './three-gates.ts';

// 1,120,000 inputs; `node test/dhcp/fuzz/main.ts` for more.

test.each<[FuzzTargetName, number]>([
  ['dhcpv4', 400_000],
  ['dhcpv6', 400_000],
  ['neighbourDiscovery', 200_000],
  ['frames', 120_000],
])('%s: %d inputs make nothing throw, hang, grow or change a binding', { timeout: 180_000 }, async (target, inputs) => {
  const result = await fuzzTarget(target, { inputs, seed: 1 });
  expect(result.inputs).toBe(inputs);
  expect(result.kept).toBeGreaterThan(0);
  expect(result.covered).toBeGreaterThan(result.coveredBySeeds);
  expect(result.slowestMs).toBeLessThan(1000);
});

test('an input that reaches new code is kept and built upon: a gate behind a gate behind a gate is opened', () => {
  const coverage = new Coverage((url) => url.endsWith('/three-gates.ts'));
  const opened: Uint8Array[] = [];
  const target: FuzzTarget = {
    seeds: [new Uint8Array(3)],
    feed: (input) => {
      if (threeGates(input) === 3) opened.push(input);
    },
  };
  fuzz(target, { inputs: 60_000, seed: 1, coverage, onInput: () => {} });
  coverage.close();
  expect(opened).not.toEqual([]);
});

test('every prefix of every seed is refused or answered, never thrown at', () => {
  const server = segmentServer(segment, new GuestBook([guest()]), new Counter());
  const way = { sendDhcpv4(): void {}, sendDhcpv6(): void {} };
  let tried = 0;
  for (const seed of [...fuzzTargets.dhcpv4().seeds, ...fuzzTargets.dhcpv6().seeds]) {
    for (let length = 0; length <= seed.length; length++) {
      server.dhcpv4(seed.subarray(0, length), { mac: macA, address: '0.0.0.0', port: 68 }, way);
      server.dhcpv6(seed.subarray(0, length), { mac: macA, address: 'fd77::9', port: 546 }, way);
      tried++;
    }
  }
  expect(tried).toBeGreaterThan(2000);
});
