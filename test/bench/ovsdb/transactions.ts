import { randomUUID } from 'node:crypto';
import { connect, type OvsdbClient } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import type { Figure } from '../figures.ts';
import { BareSocket } from './bare-socket.ts';

type Measure = (count: number, depth: number, rowsEach: number) => Promise<number>;

const insert = () => ({ op: 'insert', table: 'Address_Set', row: { name: randomUUID() } }) as const;

/**
 * Transactions and rows per second, ours and the raw limit taking turns on one server: in many short rounds, so that both meet the same
 * disturbances, and in changing order, so that neither is always the one on the larger database.
 */
export async function* transactions(remote: string, rounds: number): AsyncIterable<Figure> {
  await using client = await connect({ remotes: [remote] });
  const bare = await BareSocket.open(remote);
  const ours: Measure = (count, depth, rowsEach) => oursPerSecond(client, count, depth, rowsEach);
  const raw: Measure = (count, depth, rowsEach) => rawPerSecond(bare, count, depth, rowsEach);
  for (const [figure, unit, depth, rowsEach, count] of [
    ['transactions, depth 1', 'txn/s', 1, 1, 1_000],
    ['transactions, depth 64', 'txn/s', 64, 1, 2_000],
    ['inserts, 100 a transaction', 'rows/s', 4, 100, 40],
  ] as const) {
    // Compiled by V8 as far as it will be.
    for (let warm = 0; warm < 20; warm++) for (const one of [ours, raw]) await one(count, depth, rowsEach);
    const [us, limit]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const turns = [() => ours(count, depth, rowsEach).then((rate) => us.push(rate * rowsEach))];
      turns[round % 2 === 0 ? 'push' : 'unshift'](() =>
        raw(count, depth, rowsEach).then((rate) => limit.push(rate * rowsEach)),
      );
      for (const turn of turns) await turn();
    }
    const [mine, most] = [median(us), median(limit)];
    yield { figure, unit, ours: mine, peers: {}, limit: most, bar: 0.9 * most, ok: mine >= 0.9 * most };
  }
  bare.close();
}

/** The operations, as the raw limit's bytes, are there before the clock starts; encoding them is part of it. */
async function oursPerSecond(client: OvsdbClient, count: number, depth: number, rowsEach: number): Promise<number> {
  const transactions = Array.from({ length: count }, () => Array.from({ length: rowsEach }, insert));
  const start = performance.now();
  await Promise.all(
    Array.from({ length: depth }, async () => {
      for (let operations = transactions.pop(); operations; operations = transactions.pop()) {
        const outcome = await client.transact(ovnNorthbound, operations);
        if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
      }
    }),
  );
  return (count / (performance.now() - start)) * 1_000;
}

/** The bytes are made before the clock starts. */
async function rawPerSecond(bare: BareSocket, count: number, depth: number, rowsEach: number): Promise<number> {
  const texts = Array.from({ length: count }, (_, id) =>
    JSON.stringify({ id, method: 'transact', params: ['OVN_Northbound', ...Array.from({ length: rowsEach }, insert)] }),
  );
  const first = bare.replies;
  const start = performance.now();
  let sent = 0;
  for (let done = 0; done < count; done = bare.replies - first) {
    let text = '';
    while (sent < count && sent - done < depth) text += texts[sent++];
    if (text) bare.write(text);
    await bare.replied(first + done + 1);
  }
  return (count / (performance.now() - start)) * 1_000;
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
