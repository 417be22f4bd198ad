import { randomUUID } from 'node:crypto';
import { connect, type OvsdbClient } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { Gate } from '#test/ovsdb/gate.ts';
import type { Figure } from '../figures.ts';
import { northboundColumns } from './columns.ts';
import { median } from './transactions.ts';

/** Time from the reconnect to a current replica after missing transactions of a RAFT database, as a share of a full dump's. */
export async function* resume(remote: string, missed: number, rounds: number): AsyncIterable<Figure> {
  const gate = new Gate();
  await using writer = await connect({ remotes: [remote] });
  await using client = await connect({ remotes: [remote], dial: gate.dial, backoff: { firstMs: 1, longestMs: 1 } });
  const dumps: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await (await client.replicate(ovnNorthbound, northboundColumns)).close();
    dumps.push(performance.now() - start);
  }
  await using _replica = await client.replicate(ovnNorthbound, northboundColumns);
  const resumes: number[] = [];
  let how = '';
  for (let round = 0; round < rounds; round++) {
    gate.close();
    await write(writer, missed);
    const synced = new Promise<number>((resolve) => {
      const start = performance.now();
      const stop = client.onStatus((status) => {
        if (status.kind !== 'synced') return;
        how = status.how;
        stop();
        resolve(performance.now() - start);
      });
    });
    gate.open();
    resumes.push(await synced);
  }
  const [full, part] = [median(dumps), median(resumes)];
  yield {
    figure: `resume after ${missed.toLocaleString('en')} missed transactions, RAFT, 101,000 rows (${how})`,
    unit: 'ms',
    ours: part,
    peers: { 'full dump': full },
    bar: 0.05 * full,
    ok: part <= 0.05 * full,
  };
}

async function write(writer: OvsdbClient, count: number): Promise<void> {
  const outcomes = Array.from({ length: count }, () =>
    writer.transact(ovnNorthbound, [{ op: 'insert', table: 'Logical_Switch', row: { name: randomUUID() } }]),
  );
  for (const outcome of await Promise.all(outcomes))
    if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
}
