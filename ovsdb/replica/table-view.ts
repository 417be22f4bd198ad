import type { ReplicaTable } from './replica.ts';
import type { Row } from './row-shape.ts';
import type { TableState } from './table-content.ts';

/** The reading face of a table, which stays the same object when a resync swaps the content behind it. */
export function tableView(state: TableState): ReplicaTable<Row> {
  const rows = new RowsView(state);
  return {
    rows,
    get: (uuid) => state.content.rows.get(uuid),
    by: (index, ...values) => state.content.index(index).find(values),
  };
}

class RowsView implements ReadonlyMap<string, Row> {
  readonly #state: TableState;

  constructor(state: TableState) {
    this.#state = state;
  }

  get size(): number {
    return this.#state.content.rows.size;
  }

  get(uuid: string): Row | undefined {
    return this.#state.content.rows.get(uuid);
  }

  has(uuid: string): boolean {
    return this.#state.content.rows.has(uuid);
  }

  forEach(visit: (row: Row, uuid: string, rows: ReadonlyMap<string, Row>) => void, thisArg?: unknown): void {
    for (const [uuid, row] of this) visit.call(thisArg, row, uuid, this);
  }

  entries(): MapIterator<[string, Row]> {
    return this.#state.content.rows.entries();
  }

  keys(): MapIterator<string> {
    return this.#state.content.rows.keys();
  }

  values(): MapIterator<Row> {
    return this.#state.content.rows.values();
  }

  [Symbol.iterator](): MapIterator<[string, Row]> {
    return this.entries();
  }
}
