import type { Change } from './change.ts';
import type { RowUpdate } from './row-update.ts';
import { TableContent, type TableState } from './table-content.ts';

/**
 * A whole new content, built row by row beside the old one while its dump arrives, and swapped in when it is complete. Rows that are
 * the same stay the same objects, so that nobody hears of them.
 */
export class Snapshot {
  readonly #tables: ReadonlyMap<string, TableState>;
  readonly #contents: ReadonlyMap<string, TableContent>;
  readonly #changes: Change[] = [];
  readonly #isFirst: boolean;

  /** `isFirst`: nothing was there before, and no changes are wanted. */
  constructor(tables: ReadonlyMap<string, TableState>, isFirst: boolean) {
    this.#tables = tables;
    this.#isFirst = isFirst;
    this.#contents = new Map([...tables].map(([name, { indexes }]) => [name, new TableContent(indexes)]));
  }

  take({ table: name, uuid, ...update }: RowUpdate): void {
    const table = this.#tables.get(name);
    if (!table || update.kind === 'delete') return;
    const after = table.shape.whole(uuid, update.cells);
    const before = table.content.rows.get(uuid);
    const isSame = before !== undefined && table.shape.same(before, after);
    this.#contents.get(name)?.add(isSame ? before : after);
    if (!isSame && !this.#isFirst) this.#changes.push({ table: name, uuid, before, after });
  }

  /** Makes this the content of the tables; gives what really differs. */
  install(): readonly Change[] {
    for (const [name, content] of this.#contents) {
      const table = this.#tables.get(name);
      if (!table) continue;
      for (const [uuid, before] of table.content.rows) {
        if (!content.rows.has(uuid)) this.#changes.push({ table: name, uuid, before, after: undefined });
      }
      table.content = content;
    }
    return this.#changes;
  }
}
