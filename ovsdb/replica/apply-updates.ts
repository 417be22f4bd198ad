import { OvsdbError } from '../errors.ts';
import type { Change } from './change.ts';
import type { Row } from './row-shape.ts';
import type { RowUpdate } from './row-update.ts';
import type { TableState } from './table-content.ts';

/** The server spoke of a row we have not, or inserted one we have: our copy is wrong. */
export class Inconsistent extends OvsdbError {
  constructor(update: RowUpdate) {
    super('protocol', `${update.kind} of ${update.table} ${update.uuid} does not fit the replica`);
  }
}

/**
 * Applies one message's updates to the tables and gives what changed. All of it or nothing: every row is decoded and checked before the
 * first is touched. Throws `Inconsistent`, or `InexactInteger` for text to be parsed exactly.
 */
export function applyUpdates(tables: ReadonlyMap<string, TableState>, updates: Iterable<RowUpdate>): Change[] {
  const changes: Change[] = [];
  for (const update of updates) {
    const table = tables.get(update.table);
    if (!table) continue;
    const before = table.content.rows.get(update.uuid);
    const after = rowAfter(table, before, update);
    if (before !== after) changes.push({ table: update.table, uuid: update.uuid, before, after });
  }
  // Rows leave the indexes before others enter, since a value may pass from one row to another.
  for (const { table, before, after } of changes) if (before && !after) tables.get(table)?.content.remove(before);
  for (const { table, before, after } of changes) {
    const content = tables.get(table)?.content;
    if (before && after) content?.replace(before, after);
    else if (after) content?.add(after);
  }
  return changes;
}

function rowAfter(table: TableState, before: Row | undefined, update: RowUpdate): Row | undefined {
  switch (update.kind) {
    case 'initial':
    case 'insert':
      if (before) throw new Inconsistent(update);
      return table.shape.whole(update.uuid, update.cells);
    case 'replace': {
      if (!before) throw new Inconsistent(update);
      const after = table.shape.whole(update.uuid, update.cells);
      return table.shape.same(before, after) ? before : after;
    }
    case 'modify':
      if (!before) throw new Inconsistent(update);
      return table.shape.modified(before, update.cells);
    case 'delete':
      if (!before) throw new Inconsistent(update);
      return undefined;
  }
}
