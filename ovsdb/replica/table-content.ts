import { RowMap } from './row-map.ts';
import type { Row, RowShape } from './row-shape.ts';
import { type IndexSpec, TableIndex } from './table-index.ts';

/** The rows of one table and their indexes, as one state of the database. */
export class TableContent {
  readonly rows = new RowMap();
  readonly #indexes: ReadonlyMap<string, TableIndex>;

  constructor(indexes: Readonly<Record<string, IndexSpec>>) {
    this.#indexes = new Map(Object.entries(indexes).map(([name, spec]) => [name, new TableIndex(spec)]));
  }

  index(name: string): TableIndex {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`no index "${name}" was declared`);
    return index;
  }

  add(row: Row): void {
    this.rows.set(row._uuid, row);
    for (const index of this.#indexes.values()) index.add(row);
  }

  replace(before: Row, after: Row): void {
    this.rows.set(after._uuid, after);
    for (const index of this.#indexes.values()) {
      index.remove(before);
      index.add(after);
    }
  }

  remove(row: Row): void {
    this.rows.delete(row._uuid);
    for (const index of this.#indexes.values()) index.remove(row);
  }
}

/** A replicated table: how its rows are made, and the rows as they are now. */
export interface TableState {
  readonly shape: RowShape;
  readonly indexes: Readonly<Record<string, IndexSpec>>;
  content: TableContent;
}
