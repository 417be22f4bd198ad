import type { Awaited } from './plan.ts';

/** What waits for a row that is not there yet. */
export class Awaiting {
  /** UUID of the missing row → UUID of the waiting row → what of it waits. */
  readonly #waiting = new Map<string, Map<string, WaitingRow>>();
  /** UUID of a row that waits as a whole → UUIDs of the rows it waits for. */
  readonly #referents = new Map<string, Set<string>>();

  get size(): number {
    return this.#waiting.size;
  }

  add({
    referent,
    unit: { table, uuid },
    cell,
  }: Omit<Awaited, 'unit'> & { unit: { table: string; uuid: string } }): void {
    let rows = this.#waiting.get(referent);
    if (rows === undefined) {
      rows = new Map();
      this.#waiting.set(referent, rows);
    }
    const known = rows.get(uuid) ?? { table, uuid, isWhole: false, cells: new Map<string, Set<string>>() };
    if (cell === undefined) {
      rows.set(uuid, { ...known, isWhole: true });
      this.#referents.set(uuid, (this.#referents.get(uuid) ?? new Set()).add(referent));
    } else {
      known.cells.set(cell.column, (known.cells.get(cell.column) ?? new Set()).add(cell.entry));
      rows.set(uuid, known);
    }
  }

  /** What waits for the row. */
  for(referent: string): Iterable<WaitingRow> {
    return this.#waiting.get(referent)?.values() ?? [];
  }

  countFor(referent: string): number {
    return this.#waiting.get(referent)?.size ?? 0;
  }

  /** The cell is wanted no more. */
  forgetCell(referent: string, uuid: string, column: string): void {
    const rows = this.#waiting.get(referent);
    const waiting = rows?.get(uuid);
    waiting?.cells.get(column)?.delete(referent);
    if (waiting?.cells.get(column)?.size === 0) waiting.cells.delete(column);
    if (waiting !== undefined && !waiting.isWhole && waiting.cells.size === 0) rows?.delete(uuid);
    if (rows?.size === 0) this.#waiting.delete(referent);
  }

  /** The row is wanted no more, or is looked at anew. */
  forget(uuid: string): void {
    for (const referent of this.#referents.get(uuid) ?? []) {
      const rows = this.#waiting.get(referent);
      const waiting = rows?.get(uuid);
      if (waiting !== undefined && waiting.cells.size > 0) rows?.set(uuid, { ...waiting, isWhole: false });
      else rows?.delete(uuid);
      if (rows?.size === 0) this.#waiting.delete(referent);
    }
    this.#referents.delete(uuid);
  }

  /** The row is about to be written: takes out the cells that wait for it, to be written with it. */
  takeCells(referent: string): readonly WaitingRow[] {
    const taken = [...this.for(referent)].filter(({ cells }) => cells.size > 0);
    const rows = this.#waiting.get(referent);
    for (const row of taken) {
      if (row.isWhole) rows?.set(row.uuid, { ...row, cells: new Map() });
      else rows?.delete(row.uuid);
    }
    if (rows?.size === 0) this.#waiting.delete(referent);
    return taken;
  }

  /** The row is there: takes out what waited for it. */
  take(referent: string): readonly WaitingRow[] {
    const rows = [...this.for(referent)];
    this.#waiting.delete(referent);
    for (const { uuid } of rows) {
      const referents = this.#referents.get(uuid);
      referents?.delete(referent);
      if (referents?.size === 0) this.#referents.delete(uuid);
    }
    return rows;
  }
}

export interface WaitingRow {
  readonly table: string;
  readonly uuid: string;
  readonly isWhole: boolean;
  readonly cells: Map<string, Set<string>>;
}
