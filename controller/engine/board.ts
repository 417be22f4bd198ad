import { DesiredRow } from './desired-row.ts';
import type { CellFact, Fact } from './facts.ts';
import { PartedMap } from './parted-map.ts';
import { Problems } from './problems.ts';
import type { Key } from './table.ts';
import type { Owner } from './votes.ts';

/** Is told what on the board may have changed. Telling twice, or of something that changed back, is harmless. */
export interface BoardListener {
  rowChanged(table: string, row: Key): void;
  cellChanged(table: string, row: Key, column: string, entry: string): void;
}

/**
 * The noticeboard: who says what about which northbound row. It counts owners, so that a fact is there while anybody says it,
 * and resolves differences in a way that does not depend on the order in which things were said.
 */
export class Board {
  readonly listeners = new Set<BoardListener>();
  /** What features say is wrong with users' objects, and what others say is. */
  readonly problems = new Problems();
  readonly #rows = new Map<string, PartedMap<DesiredRow>>();
  /** Facts about one row come one after another. */
  #last: DesiredRow | undefined;

  /** The row as it is wanted, or undefined when nobody says that it exists. */
  row(table: string, key: Key): DesiredRow | undefined {
    const found = this.#rows.get(table)?.get(key);
    return found?.fact === undefined ? undefined : found;
  }

  /** All wanted rows of a table. */
  *rows(table: string): Iterable<DesiredRow> {
    for (const row of this.#rows.get(table)?.values() ?? []) if (row.fact !== undefined) yield row;
  }

  tables(): Iterable<string> {
    return this.#rows.keys();
  }

  /** Everything said, cells without a row among it, for tests: nothing wanted leaves nothing said. */
  get size(): number {
    let size = this.problems.size;
    for (const rows of this.#rows.values()) size += rows.size;
    return size;
  }

  say(owner: Owner, fact: Fact): void {
    switch (fact.kind) {
      case 'row':
        this.#desired(fact.table, fact.row).claim(owner, fact);
        this.#rowChanged(fact.table, fact.row);
        break;
      case 'cell':
        this.#desired(fact.table, fact.row).vote(owner, fact);
        this.#cellChanged(fact);
        break;
      case 'derived':
        fact.pin(owner);
        break;
      case 'problem':
        this.problems.say(owner, fact);
        break;
    }
  }

  unsay(owner: Owner, fact: Fact): void {
    switch (fact.kind) {
      case 'row': {
        const desired = this.#desired(fact.table, fact.row);
        desired.unclaim(owner);
        this.#drop(desired);
        this.#rowChanged(fact.table, fact.row);
        break;
      }
      case 'cell': {
        const desired = this.#desired(fact.table, fact.row);
        desired.unvote(owner, fact);
        this.#drop(desired);
        this.#cellChanged(fact);
        break;
      }
      case 'derived':
        fact.unpin(owner);
        break;
      case 'problem':
        this.problems.unsay(owner, fact);
        break;
    }
  }

  #desired(table: string, key: Key): DesiredRow {
    if (this.#last?.key === key && this.#last.table === table) return this.#last;
    let rows = this.#rows.get(table);
    if (rows === undefined) {
      rows = new PartedMap();
      this.#rows.set(table, rows);
    }
    let row = rows.get(key);
    if (row === undefined) {
      row = new DesiredRow(table, key);
      rows.set(key, row);
    }
    this.#last = row;
    return row;
  }

  #drop(desired: DesiredRow): void {
    if (!desired.isSilent) return;
    this.#rows.get(desired.table)?.delete(desired.key);
    this.#last = undefined;
  }

  #rowChanged(table: string, row: Key): void {
    for (const listener of this.listeners) listener.rowChanged(table, row);
  }

  #cellChanged({ table, row, column, entry }: CellFact): void {
    for (const listener of this.listeners) listener.cellChanged(table, row, column, entry);
  }
}
