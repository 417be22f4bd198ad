import type { OvsdbClient } from '#ovsdb/client.ts';
import type { DatabaseSchema } from '#ovsdb/schema.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { largeSets, ownedColumns } from './owned-columns.ts';
import type { ActualRow } from './plan.ts';
import { type Reference, SetIndex } from './set-index.ts';
import type { Northbound, RowChange } from './writer.ts';

/** The northbound schema by name only: features speak of tables and columns as words. */
export const northboundSchema: DatabaseSchema = {
  name: ovnNorthbound.name,
  version: ovnNorthbound.version,
  tables: ovnNorthbound.tables,
};

/** Replicates what is ours to write, and nothing northd writes back, so that only real differences wake the writer. */
export async function replicateNorthbound(client: OvsdbClient, signal: AbortSignal): Promise<Northbound> {
  const tables = Object.keys(ownedColumns);
  const selection = Object.fromEntries(
    tables.map((table) => [
      table,
      { columns: [...new Set([...(ownedColumns[table] ?? []), ...(largeSets[table] ?? [])])] },
    ]),
  );
  const replica = await client.replicate(northboundSchema, selection, { signal });
  const sets = new LargeSets();
  const listeners = new Set<(change: RowChange) => void>();
  for (const table of tables)
    for (const [uuid, row] of replica.tables[table]?.rows ?? []) sets.change(table, uuid, undefined, row);
  replica.onChanges(({ changes }) => {
    const described = changes.map(({ table, uuid, before, after }) => sets.change(table, uuid, before, after));
    for (const listener of listeners) for (const change of described) listener(change);
  });
  return {
    schema: northboundSchema,
    tables,
    row: (table, uuid) => replica.tables[table]?.get(uuid),
    rows: (table) => replica.tables[table]?.rows ?? new Map(),
    has: (table, column) => replica.has(table, column),
    referencesTo: (uuid) => sets.index.of(uuid),
    contains: (set, entry) => sets.index.has(set, entry),
    transact: (operations) => client.transact(northboundSchema, operations),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Keeps the index of large sets, and tells a change of a row's own columns from one of its sets. */
export class LargeSets {
  readonly index = new SetIndex();
  /** One object for each set, shared by all its entries in the index. */
  readonly #references = new Map<string, Readonly<Record<string, Reference>>>();

  change(table: string, uuid: string, before: ActualRow | undefined, after: ActualRow | undefined): RowChange {
    const columns = largeSets[table];
    if (columns === undefined) return { table, uuid, before, after, isRowChanged: true, entries: [] };
    const references = this.#referencesOf(table, uuid, columns);
    const entries = columns.map((column) => {
      const reference = references[column] ?? { table, uuid, column };
      const isChanged = before?.[column] !== after?.[column];
      return { column, entries: isChanged ? this.index.change(reference, before?.[column], after?.[column]) : [] };
    });
    if (after === undefined) this.#references.delete(uuid);
    const isRowChanged =
      before === undefined ||
      after === undefined ||
      Object.entries(after).some(([column, value]) => value !== before[column] && !columns.includes(column));
    return { table, uuid, before, after, isRowChanged, entries };
  }

  #referencesOf(table: string, uuid: string, columns: readonly string[]): Readonly<Record<string, Reference>> {
    let references = this.#references.get(uuid);
    if (references === undefined) {
      references = Object.fromEntries(columns.map((column) => [column, { table, uuid, column }]));
      this.#references.set(uuid, references);
    }
    return references;
  }
}
