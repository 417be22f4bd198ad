import type { RowSink } from '../connection/session.ts';
import { OvsdbError } from '../errors.ts';
import { zeroUuid } from '../value/decode.ts';
import { applyUpdates } from './apply-updates.ts';
import type { Change } from './change.ts';
import { type RowUpdate, rowUpdatesOf, takeRow } from './row-update.ts';
import { Snapshot } from './snapshot.ts';
import type { TableState } from './table-content.ts';

/** How a server is asked to monitor, newest first: Open vSwitch 2.12, 2.6, RFC 7047. */
export const monitorMethods = ['monitor_cond_since', 'monitor_cond', 'monitor'] as const;
export type MonitorMethod = (typeof monitorMethods)[number];

export interface DumpResult {
  /** The server sent the difference to what we had. */
  readonly isResume: boolean;
  /** The transaction the content now stands at; kept also when the server had to send everything. */
  readonly lastId: string;
  readonly changes: readonly Change[];
}

/** Reads the reply to a monitor request: rows as they come, or all at once in a short reply. */
export class DumpReader implements RowSink {
  readonly #tables: ReadonlyMap<string, TableState>;
  readonly #method: MonitorMethod;
  readonly #isFirst: boolean;
  #snapshot: Snapshot;
  /** Rows of a resume. */
  #updates: RowUpdate[] = [];

  /** `isFirst`: there is no content yet, so that nobody needs to know what changes. */
  constructor(tables: ReadonlyMap<string, TableState>, method: MonitorMethod, isFirst: boolean) {
    this.#tables = tables;
    this.#method = method;
    this.#isFirst = isFirst;
    this.#snapshot = new Snapshot(tables, isFirst);
  }

  row(table: string, uuid: string, text: string): void {
    takeRow(table, uuid, text, (update) => this.#take(update));
  }

  /** `result` is the message's, with the rows that came before left out. May be called again with exact integers. */
  finish(result: unknown): DumpResult {
    const { isResume, lastId, rows } = this.#parts(result);
    const whole = [...rowUpdatesOf(rows)];
    if (whole.length > 0) {
      this.#snapshot = new Snapshot(this.#tables, this.#isFirst);
      this.#updates = [];
      for (const update of whole) this.#take(update);
    }
    const changes = isResume ? applyUpdates(this.#tables, this.#updates) : this.#snapshot.install();
    return { isResume, lastId, changes };
  }

  #take(update: RowUpdate): void {
    const isDifference = this.#method === 'monitor_cond_since' && update.kind !== 'initial';
    if (isDifference) this.#updates.push(update);
    else this.#snapshot.take(update);
  }

  #parts(result: unknown): { readonly isResume: boolean; readonly lastId: string; readonly rows: unknown } {
    if (this.#method !== 'monitor_cond_since') return { isResume: false, lastId: zeroUuid, rows: result };
    if (!Array.isArray(result) || typeof result[1] !== 'string') {
      throw new OvsdbError('protocol', 'not a reply to monitor_cond_since');
    }
    return { isResume: result[0] === true, lastId: result[1], rows: result[2] };
  }
}
