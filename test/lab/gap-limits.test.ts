import { expect, test } from 'vitest';
import { gapProblems } from '#test/lab/gap-limits.ts';

const nothingMoved = { bystanderGapMs: null, qemuDowntimeMs: null };

test('a guest that stays in place is out of reach for 50 ms at most', () => {
  expect(gapProblems('failed', { ...nothingMoved, longestGapMs: { v4: 50, v6: 12 } })).toEqual([]);
  expect(gapProblems('cancelled', { ...nothingMoved, longestGapMs: { v4: 50.6, v6: 12 } })).toEqual([
    'the observer saw a gap of 51 ms on v4, over 50 ms',
  ]);
});

test('what a bystander loses at the same time was the machine, but for the time between two pings', () => {
  const bystanderGapMs = { v4: 70, v6: 20 };
  expect(gapProblems('failed', { ...nothingMoved, bystanderGapMs, longestGapMs: { v4: 79, v6: 49 } })).toEqual([]);
  expect(gapProblems('failed', { ...nothingMoved, bystanderGapMs, longestGapMs: { v4: 81, v6: 55 } })).toEqual([
    'the observer saw a gap of 81 ms on v4, over 80 ms',
    'the observer saw a gap of 55 ms on v6, over 50 ms',
  ]);
});

test('a guest that moves may be out of reach for 500 ms more than QEMU had it stopped', () => {
  const moved = { bystanderGapMs: null, qemuDowntimeMs: 100 };
  expect(gapProblems('completed', { ...moved, longestGapMs: { v4: 600, v6: 601 } })).toEqual([
    'the observer saw a gap of 601 ms on v6, over 600 ms',
  ]);
});

test('a guest that is restarted is out of reach, and nothing is wrong with that', () => {
  expect(gapProblems('restarted', { ...nothingMoved, longestGapMs: { v4: 9000, v6: 9000 } })).toEqual([]);
});
