import type { OvsdbClient } from '#ovsdb/client.ts';
import type { DatabaseSchema, Value } from '#ovsdb/schema.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { Turns } from '../turns.ts';
import { largeSets, ownedColumns } from './owned-columns.ts';
import type { ActualRow } from './plan.ts';
import { type Reference, type SetChange, SetIndex } from './set-index.ts';
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
  replica.onChanges(({ changes }) => {
    const described = changes.map(({ table, uuid, before, after }) => sets.change(table, uuid, before, after));
    for (const listener of listeners) for (const change of described) listener(change);
  });
  const turns = new Turns();
  for (const table of Object.keys(largeSets)) {
    for (const uuid of replica.tables[table]?.rows.keys() ?? []) {
      // Other changes may come in between: the row as it is now counts.
      sets.read(table, uuid, replica.tables[table]?.get(uuid));
      if (turns.isTimeUp) await turns.next();
    }
  }
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
  /** UUID → its sets as the index has them. A reference is one object for each set, shared by all its entries. */
  readonly #sets = new Map<string, readonly IndexedSet[]>();

  change(table: string, uuid: string, before: ActualRow | undefined, after: ActualRow | undefined): RowChange {
    const columns = largeSets[table];
    if (columns === undefined) return { table, uuid, before, after, isRowChanged: true, entries: nothing };
    const entries = this.read(table, uuid, after);
    const isRowChanged =
      before === undefined ||
      after === undefined ||
      Object.entries(after).some(([column, value]) => value !== before[column] && !columns.includes(column));
    return { table, uuid, before, after, isRowChanged, entries };
  }

  /** Brings the index in line with a row, whatever it has of it, and gives the entries that came or went. */
  read(table: string, uuid: string, row: ActualRow | undefined): RowChange['entries'] {
    const columns = largeSets[table] ?? [];
    const sets =
      this.#sets.get(uuid) ?? columns.map((column) => ({ reference: { table, uuid, column }, value: undefined }));
    if (row === undefined) this.#sets.delete(uuid);
    else this.#sets.set(uuid, sets);
    const changes: SetChange[] = [];
    for (const set of sets) {
      const before = set.value;
      set.value = row?.[set.reference.column];
      if (before !== set.value) changes.push(this.index.change(set.reference, before, set.value));
    }
    return changes;
  }
}

interface IndexedSet {
  readonly reference: Reference;
  value: Value;
}

const nothing: readonly SetChange[] = [];
