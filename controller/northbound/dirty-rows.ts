import { PartedMap } from '../engine/parted-map.ts';
import { tableOrder } from './owned-columns.ts';

/** A row to be looked at; with `cells` only these entries of its columns. */
export interface DirtyRow {
  readonly table: string;
  readonly uuid: string;
  readonly cells?: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** Nothing else is wanted of it than before: the database has changed. */
  readonly isDrift: boolean;
}

interface Entry {
  readonly table: string;
  readonly uuid: string;
  readonly queue: number;
  readonly vicinity: string;
  cells: Map<string, Set<string>> | undefined;
  isDrift: boolean;
}

/** Rows by vicinity, then by UUID. */
type Queue = Map<string, Map<string, Entry>>;

/**
 * Rows to be looked at, each once however often it is marked, in the order in which they are to be written. Rows of one vicinity (the
 * ports of a namespace, say) come together, since they are in the same sets, which then change once for all of them.
 */
export class DirtyRows {
  /** Rows to be removed come first: they may hold a name that another row is to have. */
  readonly #queues: readonly Queue[] = Array.from({ length: tableOrder.length + 2 }, () => new Map());
  readonly #entries = new PartedMap<Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** `key` is that of a wanted row; undefined when nobody wants it any more. */
  add(table: string, uuid: string, key: string | undefined, isDrift: boolean): void {
    const known = this.#entries.get(uuid);
    if (known !== undefined) this.delete(uuid);
    const queue = key === undefined ? 0 : 1 + rank(table);
    const vicinity = vicinityOf(key);
    this.#put({ table, uuid, queue, vicinity, cells: undefined, isDrift: isDrift && (known?.isDrift ?? true) });
  }

  addCell(table: string, uuid: string, key: string | undefined, column: string, entry: string, isDrift: boolean): void {
    const known = this.#entries.get(uuid);
    if (known !== undefined && !isDrift) known.isDrift = false;
    if (known !== undefined && known.cells === undefined) return;
    const queue = 1 + rank(table);
    const dirty = known ?? this.#put({ table, uuid, queue, vicinity: vicinityOf(key), cells: new Map(), isDrift });
    const entries = dirty.cells?.get(column);
    if (entries === undefined) dirty.cells?.set(column, new Set([entry]));
    else entries.add(entry);
  }

  restore({ table, uuid, cells, isDrift }: DirtyRow, key: string | undefined): void {
    if (cells === undefined) this.add(table, uuid, key, isDrift);
    for (const [column, entries] of cells ?? []) {
      for (const entry of entries) this.addCell(table, uuid, key, column, entry, isDrift);
    }
  }

  delete(uuid: string): void {
    const entry = this.#entries.get(uuid);
    if (entry === undefined) return;
    this.#entries.delete(uuid);
    const queue = this.#queues[entry.queue];
    const neighbours = queue?.get(entry.vicinity);
    neighbours?.delete(uuid);
    if (neighbours?.size === 0) queue?.delete(entry.vicinity);
  }

  /** Takes out the next rows, about `weight` of them by `weightOf`. */
  take(weight: number, weightOf: (row: DirtyRow) => number): DirtyRow[] {
    const batch: DirtyRow[] = [];
    let taken = 0;
    for (const queue of this.#queues) {
      for (const [vicinity, neighbours] of queue) {
        for (const row of neighbours.values()) {
          if (taken >= weight) {
            // What is left of it comes after the others, so that a busy namespace does not hold them up.
            queue.delete(vicinity);
            queue.set(vicinity, neighbours);
            return batch;
          }
          neighbours.delete(row.uuid);
          this.#entries.delete(row.uuid);
          batch.push(row);
          taken += weightOf(row);
        }
        queue.delete(vicinity);
      }
    }
    return batch;
  }

  #put(entry: Entry): Entry {
    const queue = this.#queues[entry.queue];
    const neighbours = queue?.get(entry.vicinity);
    if (neighbours === undefined) queue?.set(entry.vicinity, new Map([[entry.uuid, entry]]));
    else neighbours.set(entry.uuid, entry);
    this.#entries.set(entry.uuid, entry);
    return entry;
  }
}

/** Keys are paths, `pod/NAMESPACE/NAME`: everything before the last part. */
function vicinityOf(key: string | undefined): string {
  return key === undefined ? '' : key.slice(0, key.lastIndexOf('/') + 1);
}

const ranks = new Map(tableOrder.map((table, position) => [table, position]));

function rank(table: string): number {
  return ranks.get(table) ?? tableOrder.length;
}
