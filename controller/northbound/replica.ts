import type { OvsdbClient } from '#ovsdb/client.ts';
import type { DatabaseSchema } from '#ovsdb/schema.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { ownedColumns } from './owned-columns.ts';
import type { Northbound } from './writer.ts';

/** The northbound schema by name only: features speak of tables and columns as words. */
const schema: DatabaseSchema = {
  name: ovnNorthbound.name,
  version: ovnNorthbound.version,
  tables: ovnNorthbound.tables,
};

/** Sets of children, by parent table: read to find a child's parent, written entry by entry. */
const childColumns: Readonly<Record<string, readonly string[]>> = {
  Logical_Switch: ['ports'],
  Logical_Router: ['ports'],
};

/** Replicates what is ours to write, and nothing northd writes back, so that only real differences wake the writer. */
export async function replicateNorthbound(client: OvsdbClient, signal: AbortSignal): Promise<Northbound> {
  const tables = Object.keys(ownedColumns);
  const selection = Object.fromEntries(
    tables.map((table) => [table, { columns: [...(ownedColumns[table] ?? []), ...(childColumns[table] ?? [])] }]),
  );
  const replica = await client.replicate(schema, selection, { signal });
  return {
    schema,
    tables,
    row: (table, uuid) => replica.tables[table]?.get(uuid),
    rows: (table) => replica.tables[table]?.rows ?? new Map(),
    has: (table, column) => replica.has(table, column),
    transact: (operations) => client.transact(schema, operations),
    onChange: (listener) =>
      replica.onChanges(({ changes }) => {
        for (const { table, uuid, after } of changes) listener(table, uuid, after);
      }),
  };
}
