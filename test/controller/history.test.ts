import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Bucket } from '#controller/engine/table-index.ts';
import { NetworkPools } from '#controller/ipam/network-pools.ts';
import type { Replay } from '#controller/replay/replay.ts';
import { History, replayOfTwoSegments, type Step } from './history.ts';
import { anyHistory } from './steps.ts';

/** `HISTORIES=1000000 HISTORY_SEED=$RANDOM npx vitest run test/controller/history.test.ts` for a longer run over others. */
const histories = Number(process.env.HISTORIES ?? 10_000);
const seed = Number(process.env.HISTORY_SEED ?? 1);

/** What a run has to have seen (`History.seen`): conditions told of, what there was, and what happened to a cluster with something in it. */
const everything = [
  ...['AddressConflict', 'AddressesExhausted', 'MacConflict', 'AddressesReady', 'NetworkReady', 'Ready'],
  ...['a port of a pod', 'a port of a vm', 'a port of a node', 'a port of a network', 'another network', 'a policy'],
  ...['a migration', 'two claims for one address', 'a row that is refused'],
  ...['a further NIC of a pod', 'a further NIC of a vm', 'a claim that is let go'],
  ...['restart', 'recompute', 'loseDatabase', 'backup', 'restoreBackup', 'dropRow', 'editPort', 'squat', 'leave'],
  ...['refused', 'lostBefore', 'lostAfter'],
];

async function live(
  steps: readonly Step[],
  makeReplay: () => Replay = replayOfTwoSegments,
): Promise<ReadonlySet<string>> {
  const history = await History.begin(makeReplay);
  for (const step of steps) await history.step(step);
  await history.checkFixedPoint();
  await history.checkNothingIsLeft();
  await history.end();
  return history.seen;
}

test(
  'after any history the database is what a fresh start makes, a recompute writes nothing, and removing all leaves nothing',
  async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(anyHistory, async (steps) => {
        for (const what of await live(steps)) seen.set(what, (seen.get(what) ?? 0) + 1);
      }),
      { numRuns: histories, seed },
    );
    // Every kind of trouble has come about often enough to say something of it.
    const seldom = [...everything].filter((what) => (seen.get(what) ?? 0) < histories / 200);
    expect(seldom).toEqual([]);
  },
  histories * 60,
);

describe('such histories find', { timeout: 60_000 }, () => {
  afterEach(() => vi.restoreAllMocks());

  async function caught(makeReplay: () => Replay): Promise<string> {
    const property = fc.asyncProperty(anyHistory, async (steps) => void (await live(steps, makeReplay)));
    const { failed, errorInstance } = await fc.check(property, { numRuns: 3000, seed, endOnFailure: true });
    expect(failed).toBe(true);
    return String(errorInstance);
  }

  test('a dependency that is not tracked', async () => {
    vi.spyOn(Bucket.prototype, 'enter').mockReturnValue();
    expect(await caught(replayOfTwoSegments)).toMatch(
      /rows after a fresh start|operations of a recompute|requested-chassis/,
    );
  });

  test('a wrong precedence', async () => {
    const levelling = () => {
      const replay = replayOfTwoSegments();
      const { board } = replay.core.engine;
      const say = board.say.bind(board);
      board.say = (owner, fact) => say(owner, fact.kind === 'cell' ? { ...fact, precedence: 0 } : fact);
      return replay;
    };
    expect(await caught(levelling)).toContain('requested-chassis');
  });

  test('an address that is not given back', async () => {
    vi.spyOn(NetworkPools.prototype, 'release').mockReturnValue(false);
    expect(await caught(replayOfTwoSegments)).toMatch(/addresses in use|rows after a fresh start/);
  });
});
