import type { Board } from '../engine/board.ts';
import type { DesiredRow } from '../engine/desired-row.ts';
import { PartedMap } from '../engine/parted-map.ts';
import type { Key } from '../engine/table.ts';
import { largeSets } from './owned-columns.ts';
import { rowUuid } from './row-uuid.ts';
import type { Reference } from './set-index.ts';

/** A row with large sets: its UUID, and one object for each of the sets, shared by all that speak of it. */
interface Group {
  readonly uuid: string;
  readonly sets: Readonly<Record<string, Reference>>;
}

/** The rows on the board by the UUIDs they have in the database. */
export class WantedRows {
  readonly #board: Board;
  readonly #rows = new PartedMap<DesiredRow>();
  /** Table → key → wanted rows that have large sets: facts about them come again and again. */
  readonly #groups = new Map<string, Map<Key, Group>>();
  #last = { table: '', key: '', uuid: '' };

  constructor(board: Board) {
    this.#board = board;
    for (const table of Object.keys(largeSets)) this.#groups.set(table, new Map());
  }

  has(uuid: string): boolean {
    return this.#rows.has(uuid);
  }

  keyOf(uuid: string): Key | undefined {
    return this.#rows.get(uuid)?.key;
  }

  row(uuid: string): DesiredRow | undefined {
    return this.#rows.get(uuid);
  }

  hasEntry({ uuid, column }: Reference, entry: string): boolean {
    return this.#rows.get(uuid)?.entry(column, entry) !== undefined;
  }

  /** Takes note that the row may be wanted, or may be wanted no more; gives its UUID. */
  look(table: string, key: Key, wanted = this.#board.row(table, key)): string {
    const uuid = this.#uuidOf(table, key);
    if (wanted === undefined) this.#rows.delete(uuid);
    else this.#rows.set(uuid, wanted);
    const groups = this.#groups.get(table);
    if (wanted === undefined) groups?.delete(key);
    else if (groups !== undefined && !groups.has(key)) {
      const columns = largeSets[table] ?? [];
      groups.set(key, { uuid, sets: Object.fromEntries(columns.map((column) => [column, { table, uuid, column }])) });
    }
    return uuid;
  }

  /**
   * The place of a column. `undefined` for a row nobody wants that has no large sets: what is said of its cells comes with it, and nothing is
   * waiting for them.
   */
  cell(table: string, key: Key, column: string): Reference | undefined {
    const groups = this.#groups.get(table);
    const group = groups?.get(key);
    if (group === undefined) {
      if (groups === undefined && this.#board.row(table, key) === undefined) return undefined;
      return { table, uuid: this.#uuidOf(table, key), column };
    }
    return group.sets[column] ?? { table, uuid: group.uuid, column };
  }

  /** Facts about one row come one after another. */
  #uuidOf(table: string, key: Key): string {
    if (this.#last.table === table && this.#last.key === key) return this.#last.uuid;
    const uuid = this.#groups.get(table)?.get(key)?.uuid ?? rowUuid(table, key);
    this.#last = { table, key, uuid };
    return uuid;
  }
}
