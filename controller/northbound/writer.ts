import type { DatabaseSchema } from '#ovsdb/schema.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { OperationError, TransactionOutcome } from '#ovsdb/transaction/outcome.ts';
import type { Board, BoardListener } from '../engine/board.ts';
import type { Key } from '../engine/table.ts';
import { Turns, turn } from '../turns.ts';
import { type Batch, Batches } from './batches.ts';
import type { DirtyRow } from './dirty-rows.ts';
import type { Fence } from './fence.ts';
import { InLine } from './in-line.ts';
import { ownerKey } from './owned-columns.ts';
import { Pacing } from './pacing.ts';
import { ParkedRows } from './parked-rows.ts';
import type { Actual, ActualRow } from './plan.ts';
import type { SetChange } from './set-index.ts';
import { WantedRows } from './wanted-rows.ts';

/** A row of the replica that came, changed or went. */
export interface RowChange {
  readonly table: string;
  readonly uuid: string;
  readonly before: ActualRow | undefined;
  readonly after: ActualRow | undefined;
  /** False when nothing changed but large sets. */
  readonly isRowChanged: boolean;
  /** What came into large sets of the row, and what went. */
  readonly entries: readonly SetChange[];
}

/** The replica of the northbound database and the way to write to it. */
export interface Northbound extends Actual {
  readonly schema: DatabaseSchema;
  /** Tables of ours that the replica holds a copy of. */
  readonly tables: readonly string[];
  /** Rejects when there is no connection. The replica shows what was committed before this resolves. */
  transact(operations: readonly Operation[]): Promise<TransactionOutcome>;
  onChange(listener: (change: RowChange) => void): () => void;
}

/** What the writer did, for logs and metrics. */
export type WriterEvent =
  | {
      readonly kind: 'committed';
      readonly operations: number;
      readonly rows: number;
      /** Of these, rows that somebody else had changed, or that were lost. */
      readonly repaired: number;
      readonly milliseconds: number;
    }
  | { readonly kind: 'parked'; readonly table: string; readonly row: Key; readonly error: OperationError }
  | { readonly kind: 'retrying'; readonly cause: unknown; readonly inMilliseconds: number }
  /** Another controller leads: nothing is written any more. */
  | { readonly kind: 'deposed' };

export interface WriterOptions {
  readonly onEvent?: (event: WriterEvent) => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Keeps a deposed leader's transactions out; absent when there is only ever one controller. */
  readonly fence?: Fence;
  /** Ports in a full batch; 100 when absent. */
  readonly fullBatchRows?: number;
  /** When what the board shows is the whole answer to what is known; undefined when it is already. */
  readonly untilSettled?: () => Promise<void> | undefined;
}

/**
 * So many ports are a full batch: ovsdb-server commits more a second with dozens in a transaction than with hundreds, and the larger a batch,
 * the longer others wait while what comes back of it is taken in. Members of one set share an operation, so smaller ones cost more per row.
 */
const fullBatchRows = 100;
const fewRows = 50;
const fewOperations = 50;
const firstRetryMilliseconds = 100;
const lastRetryMilliseconds = 30_000;
/** A batch that is not full waits no longer for the rest of an answer. */
const longestUnsettledMs = 100;

/**
 * Brings the northbound database in line with the board: dirty rows only, one transaction in flight, everything that becomes
 * dirty meanwhile in the next one. It remembers no outcome: the replica says what is there, so a lost reply, a lost database
 * and someone else's edit are the same thing, a row that differs from what is wanted.
 */
export class NorthboundWriter implements BoardListener {
  readonly #board: Board;
  readonly #northbound: Northbound;
  readonly #onEvent: (event: WriterEvent) => void;
  readonly #now: () => number;
  readonly #sleep: (milliseconds: number) => Promise<void>;
  readonly #fence: Fence | undefined;
  readonly #untilSettled: () => Promise<void> | undefined;
  readonly #wanted: WantedRows;
  readonly #batches: Batches;
  readonly #parked: ParkedRows;
  readonly #pacing = new Pacing();
  /** Something else is wanted than when the last batch was taken. */
  #hasNews = false;
  readonly #stopListening: () => void;
  /** What the database tells from now on counts: what there was before has been looked at, or is about to be. */
  #listens = false;
  #started = false;
  #flushing: Promise<void> | undefined;
  /** Ends the wait for company once the batch is full. */
  #onFull: () => void = () => {};
  #closed = false;

  constructor(board: Board, northbound: Northbound, options: WriterOptions) {
    this.#board = board;
    this.#northbound = northbound;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep;
    this.#fence = options.fence;
    this.#untilSettled = options.untilSettled ?? (() => undefined);
    this.#wanted = new WantedRows(board);
    this.#parked = new ParkedRows(board.problems, options.sleep, (row) => this.#retry(row));
    this.#batches = new Batches({
      wanted: this.#wanted,
      northbound,
      isParked: (uuid) => this.#parked.has(uuid),
      fullBatchRows: options.fullBatchRows ?? fullBatchRows,
      now: this.#now,
    });
    board.listeners.add(this);
    this.#stopListening = northbound.onChange((change) => this.#replicaChanged(change));
  }

  /**
   * From now on the database is written, and what is ours and not wanted is removed. Only to be called when every source of objects
   * is in sync: before, what is missing on the board may just not have been read yet. Gives the event loop its turns.
   */
  async start(): Promise<void> {
    this.#listens = true;
    const turns = new Turns(this.#now);
    const inLine = new InLine(this.#northbound, this.#northbound.schema);
    for (const table of this.#board.tables()) {
      for (const desired of this.#board.rows(table)) {
        const uuid = this.#wanted.look(table, desired.key, desired);
        if (!inLine.has(desired, uuid)) this.#batches.mark(table, uuid, false);
        if (turns.isTimeUp) await turns.next();
      }
    }
    for (const table of this.#northbound.tables) {
      for (const [uuid, row] of this.#northbound.rows(table)) {
        if (!this.#wanted.has(uuid) && isOurs(row)) this.#batches.mark(table, uuid, false);
        if (turns.isTimeUp) await turns.next();
      }
    }
    this.#started = true;
    this.#wake();
  }

  /** Rows that wait for another, for tests: nothing wanted leaves none. */
  get waiting(): number {
    return this.#batches.waiting;
  }

  /** Rows that the database has refused and that are tried again later. */
  get parked(): number {
    return this.#parked.size;
  }

  /** Resolves when nothing is dirty and nothing in flight. Rows parked for an error do not count. */
  async idle(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  /** Lets the transaction in flight end and writes nothing any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#board.listeners.delete(this);
    this.#stopListening();
    await this.idle();
  }

  rowChanged(table: string, key: Key): void {
    this.#hasNews = true;
    const uuid = this.#wanted.look(table, key);
    this.#parked.takeOut(uuid);
    this.#batches.forgetRow(uuid);
    this.#batches.mark(table, uuid, false);
    this.#wake();
  }

  cellChanged(table: string, key: Key, column: string, entry: string): void {
    this.#hasNews = true;
    const cell = this.#wanted.cell(table, key, column);
    if (cell === undefined) return;
    if (!this.#wanted.has(cell.uuid)) {
      this.#batches.forgetEntry(entry, cell);
      return;
    }
    this.#parked.takeOut(cell.uuid);
    this.#batches.markCell(cell, entry, false);
    this.#wake();
  }

  #replicaChanged({ table, uuid, before, after, isRowChanged, entries }: RowChange): void {
    if (!this.#listens) return;
    const isWanted = this.#wanted.has(uuid);
    const isEcho = before === undefined && after !== undefined && this.#batches.isComing(uuid);
    if (after !== undefined && before === undefined) this.#batches.arrived(uuid);
    if (isRowChanged && !isEcho && (isWanted || (after !== undefined && isOurs(after)))) {
      this.#batches.mark(table, uuid, true);
    }
    for (const { set, come, gone } of entries) {
      const { refTable, refType } = this.#northbound.schema.tables[table]?.columns[set.column]?.key ?? {};
      // The entry may be a child that somebody took away or moved, or a member of one of our groups.
      if (refType !== 'weak') {
        for (const child of come) this.#childMoved(refTable, child);
        for (const child of gone) this.#childMoved(refTable, child);
      } else if (isWanted && !isEcho) {
        // Mostly it is what has just been written that comes back.
        for (const entry of come) if (!this.#wanted.hasEntry(set, entry)) this.#batches.markCell(set, entry, true);
        for (const entry of gone) if (this.#wanted.hasEntry(set, entry)) this.#batches.markCell(set, entry, true);
      }
    }
    this.#wake();
  }

  #childMoved(table: string | undefined, child: string): void {
    if (table === undefined || !this.#wanted.has(child) || this.#batches.isComing(child)) return;
    this.#batches.mark(table, child, true);
  }

  #wake(): void {
    if (!this.#started || this.#closed || this.#batches.isEmpty) return;
    if (this.#flushing !== undefined) {
      this.#batches.planAheadSoon();
      if (this.#batches.isFull) this.#onFull();
      return;
    }
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
      this.#wake();
    });
  }

  async #flush(): Promise<void> {
    let retryMilliseconds = firstRetryMilliseconds;
    // What a run of the features says in one go belongs in the same transaction.
    await allSaid;
    const turns = new Turns(this.#now);
    while (!this.#batches.isEmpty && !this.#closed) {
      // A few rows go in this very turn of the event loop. Many take a turn to plan; and batches in which nothing differs, as at a
      // restart, follow one another without a reply to wait for.
      if (turns.isTimeUp || this.#batches.size > fewRows) await turns.next();
      await this.#awaitCompany();
      if (this.#closed) return;
      this.#hasNews = false;
      const batch = this.#batches.next();
      try {
        await this.#write(batch, true);
        retryMilliseconds = firstRetryMilliseconds;
      } catch (cause) {
        this.#batches.restore(batch);
        if (this.#closed) return;
        this.#onEvent({ kind: 'retrying', cause, inMilliseconds: retryMilliseconds });
        await this.#sleep(retryMilliseconds);
        retryMilliseconds = Math.min(retryMilliseconds * 2, lastRetryMilliseconds);
      }
    }
  }

  /**
   * Waits for as long as the pace says, and for the rest of what is being worked out: half an answer could take a port away that the other
   * half has again. A batch that is full gains nothing by waiting, nor does what is left of what was there when the one before was taken.
   */
  async #awaitCompany(): Promise<void> {
    const settled = this.#batches.isFull ? undefined : this.#untilSettled();
    if (settled !== undefined) await this.#unlessFull([settled, this.#sleep(longestUnsettledMs)]);
    const waitMs = this.#batches.isFull || !this.#hasNews ? 0 : this.#pacing.waitMs(this.#now());
    if (waitMs > 0) await this.#unlessFull([this.#sleep(waitMs)]);
  }

  async #unlessFull(waits: readonly Promise<void>[]): Promise<void> {
    const full = new Promise<void>((resolve) => {
      this.#onFull = resolve;
    });
    await Promise.race([full, ...waits]);
  }

  /** Writes a batch; of a refused one first the one half and then the other, until the culprits are alone. */
  async #write(batch: Batch, mayPlanAhead: boolean): Promise<void> {
    const { rows, plan: planned } = batch;
    const { operations } = planned;
    if (operations.length === 0) return this.#landed(rows);
    // Sending a large batch takes as long as planning it: others have their turn in between.
    if (operations.length > fewOperations) await turn();
    const sent = this.#now();
    this.#pacing.began(sent, rows.length);
    let outcome: TransactionOutcome | 'closed' | undefined;
    try {
      const transaction = this.#transact(operations);
      this.#batches.sent(batch, mayPlanAhead);
      outcome = await transaction;
    } finally {
      this.#pacing.ended(this.#now(), this.#hasNews);
      this.#batches.ended(batch, typeof outcome === 'object' && outcome.status === 'committed');
    }
    if (outcome === 'closed') return;
    if (outcome.status === 'outcomeUnknown') throw outcome.cause;
    if (outcome.status === 'committed') {
      this.#landed(rows);
      this.#lookForOrphans(batch);
      const milliseconds = batch.milliseconds + this.#now() - sent;
      const repaired = rows.filter(({ uuid, isDrift }) => isDrift && planned.different.has(uuid)).length;
      this.#onEvent({ kind: 'committed', operations: operations.length, rows: rows.length, repaired, milliseconds });
      return;
    }
    const [only] = rows;
    if (only !== undefined && rows.length === 1) {
      this.#park(only, outcome.error);
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    await this.#write(this.#batches.planned(rows.slice(0, middle)), false);
    await this.#write(this.#batches.planned(rows.slice(middle)), false);
  }

  /** The fence goes first; what it finds out is not the fault of what is written. */
  async #transact(operations: readonly Operation[]): Promise<TransactionOutcome | 'closed'> {
    const fence = this.#fence;
    if (fence === undefined) return this.#northbound.transact(operations);
    for (;;) {
      if (this.#closed) return 'closed';
      const guard = fence.operations();
      const outcome = await this.#northbound.transact([...guard, ...operations]);
      const stopped =
        outcome.status === 'refused' &&
        outcome.error.operationIndex !== undefined &&
        outcome.error.operationIndex < guard.length;
      if (!stopped) return outcome;
      if ((await fence.raise()) === 'deposed') {
        this.#closed = true;
        this.#onEvent({ kind: 'deposed' });
        return 'closed';
      }
    }
  }

  /** A row whose parent somebody took away after it was planned has gone as it came: the batch is looked at anew. */
  #lookForOrphans(batch: Batch): void {
    const isOrphan = ({ table, uuid }: DirtyRow) =>
      batch.plan.inserted.has(uuid) &&
      this.#northbound.row(table, uuid) === undefined &&
      this.#wanted.row(uuid)?.fact?.parent !== undefined;
    if (batch.rows.some(isOrphan)) this.#batches.takeBack(batch);
  }

  #landed(batch: readonly DirtyRow[]): void {
    if (this.#parked.size > 0) for (const { uuid } of batch) this.#parked.takeOut(uuid);
  }

  #park(row: DirtyRow, error: OperationError): void {
    const { table, uuid } = row;
    this.#parked.park(row, error, this.#wanted.row(uuid)?.fact?.object);
    this.#onEvent({ kind: 'parked', table, row: this.#wanted.keyOf(uuid) ?? uuid, error });
  }

  #retry(row: DirtyRow): void {
    if (this.#closed) return;
    this.#batches.restore({ rows: [row] });
    this.#wake();
  }
}

const allSaid = Promise.resolve();

function isOurs(row: ActualRow): boolean {
  const ids = row.external_ids;
  return typeof ids === 'object' && 'get' in ids && ids.get(ownerKey) !== undefined;
}
