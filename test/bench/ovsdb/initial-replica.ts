import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Figure, mustBeAtMost } from '../figures.ts';
import { northboundColumns, southboundColumns } from './columns.ts';
import { costOf, leastOf } from './cost.ts';
import { median } from './transactions.ts';

const folder = dirname(fileURLToPath(import.meta.url));

/** What docs/ovsdb.md advises for short pauses: a small young generation is collected often and quickly. */
const nodeFlags = ['--max-semi-space-size=4'];

export interface Replicated {
  readonly which: 'northbound' | 'southbound';
  readonly remote: string;
  readonly schemaPath: string;
  readonly runs: number;
}

/** CPU, peak RSS, stall and memory per row of a first replica, beside the C IDL and python-ovs with the same tables and columns. */
export async function* initialReplica({ which, remote, schemaPath, runs }: Replicated): AsyncIterable<Figure> {
  const columns: Readonly<Record<string, { readonly columns: readonly string[] }>> =
    which === 'northbound' ? northboundColumns : southboundColumns;
  const script = join(folder, 'replicate.ts');
  const ours = [];
  const idl = [];
  for (let run = 0; run < runs; run++) {
    ours.push(await costOf(process.execPath, ...nodeFlags, script, which, remote));
    idl.push(
      await costOf(which === 'northbound' ? 'ovn-nbctl' : 'ovn-sbctl', `--db=${remote}`, ...findNothing(columns)),
    );
  }
  const tables = Object.entries(columns).map(([table, { columns: names }]) => `${table}=${names.join(',')}`);
  const python = await costOf('/usr/bin/python3', join(folder, 'python-idl.py'), remote, schemaPath, ...tables);
  const unadvised = await costOf(process.execPath, script, which, remote);
  const kept = await costOf(process.execPath, ...nodeFlags, '--expose-gc', script, which, remote);

  const [us, c] = [leastOf(ours), leastOf(idl)];
  const reports = ours.map(({ output }) => JSON.parse(output));
  const rows = `${Number(reports[0].rows).toLocaleString('en')} ${which} rows`;
  yield atMost(
    `initial replica of ${rows}: CPU`,
    's',
    us.cpuSeconds,
    { 'C IDL': c.cpuSeconds, 'python-ovs': python.cpuSeconds },
    c.cpuSeconds,
  );
  yield atMost(
    `initial replica of ${rows}: peak RSS`,
    'MiB',
    mebibytes(us.peakRssBytes),
    { 'C IDL': mebibytes(c.peakRssBytes), 'python-ovs': mebibytes(python.peakRssBytes) },
    mebibytes(c.peakRssBytes),
  );
  yield atMost(
    `initial replica of ${rows}: longest event-loop stall`,
    'ms',
    median(reports.map(({ worstStallMs }) => worstStallMs)),
    { 'without --max-semi-space-size=4': JSON.parse(unadvised.output).worstStallMs },
    20,
  );
  yield atMost(`memory per row of ${rows}`, 'B', JSON.parse(kept.output).bytesPerRow, {}, 800);
}

/** `find` makes ovn-nbctl and ovn-sbctl replicate the columns it shows, then finds nothing to print. */
function findNothing(columns: Readonly<Record<string, { readonly columns: readonly string[] }>>): string[] {
  return Object.entries(columns).flatMap(([table, { columns: names }], n) => [
    ...(n > 0 ? ['--'] : []),
    `--columns=${names.join(',')}`,
    'find',
    table,
    `${names.includes('name') ? 'name' : names.includes('tunnel_key') ? 'tunnel_key' : 'priority'}=65535`,
  ]);
}

const mebibytes = (bytes: number) => bytes / 2 ** 20;

function atMost(figure: string, unit: string, ours: number, peers: Figure['peers'], bar: number): Figure {
  return { figure, unit, ours, peers, ...mustBeAtMost(ours, bar, unit) };
}
