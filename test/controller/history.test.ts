import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Bucket } from '#controller/engine/table-index.ts';
import { NetworkPools } from '#controller/ipam/network-pools.ts';
import type { Replay } from '#controller/replay/replay.ts';
import { History, type Step } from './history.ts';
import { freshReplay } from './recordings.ts';
import { anyStep } from './steps.ts';

/** `HISTORIES=1000000 HISTORY_SEED=$RANDOM npx vitest run test/controller/history.test.ts` for a longer run over others. */
const histories = Number(process.env.HISTORIES ?? 10_000);
const seed = Number(process.env.HISTORY_SEED ?? 1);

async function live(steps: readonly Step[], makeReplay: () => Replay = freshReplay): Promise<void> {
  const history = await History.begin(makeReplay);
  for (const step of steps) await history.step(step);
  await history.checkFixedPoint();
  await history.checkNothingIsLeft();
  await history.end();
}

test(
  'after any history the database is what a fresh start makes, a recompute writes nothing, and removing all leaves nothing',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), (steps) => live(steps)),
      { numRuns: histories, seed },
    );
    expect(histories).toBeGreaterThan(0);
  },
  histories * 60,
);

describe('such histories find', { timeout: 60_000 }, () => {
  afterEach(() => vi.restoreAllMocks());

  async function caught(makeReplay: () => Replay): Promise<string> {
    const property = fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), (steps) => live(steps, makeReplay));
    const { failed, errorInstance } = await fc.check(property, { numRuns: 3000, seed, endOnFailure: true });
    expect(failed).toBe(true);
    return String(errorInstance);
  }

  test('a dependency that is not tracked', async () => {
    vi.spyOn(Bucket.prototype, 'enter').mockReturnValue();
    expect(await caught(freshReplay)).toMatch(/rows after a fresh start|operations of a recompute/);
  });

  test('a wrong precedence', async () => {
    const levelling = () => {
      const replay = freshReplay();
      const { board } = replay.core.engine;
      const say = board.say.bind(board);
      board.say = (owner, fact) => say(owner, fact.kind === 'cell' ? { ...fact, precedence: 0 } : fact);
      return replay;
    };
    expect(await caught(levelling)).toContain('requested-chassis');
  });

  test('an address that is not given back', async () => {
    vi.spyOn(NetworkPools.prototype, 'release').mockReturnValue(false);
    expect(await caught(freshReplay)).toContain('addresses in use');
  });
});
