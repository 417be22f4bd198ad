import type { Board } from '../engine/board.ts';
import type { DesiredRow } from '../engine/desired-row.ts';
import type { Key } from '../engine/table.ts';
import { largeSets } from './owned-columns.ts';
import { rowUuid } from './row-uuid.ts';

/** The rows on the board by the UUIDs they have in the database. */
export class WantedRows {
  readonly #board: Board;
  /** UUID → key of every wanted row. */
  readonly #keys = new Map<string, Key>();
  /** Table and key → UUID of the wanted rows that have large sets. */
  readonly #groups = new Map<string, string>();
  #last = { table: '', key: '', uuid: '' };

  constructor(board: Board) {
    this.#board = board;
  }

  has(uuid: string): boolean {
    return this.#keys.has(uuid);
  }

  keyOf(uuid: string): Key | undefined {
    return this.#keys.get(uuid);
  }

  row(table: string, uuid: string): DesiredRow | undefined {
    const key = this.#keys.get(uuid);
    return key === undefined ? undefined : this.#board.row(table, key);
  }

  hasEntry(table: string, uuid: string, column: string, entry: string): boolean {
    return this.row(table, uuid)?.entry(column, entry) !== undefined;
  }

  /** Takes note that the row may be wanted, or may be wanted no more; gives its UUID. */
  look(table: string, key: Key): string {
    const uuid = this.uuidOf(table, key);
    const isWanted = this.#board.row(table, key) !== undefined;
    if (isWanted) this.#keys.set(uuid, key);
    else this.#keys.delete(uuid);
    if (largeSets[table] !== undefined) {
      if (isWanted) this.#groups.set(`${table}/${key}`, uuid);
      else this.#groups.delete(`${table}/${key}`);
    }
    return uuid;
  }

  /** Facts about one row come one after another, and those about a row with a large set again and again. */
  uuidOf(table: string, key: Key): string {
    if (this.#last.table === table && this.#last.key === key) return this.#last.uuid;
    const known = largeSets[table] && this.#groups.get(`${table}/${key}`);
    const uuid = known ?? rowUuid(table, key);
    this.#last = { table, key, uuid };
    return uuid;
  }
}
