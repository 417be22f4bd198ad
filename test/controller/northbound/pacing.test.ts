import { expect, test } from 'vitest';
import { Pacing } from '#controller/northbound/pacing.ts';

/** When the transactions begin for changes at these milliseconds, with replies after `replyMs`. */
function transactions(changes: readonly number[], replyMs: number): number[] {
  const pacing = new Pacing();
  const begun: number[] = [];
  let now = 0;
  let next = 0;
  while (next < changes.length) {
    now = Math.max(now, changes[next] ?? 0);
    now += pacing.waitMs(now);
    const first = next;
    while ((changes[next] ?? Number.POSITIVE_INFINITY) <= now) next += 1;
    pacing.began(now, next - first);
    begun.push(now);
    now += replyMs;
    pacing.ended(now, (changes[next] ?? Number.POSITIVE_INFINITY) <= now);
  }
  return begun;
}

const every = (ms: number, count: number) => Array.from({ length: count }, (_, n) => n * ms);

/** Gaps of a fifth to nine fifths of `ms`, in a fixed order without a pattern. */
function unevenly(ms: number, count: number): number[] {
  let at = 0;
  return Array.from({ length: count }, (_, n) => {
    at += ms * (0.2 + 1.6 * ((n * 0.618034) % 1));
    return at;
  });
}

test('who waits for each row before asking for the next never waits for anything else', () => {
  expect(transactions(every(2.5, 200), 2)).toEqual(every(2.5, 200));
});

test('1,000 pods at any pace a server has come to at most 50 transactions, the last 150 ms late', () => {
  for (const perSecond of [300, 400, 700, 1500]) {
    for (const replyMs of [1.5, 3]) {
      const pods = unevenly(1000 / perSecond, 1000);
      const begun = transactions(pods, replyMs);
      expect(begun.length, `${perSecond} pods/s, replies after ${replyMs} ms`).toBeLessThan(50);
      expect((begun.at(-1) ?? 0) - (pods.at(-1) ?? 0)).toBeLessThanOrEqual(150);
    }
  }
});

test('a lone change after a rush is written at once', () => {
  const rush = every(1, 500);
  expect(transactions([...rush, 2000, 2010], 3).slice(-2)).toEqual([2000, 2010]);
});
