import { afterEach, beforeEach, expect, test } from 'vitest';
import { Board } from '#controller/engine/board.ts';
import { LeaderFence, type Term } from '#controller/northbound/leader-fence.ts';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { NorthboundWriter, type WriterEvent } from '#controller/northbound/writer.ts';
import { northboundBed, sayPort, saySwitch } from './northbound-bed.ts';

let bed: Awaited<ReturnType<typeof northboundBed>>;
beforeEach(async () => {
  bed = await northboundBed();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
});

async function leader(
  board: Board,
  term: Term,
  outrank: (number: number) => Promise<Term | undefined> = async () => undefined,
) {
  const events: WriterEvent[] = [];
  const northbound = await replicateNorthbound(bed.client, AbortSignal.timeout(20_000));
  const fence = new LeaderFence({ client: bed.client, term, outrank });
  const writer = new NorthboundWriter(board, northbound, {
    fence,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 20)).unref()),
    onEvent: (event) => events.push(event),
  });
  await writer.start();
  await writer.idle();
  return { writer, events };
}

const ports = async () =>
  (await bed.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port')).split(/\s+/).sort();

test("a deposed leader's transaction does not land after its successor's first", async () => {
  saySwitch(bed.board, 'blue', ['pod/default/a']);
  const old = await leader(bed.board, { number: 1, identity: 'first' });
  const board = new Board();
  saySwitch(board, 'blue', ['pod/default/a', 'pod/default/b']);
  await leader(board, { number: 2, identity: 'second' });
  // It does not know yet, and takes what its successor wrote for drift.
  sayPort(bed.board, 'blue', 'pod/default/late');
  await old.writer.idle();
  expect(old.events.at(-1)).toEqual({ kind: 'deposed' });
  expect(await ports()).toEqual(['pod/default/a', 'pod/default/b']);
});

test('a leader goes on after the database was emptied, which knows no leader any more', async () => {
  saySwitch(bed.board, 'blue', ['pod/default/a']);
  const { writer, events } = await leader(bed.board, { number: 7, identity: 'first' });
  await bed.loseDatabase();
  while ((await ports())[0] !== 'pod/default/a') await new Promise((resolve) => setTimeout(resolve, 10));
  await writer.idle();
  expect(events.filter(({ kind }) => kind === 'deposed')).toEqual([]);
  expect(await bed.nbctl('get', 'NB_Global', '.', 'external_ids:hawser\\:leader')).toBe('"7 first"');
});

test('a leader whose Lease was made anew, and counts from one again, outranks the term in the database', async () => {
  saySwitch(bed.board, 'blue', ['pod/default/a']);
  await (await leader(bed.board, { number: 9, identity: 'first' })).writer.close();
  const board = new Board();
  saySwitch(board, 'blue', ['pod/default/b']);
  await leader(board, { number: 1, identity: 'second' }, async (number) => ({
    number: number + 1,
    identity: 'second',
  }));
  expect(await ports()).toEqual(['pod/default/b']);
});
