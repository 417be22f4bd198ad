import { connect } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { type Figure, mustBeAtMost } from '../figures.ts';
import { BareSocket } from './bare-socket.ts';
import { northboundColumns } from './columns.ts';
import { uuid } from './data-sets.ts';

/**
 * One change by another client until our callback, with the whole database replicated, beside a bare socket with the same monitor that merely sees
 * bytes come. They take turns: one of them writes down the time, the other idles.
 */
export async function* oneChange(remote: string, rounds: number, changesEach: number): AsyncIterable<Figure> {
  await using client = await connect({ remotes: [remote] });
  await using replica = await client.replicate(ovnNorthbound, northboundColumns);
  const bare = await BareSocket.open(remote);
  const requests = Object.fromEntries(
    Object.entries(northboundColumns).map(([table, { columns }]) => [table, [{ columns }]]),
  );
  bare.write(JSON.stringify({ id: 0, method: 'monitor_cond', params: ['OVN_Northbound', 'bare', requests] }));
  await bare.replied(1);
  const writer = await BareSocket.open(remote);

  const [ours, limit]: [number[], number[]] = [[], []];
  let seen: () => void = () => {};
  let isOurs = true;
  replica.onChanges(() => isOurs && seen());
  bare.onBytes = () => {
    if (!isOurs) seen();
  };
  let serial = 0;
  for (let round = 0; round < rounds * 2; round++) {
    isOurs = round % 2 === 0;
    const into = isOurs ? ours : limit;
    for (let n = 0; n < changesEach; n++) {
      const took = new Promise<number>((resolve) => {
        const start = performance.now();
        seen = () => resolve(performance.now() - start);
      });
      writer.write(change(serial++));
      into.push(await took);
      await writer.replied(serial);
      await replica.barrier();
    }
  }
  for (const socket of [bare, writer]) socket.close();
  const [mine, most] = [ours, limit].map((times) => times.sort((a, b) => a - b));
  if (!mine || !most) return;
  const [p50, p99] = [0.5, 0.99].map((share) => ({ ours: at(mine, share), limit: at(most, share) }));
  if (!p50 || !p99) return;
  yield {
    figure: 'one change to our callback, 101,000 rows, p50',
    unit: 'ms',
    ...p50,
    peers: {},
    ...mustBeAtMost(p50.ours, 1.2 * p50.limit, 'ms', "1.2 × a bare socket's"),
  };
  yield { figure: 'one change to our callback, 101,000 rows, p99', unit: 'ms', ...p99, peers: {} };
}

function change(serial: number): string {
  const where = [['_uuid', '==', ['uuid', uuid(2, serial % 100_000)]]];
  const row = { type: serial % 200_000 < 100_000 ? `bench${serial}` : `bench-${serial}` };
  return JSON.stringify({
    id: serial,
    method: 'transact',
    params: ['OVN_Northbound', { op: 'update', table: 'Logical_Switch_Port', where, row }],
  });
}

const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
