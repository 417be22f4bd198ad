import { randomUUID } from 'node:crypto';
import { connect, type OvsdbClient } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { type Figure, mustBeAtLeast } from '../figures.ts';
import { BareSocket } from './bare-socket.ts';

type Measure = (count: number, depth: number, rowsEach: number) => Promise<number>;

const insert = () => ({ op: 'insert', table: 'Address_Set', row: { name: randomUUID() } }) as const;

/**
 * Transactions and rows per second, ours and the raw limit taking turns on one server: in many rounds of some milliseconds, so that both meet the same
 * disturbances, and in changing order, so that neither is always the one on the larger database. Where the kernel runs client and server changes
 * the rate of both by half, so the limit shown is what goes with our rate: by the median of the rounds' ratios.
 */
export async function* transactions(remote: string, rounds: number): AsyncIterable<Figure> {
  await using client = await connect({ remotes: [remote] });
  const bare = await BareSocket.open(remote);
  const ours: Measure = (count, depth, rowsEach) => oursPerSecond(client, count, depth, rowsEach);
  const raw: Measure = (count, depth, rowsEach) => rawPerSecond(bare, count, depth, rowsEach);
  for (const [figure, unit, depth, rowsEach, count] of [
    ['transactions, depth 1', 'txn/s', 1, 1, 200],
    ['transactions, depth 64', 'txn/s', 64, 1, 600],
    ['inserts, 100 a transaction', 'rows/s', 4, 100, 30],
  ] as const) {
    const [rates, ratios]: [number[], number[]] = [[], []];
    // The first rounds are for V8 to compile what it will.
    for (let round = -rounds / 4; round < rounds; round++) {
      const rate = { ours: 0, raw: 0 };
      for (const who of round % 2 === 0 ? (['ours', 'raw'] as const) : (['raw', 'ours'] as const))
        rate[who] = rowsEach * (await { ours, raw }[who](count, depth, rowsEach));
      if (round < 0) continue;
      rates.push(rate.ours);
      ratios.push(rate.ours / rate.raw);
    }
    const [mine, ratio] = [median(rates), median(ratios)];
    const limit = mine / ratio;
    yield {
      figure,
      unit,
      ours: mine,
      peers: {},
      limit,
      ...mustBeAtLeast(mine, 0.9 * limit, unit, '90 % of the raw limit'),
    };
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
