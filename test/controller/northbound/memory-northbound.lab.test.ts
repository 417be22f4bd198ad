import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ActualRow } from '#controller/northbound/plan.ts';
import { northboundSchema } from '#controller/northbound/replica.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { History } from '../history.ts';
import { anyHistory } from '../steps.ts';
import { MemoryNorthbound } from './memory-northbound.ts';
import { northboundBed } from './northbound-bed.ts';

/** Content as text: sets and maps have no order. */
function shown(tables: readonly string[], rowsOf: (table: string) => Iterable<ActualRow>): string {
  const value = (cell: unknown): unknown => {
    if (Array.isArray(cell)) return cell.map(String).sort();
    if (typeof cell === 'object' && cell !== null && 'entries' in cell)
      return Object.fromEntries([...mapOf(cell)].sort());
    return cell;
  };
  const rows = tables.flatMap((table) =>
    [...rowsOf(table)].map((row) => {
      const cells = Object.keys(northboundSchema.tables[table]?.columns ?? {}).map((name) => [name, value(row[name])]);
      return `${table} ${JSON.stringify(row._uuid)} ${JSON.stringify(Object.fromEntries(cells))}`;
    }),
  );
  return rows.sort().join('\n');
}

function mapOf(cell: object): Iterable<readonly [string, unknown]> {
  return cell instanceof Map || Symbol.iterator in cell ? Object(cell) : [];
}

test('what a real server makes of the transactions of whole histories is what the one in memory makes of them', async () => {
  await using bed = await northboundBed();
  const { tables } = new MemoryNorthbound();
  const selection = Object.fromEntries(
    tables.map((table) => [table, { columns: Object.keys(northboundSchema.tables[table]?.columns ?? {}) }]),
  );
  await using replica = await bed.client.replicate(northboundSchema, selection);
  for (const steps of fc.sample(anyHistory, { numRuns: 40, seed: 1 })) {
    const history = await History.begin();
    const sent: (readonly Operation[])[] = [];
    const { northbound } = history;
    northbound.onTransaction = (operations) => sent.push(operations);
    // A database that is swapped for another is not a transaction.
    const withoutRestores = steps.filter((step) => step.do !== 'loseDatabase' && step.do !== 'restoreBackup');
    northbound.restore(new Map());
    for (const step of [...withoutRestores, { do: 'restart' } as const]) await history.step(step);
    await history.end();
    const roots = tables.filter((table) => northboundSchema.tables[table]?.isRoot);
    await bed.client.transact(
      northboundSchema,
      roots.map((table) => ({ op: 'delete', table, where: true })),
    );
    for (const operations of sent) await bed.client.transact(northboundSchema, operations);
    expect(shown(tables, (table) => replica.tables[table]?.rows.values() ?? [])).toBe(
      shown(tables, (table) => northbound.rows(table).values()),
    );
  }
});
