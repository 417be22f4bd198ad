import { randomUUID } from 'node:crypto';
import { connect, type OvsdbClient } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { Gate } from '#test/ovsdb/gate.ts';
import { type Figure, mustBeAtMost } from '../figures.ts';
import { northboundColumns } from './columns.ts';
import { median } from './transactions.ts';

/** Time from the reconnect to a current replica after missing transactions of a RAFT database, as a share of a full dump's. */
export async function* resume(remote: string, missed: number, rounds: number): AsyncIterable<Figure> {
  const gate = new Gate();
  const asked = `${missed.toLocaleString('en')} missed transactions, RAFT, 101,000 rows`;
  await using writer = await connect({ remotes: [remote] });
  await using client = await connect({ remotes: [remote], dial: gate.dial, backoff: { firstMs: 1, longestMs: 1 } });
  const dumps: number[] = [];
  const dumpsCpu: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    await (await client.replicate(ovnNorthbound, northboundColumns)).close();
    dumps.push(performance.now() - start);
    dumpsCpu.push(cpuMsSince(cpu));
  }
  await using _replica = await client.replicate(ovnNorthbound, northboundColumns);
  const resumes: number[] = [];
  const resumesCpu: number[] = [];
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
    const cpu = process.cpuUsage();
    gate.open();
    resumes.push(await synced);
    resumesCpu.push(cpuMsSince(cpu));
  }
  const versions = await timeOfVersions(writer);
  const [full, part] = [median(dumps), median(resumes)];
  yield {
    figure: `resume after ${asked} (${how})`,
    unit: 'ms',
    ours: part,
    peers: { 'full dump': full, 'select of _uuid and _version': versions },
    ...mustBeAtMost(part, 0.05 * full, 'ms', '5 % of a full dump'),
    ...(how === 'resync' && { note: forgotten }),
  };
  yield {
    figure: `our CPU of it (${how})`,
    unit: 'ms',
    ours: median(resumesCpu),
    peers: { 'full dump': median(dumpsCpu) },
  };
}

const forgotten =
  'ovsdb-server remembers 100 transactions (ovsdb_txn_history_run, no option raises it): it sends whoever missed more everything, so this is a dump.';

const cpuMsSince = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};

/** The least one could ask of a server that forgot: which rows there are, and of which age. */
async function timeOfVersions(client: OvsdbClient): Promise<number> {
  const start = performance.now();
  const columns = ['_uuid', '_version'] as const;
  const outcome = await client.transact('OVN_Northbound', [
    { op: 'select', table: 'Logical_Switch', where: true, columns },
    { op: 'select', table: 'Logical_Switch_Port', where: true, columns },
  ]);
  if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
  return performance.now() - start;
}

async function write(writer: OvsdbClient, count: number): Promise<void> {
  const outcomes = Array.from({ length: count }, () =>
    writer.transact(ovnNorthbound, [{ op: 'insert', table: 'Logical_Switch', row: { name: randomUUID() } }]),
  );
  for (const outcome of await Promise.all(outcomes))
    if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
}
