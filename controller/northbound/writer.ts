import type { DatabaseSchema } from '#ovsdb/schema.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { OperationError, TransactionOutcome } from '#ovsdb/transaction/outcome.ts';
import type { Board, BoardListener } from '../engine/board.ts';
import type { Key } from '../engine/table.ts';
import { ownerKey } from './owned-columns.ts';
import { type Actual, type ActualRow, plan, type Unit } from './plan.ts';
import { rowUuid } from './row-uuid.ts';

/** The replica of the northbound database and the way to write to it. */
export interface Northbound extends Actual {
  readonly schema: DatabaseSchema;
  /** Tables of which the replica holds a copy. */
  readonly tables: readonly string[];
  /** Rejects when there is no connection. The replica shows what was committed before this resolves. */
  transact(operations: readonly Operation[]): Promise<TransactionOutcome>;
  onChange(listener: (table: string, uuid: string, after: ActualRow | undefined) => void): () => void;
}

/** What the writer did, for logs and metrics. */
export type WriterEvent =
  | { readonly kind: 'committed'; readonly operations: number; readonly rows: number; readonly milliseconds: number }
  | { readonly kind: 'parked'; readonly table: string; readonly row: Key; readonly error: OperationError }
  | { readonly kind: 'retrying'; readonly cause: unknown; readonly inMilliseconds: number };

export interface WriterOptions {
  readonly onEvent?: (event: WriterEvent) => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Rows in one transaction at the most, so that neither planning nor the server's commit takes long. */
const batchRows = 1000;
const firstRetryMilliseconds = 100;
const lastRetryMilliseconds = 30_000;

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
  readonly #keys = new Map<string, Key>();
  readonly #dirty = new Map<string, DirtyRow>();
  readonly #awaiting = new Map<string, Set<string>>();
  readonly #parked = new Map<string, { readonly row: DirtyRow; readonly attempts: number }>();
  #started = false;
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(board: Board, northbound: Northbound, options: WriterOptions) {
    this.#board = board;
    this.#northbound = northbound;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep;
    board.listeners.add(this);
    northbound.onChange((table, uuid, after) => this.#replicaChanged(table, uuid, after));
  }

  /**
   * From now on the database is written, and what is ours and not wanted is removed. Only to be called when every source of objects
   * is in sync: before, what is missing on the board may just not have been read yet.
   */
  start(): void {
    this.#started = true;
    for (const table of this.#board.tables()) {
      for (const { key } of this.#board.rows(table)) this.rowChanged(table, key);
    }
    for (const table of this.#northbound.tables) {
      for (const [uuid, row] of this.#northbound.rows(table)) if (isOurs(row)) this.#mark(table, uuid);
    }
    this.#wake();
  }

  /** Resolves when nothing is dirty and nothing in flight. Rows parked for an error do not count. */
  async idle(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  /** Lets the transaction in flight end and writes nothing any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#board.listeners.delete(this);
    await this.idle();
  }

  rowChanged(table: string, key: Key): void {
    const uuid = rowUuid(table, key);
    if (this.#board.row(table, key) === undefined) this.#keys.delete(uuid);
    else this.#keys.set(uuid, key);
    this.#parked.delete(uuid);
    this.#mark(table, uuid);
    this.#wake();
  }

  cellChanged(table: string, key: Key): void {
    this.rowChanged(table, key);
  }

  problemChanged(): void {}

  #replicaChanged(table: string, uuid: string, after: ActualRow | undefined): void {
    for (const waiting of this.#awaiting.get(uuid) ?? []) {
      const [waitingTable = '', waitingUuid = ''] = waiting.split(' ');
      this.#mark(waitingTable, waitingUuid);
    }
    this.#awaiting.delete(uuid);
    if (this.#keys.has(uuid) || (after !== undefined && isOurs(after))) this.#mark(table, uuid);
    this.#wake();
  }

  #mark(table: string, uuid: string): void {
    if (this.#parked.has(uuid)) return;
    this.#dirty.set(uuid, { table, uuid });
  }

  #wake(): void {
    if (!this.#started || this.#closed || this.#flushing !== undefined || this.#dirty.size === 0) return;
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
      this.#wake();
    });
  }

  async #flush(): Promise<void> {
    let retryMilliseconds = firstRetryMilliseconds;
    // What becomes dirty in this turn of the event loop belongs in the same transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#dirty.size > 0 && !this.#closed) {
      const batch = [...this.#dirty.values()].slice(0, batchRows);
      for (const { uuid } of batch) this.#dirty.delete(uuid);
      try {
        await this.#apply(batch);
        retryMilliseconds = firstRetryMilliseconds;
      } catch (cause) {
        for (const { table, uuid } of batch) this.#mark(table, uuid);
        this.#onEvent({ kind: 'retrying', cause, inMilliseconds: retryMilliseconds });
        await this.#sleep(retryMilliseconds);
        retryMilliseconds = Math.min(retryMilliseconds * 2, lastRetryMilliseconds);
      }
    }
  }

  /** Writes the rows of a batch; of a refused one first the one half and then the other, until the culprits are alone. */
  async #apply(batch: readonly DirtyRow[]): Promise<void> {
    const started = this.#now();
    const { operations, awaited } = plan(
      batch.map((dirty) => this.#unit(dirty)),
      this.#northbound,
      this.#northbound.schema,
    );
    for (const [uuid, units] of awaited) {
      for (const unit of units)
        getOrMake(this.#awaiting, uuid, () => new Set<string>()).add(`${unit.table} ${unit.uuid}`);
    }
    if (operations.length === 0) return;
    const outcome = await this.#northbound.transact(operations);
    if (outcome.status === 'outcomeUnknown') throw outcome.cause;
    if (outcome.status === 'committed') {
      for (const { uuid } of batch) this.#parked.delete(uuid);
      const milliseconds = this.#now() - started;
      this.#onEvent({ kind: 'committed', operations: operations.length, rows: batch.length, milliseconds });
      return;
    }
    const [only] = batch;
    if (only !== undefined && batch.length === 1) {
      this.#park(only, outcome.error);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.#apply(batch.slice(0, middle));
    await this.#apply(batch.slice(middle));
  }

  #park(row: DirtyRow, error: OperationError): void {
    const attempts = (this.#parked.get(row.uuid)?.attempts ?? 0) + 1;
    this.#parked.set(row.uuid, { row, attempts });
    this.#onEvent({ kind: 'parked', table: row.table, row: this.#keys.get(row.uuid) ?? row.uuid, error });
    const delay = Math.min(1000 * 2 ** (attempts - 1), 60_000);
    void this.#sleep(delay).then(() => {
      // A change of what is wanted has unparked it already.
      if (this.#parked.get(row.uuid)?.row !== row || this.#closed) return;
      this.#dirty.set(row.uuid, row);
      this.#wake();
    });
  }

  #unit({ table, uuid }: DirtyRow): Unit {
    const key = this.#keys.get(uuid);
    return { table, uuid, desired: key === undefined ? undefined : this.#board.row(table, key) };
  }
}

interface DirtyRow {
  readonly table: string;
  readonly uuid: string;
}

function isOurs(row: ActualRow): boolean {
  const ids = row.external_ids;
  return typeof ids === 'object' && 'get' in ids && ids.get(ownerKey) !== undefined;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
