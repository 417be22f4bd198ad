import { isDiffed, type TableSchema, type Value } from '../schema.ts';
import { columnMap } from '../value/column-map.ts';
import { defaultOf } from '../value/decode.ts';
import { isMap, isSet, sameValue } from '../value/difference.ts';
import { type Cells, matches, type RowChange, wireValue } from './database.ts';

/** What a monitor asks for of one table. */
export interface TableMonitor {
  readonly columns: readonly string[];
  /** Clauses in wire form, any of which is enough. */
  readonly where: readonly unknown[];
}

/**
 * What one change looks like to a monitor, as `<row-update2>`: a row that comes into the condition is an insert, one that goes out of it a delete, columns at their
 * defaults and unchanged columns are left out. `undefined`: nothing to see.
 */
export function rowUpdate2(
  table: TableSchema,
  { uuid, before, after }: RowChange,
  old: TableMonitor | undefined,
  now: TableMonitor,
): object | undefined {
  const wasSeen = before !== undefined && old !== undefined && isSeen(table, uuid, before, old);
  const isNow = after !== undefined && isSeen(table, uuid, after, now);
  if (wasSeen && !isNow) return { delete: null };
  if (!wasSeen && isNow) return { insert: withoutDefaults(table, after, now.columns) };
  if (!wasSeen || !isNow) return undefined;
  const modify: Record<string, unknown> = {};
  for (const name of now.columns) {
    const column = table.columns[name];
    if (!column || sameValue(before[name], after[name])) continue;
    modify[name] = wireValue(column, isDiffed(column) ? difference(before[name], after[name]) : after[name]);
  }
  return Object.keys(modify).length > 0 ? { modify } : undefined;
}

export const isSeen = (table: TableSchema, uuid: string, cells: Cells, { where }: TableMonitor): boolean =>
  where.length === 0 || where.some((clause) => matches(table, uuid, cells, clause));

export function withoutDefaults(table: TableSchema, cells: Cells, columns: readonly string[]): object {
  const row: Record<string, unknown> = {};
  for (const name of columns) {
    const column = table.columns[name];
    if (column && !sameValue(cells[name], defaultOf(column))) row[name] = wireValue(column, cells[name]);
  }
  return row;
}

/** Symmetric difference of two sets or maps; of a key whose value changed, the new one. */
function difference(before: Value, after: Value): Value {
  if (isMap(before) && isMap(after)) {
    const gone = [...before].filter(([key]) => !after.has(key));
    const come = [...after].filter(([key, value]) => before.get(key) !== value);
    return columnMap([...gone, ...come]);
  }
  const [a, b] = [isSet(before) ? before : [], isSet(after) ? after : []];
  return [...a.filter((atom) => !b.includes(atom)), ...b.filter((atom) => !a.includes(atom))];
}
