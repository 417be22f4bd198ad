import { tableOrder } from './owned-columns.ts';

/** A row to be looked at; with `cells` only these entries of its columns. */
export interface DirtyRow {
  readonly table: string;
  readonly uuid: string;
  readonly cells?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Nothing else is wanted of it than before: the database has changed. */
  readonly isDrift: boolean;
}

interface Entry {
  readonly table: string;
  readonly uuid: string;
  cells: Map<string, Set<string>> | undefined;
  isDrift: boolean;
}

/** Rows to be looked at, each once however often it is marked, in the order in which they are to be written. */
export class DirtyRows {
  /** Rows to be removed come first: they may hold a name that another row is to have. */
  readonly #queues: readonly Map<string, Entry>[] = Array.from({ length: tableOrder.length + 2 }, () => new Map());
  readonly #where = new Map<string, Map<string, Entry>>();

  get size(): number {
    return this.#where.size;
  }

  add(table: string, uuid: string, isWanted: boolean, isDrift: boolean): void {
    const known = this.#where.get(uuid)?.get(uuid);
    this.delete(uuid);
    const entry = { table, uuid, cells: undefined, isDrift: isDrift && (known?.isDrift ?? true) };
    this.#put(entry, isWanted ? 1 + rank(table) : 0);
  }

  addCell(table: string, uuid: string, column: string, entry: string, isDrift: boolean): void {
    const known = this.#where.get(uuid)?.get(uuid);
    if (known !== undefined && !isDrift) known.isDrift = false;
    if (known !== undefined && known.cells === undefined) return;
    const dirty = known ?? this.#put({ table, uuid, cells: new Map(), isDrift }, 1 + rank(table));
    const entries = dirty.cells?.get(column);
    if (entries === undefined) dirty.cells?.set(column, new Set([entry]));
    else entries.add(entry);
  }

  restore({ table, uuid, cells, isDrift }: DirtyRow, isWanted: boolean): void {
    if (cells === undefined) this.add(table, uuid, isWanted, isDrift);
    for (const [column, entries] of cells ?? []) {
      for (const entry of entries) this.addCell(table, uuid, column, entry, isDrift);
    }
  }

  delete(uuid: string): void {
    this.#where.get(uuid)?.delete(uuid);
    this.#where.delete(uuid);
  }

  /** Takes out the next rows, about `weight` of them by `weightOf`. */
  take(weight: number, weightOf: (row: DirtyRow) => number): DirtyRow[] {
    const batch: DirtyRow[] = [];
    let taken = 0;
    for (const queue of this.#queues) {
      for (const { table, uuid, cells, isDrift } of queue.values()) {
        if (taken >= weight) return batch;
        this.delete(uuid);
        const row = { table, uuid, isDrift, ...(cells && { cells }) };
        batch.push(row);
        taken += weightOf(row);
      }
    }
    return batch;
  }

  #put(entry: Entry, queue: number): Entry {
    const chosen = this.#queues[queue] ?? new Map<string, Entry>();
    chosen.set(entry.uuid, entry);
    this.#where.set(entry.uuid, chosen);
    return entry;
  }
}

function rank(table: string): number {
  const position = tableOrder.indexOf(table);
  return position === -1 ? tableOrder.length : position;
}
