import type { DatabaseSchema } from '#ovsdb/schema.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { OperationError, TransactionOutcome } from '#ovsdb/transaction/outcome.ts';
import type { Board, BoardListener } from '../engine/board.ts';
import type { ObjectReference, ProblemFact } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { Awaiting } from './awaiting.ts';
import { type DirtyRow, DirtyRows } from './dirty-rows.ts';
import type { Fence } from './fence.ts';
import { Foreseen } from './foreseen.ts';
import { largeSets, ownerKey } from './owned-columns.ts';
import { Pacing } from './pacing.ts';
import { type Actual, type ActualRow, type Plan, plan, type Unit } from './plan.ts';
import { rowUuid } from './row-uuid.ts';
import type { Reference } from './set-index.ts';
import { Turns } from './turns.ts';

/** A row of the replica that came, changed or went. */
export interface RowChange {
  readonly table: string;
  readonly uuid: string;
  readonly before: ActualRow | undefined;
  readonly after: ActualRow | undefined;
  /** False when nothing changed but large sets. */
  readonly isRowChanged: boolean;
  /** Entries of large sets that came or went. */
  readonly entries: readonly { readonly column: string; readonly entries: readonly string[] }[];
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
  /** Ports in a full batch; 200 when absent. */
  readonly fullBatchRows?: number;
}

/**
 * So many ports are a full batch, so that neither planning nor the server's commit takes long. Members of one set share an operation, so
 * larger batches cost less per row.
 */
const fullBatchRows = 200;
/** Rows and cells of a full batch, by its ports: each is in its switch and in two port groups or so. */
const weightOfPort = 3;
const fewOperations = 50;
const firstRetryMilliseconds = 100;
const lastRetryMilliseconds = 30_000;
const firstParkMilliseconds = 1000;
const lastParkMilliseconds = 60_000;

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
  readonly #fullBatchRows: number;
  /** UUID → key of every wanted row. */
  readonly #keys = new Map<string, Key>();
  /** Table and key → UUID of the wanted rows that have large sets. */
  readonly #groups = new Map<string, string>();
  readonly #dirty = new DirtyRows();
  readonly #awaiting = new Awaiting();
  readonly #pacing = new Pacing();
  /** Something else is wanted than when the last batch was taken. */
  #hasNews = false;
  readonly #parked = new Map<string, Parked>();
  /** Rows that the transaction in flight inserts: their appearance is its echo. */
  #inserting: ReadonlySet<string> = new Set();
  /** The batch in flight, while another one can be planned on it. */
  #inFlight: Batch | undefined;
  /** Planned while the database works on the batch in flight; not to be sent unless that takes place and nobody else interferes. */
  #ahead: Batch | undefined;
  #isAheadDue = false;
  #last = { table: '', key: '', uuid: '' };
  readonly #stopListening: () => void;
  #started = false;
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(board: Board, northbound: Northbound, options: WriterOptions) {
    this.#board = board;
    this.#northbound = northbound;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep;
    this.#fence = options.fence;
    this.#fullBatchRows = options.fullBatchRows ?? fullBatchRows;
    board.listeners.add(this);
    this.#stopListening = northbound.onChange((change) => this.#replicaChanged(change));
  }

  /**
   * From now on the database is written, and what is ours and not wanted is removed. Only to be called when every source of objects
   * is in sync: before, what is missing on the board may just not have been read yet. Gives the event loop its turns.
   */
  async start(): Promise<void> {
    const turns = new Turns(this.#now);
    for (const table of this.#board.tables()) {
      for (const { key } of this.#board.rows(table)) {
        this.rowChanged(table, key);
        if (turns.isTimeUp) await turns.next();
      }
    }
    for (const table of this.#northbound.tables) {
      for (const [uuid, row] of this.#northbound.rows(table)) {
        if (isOurs(row) && !this.#keys.has(uuid)) this.#mark(table, uuid, false);
        if (turns.isTimeUp) await turns.next();
      }
    }
    this.#started = true;
    this.#wake();
  }

  /** Rows that wait for another, for tests: nothing wanted leaves none. */
  get waiting(): number {
    return this.#awaiting.size;
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

  /** What the database refuses, for those whose objects it comes from. */
  *problems(): Iterable<ProblemFact> {
    for (const { object, error } of this.#parked.values()) {
      if (object === undefined) continue;
      const sentence = `the northbound database refuses it: ${error.message}`;
      yield { kind: 'problem', object, condition: 'Refused', sentence };
    }
  }

  rowChanged(table: string, key: Key): void {
    this.#hasNews = true;
    const uuid = this.#uuid(table, key);
    const isWanted = this.#board.row(table, key) !== undefined;
    if (isWanted) this.#keys.set(uuid, key);
    else this.#keys.delete(uuid);
    if (largeSets[table] !== undefined) {
      if (isWanted) this.#groups.set(`${table}/${key}`, uuid);
      else this.#groups.delete(`${table}/${key}`);
    }
    this.#parked.delete(uuid);
    this.#awaiting.forgetRow(uuid);
    this.#mark(table, uuid, false);
    this.#wake();
  }

  cellChanged(table: string, key: Key, column: string, entry: string): void {
    this.#hasNews = true;
    const uuid = this.#uuid(table, key);
    if (!this.#keys.has(uuid)) {
      this.#awaiting.forgetEntry(entry, uuid, column);
      return;
    }
    this.#parked.delete(uuid);
    this.#markCell(table, uuid, key, column, entry, false);
    this.#wake();
  }

  problemChanged(): void {}

  #replicaChanged({ table, uuid, before, after, isRowChanged, entries }: RowChange): void {
    if (!this.#started) return;
    const key = this.#keys.get(uuid);
    const isEcho = before === undefined && after !== undefined && this.#inserting.has(uuid);
    if (after !== undefined && before === undefined) this.#arrived(uuid);
    if (isRowChanged && !isEcho && (key !== undefined || (after !== undefined && isOurs(after)))) {
      this.#mark(table, uuid, true);
    }
    for (const set of entries) {
      for (const entry of set.entries) {
        // The entry may be a child that somebody took away or moved, or a member of one of our groups.
        if (!isWeak(this.#northbound, table, set.column)) this.#childMoved(table, set.column, entry);
        else if (key !== undefined && !isEcho && !this.#isAsWanted(table, uuid, key, set.column, entry)) {
          this.#markCell(table, uuid, key, set.column, entry, true);
        }
      }
    }
    this.#wake();
  }

  /** What came with the row waits no more; what was said of it meanwhile is looked at now. */
  #arrived(uuid: string): void {
    for (const waiting of this.#awaiting.takeRows(uuid)) this.#mark(waiting.table, waiting.uuid, false);
    for (const set of this.#awaiting.takeEntries(uuid)) this.#markEntry(set, uuid);
  }

  #childMoved(parentTable: string, column: string, child: string): void {
    if (!this.#keys.has(child) || this.#inserting.has(child)) return;
    const refTable = this.#northbound.schema.tables[parentTable]?.columns[column]?.key.refTable;
    if (refTable !== undefined) this.#mark(refTable, child, true);
  }

  /** Mostly it is what has just been written that comes back. */
  #isAsWanted(table: string, uuid: string, key: Key, column: string, entry: string): boolean {
    const isWanted = this.#board.row(table, key)?.entry(column, entry) !== undefined;
    return isWanted === this.#northbound.contains({ table, uuid, column }, entry);
  }

  #mark(table: string, uuid: string, isDrift: boolean): void {
    if (isDrift) this.#interfered(uuid);
    if (!this.#parked.has(uuid)) this.#dirty.add(table, uuid, this.#keys.get(uuid), isDrift);
  }

  #markEntry({ table, uuid, column }: Reference, entry: string): void {
    const key = this.#keys.get(uuid);
    if (key !== undefined) this.#markCell(table, uuid, key, column, entry, false);
  }

  /** A member of a set that is not there yet is not looked at before it comes. */
  #markCell(table: string, uuid: string, key: Key, column: string, entry: string, isDrift: boolean): void {
    if (isDrift) this.#interfered(uuid);
    if (this.#parked.has(uuid)) return;
    const isWanted = this.#board.row(table, key)?.entry(column, entry) !== undefined;
    if (!isWanted) this.#awaiting.forgetEntry(entry, uuid, column);
    const refTable = this.#northbound.schema.tables[table]?.columns[column]?.key.refTable;
    if (
      refTable !== undefined &&
      largeSets[table]?.includes(column) &&
      this.#northbound.row(refTable, entry) === undefined
    ) {
      if (isWanted) this.#awaiting.addEntry(entry, { table, uuid, column });
      return;
    }
    this.#dirty.addCell(table, uuid, key, column, entry, isDrift);
  }

  #wake(): void {
    if (!this.#started || this.#closed || this.#dirty.size === 0) return;
    if (this.#flushing !== undefined) {
      this.#planAheadSoon();
      return;
    }
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
      this.#wake();
    });
  }

  async #flush(): Promise<void> {
    let retryMilliseconds = firstRetryMilliseconds;
    // What becomes dirty in this turn of the event loop belongs in the same transaction.
    await new Promise((resolve) => setImmediate(resolve));
    const turns = new Turns(this.#now);
    while ((this.#dirty.size > 0 || this.#ahead !== undefined) && !this.#closed) {
      // Batches in which nothing differs, as at a restart, follow one another without a reply to wait for.
      if (turns.isTimeUp) await turns.next();
      // A batch that is full gains nothing by waiting.
      const isFull = this.#ahead !== undefined || this.#dirty.size >= this.#fullBatchRows;
      const waitMs = isFull ? 0 : this.#pacing.waitMs(this.#now());
      if (waitMs > 0) await this.#sleep(waitMs);
      if (this.#closed) return;
      this.#hasNews = false;
      const batch = this.#ahead ?? this.#planned(this.#takeBatch());
      this.#ahead = undefined;
      try {
        await this.#write(batch, true);
        retryMilliseconds = firstRetryMilliseconds;
      } catch (cause) {
        this.#restore(batch.rows);
        if (this.#closed) return;
        this.#onEvent({ kind: 'retrying', cause, inMilliseconds: retryMilliseconds });
        await this.#sleep(retryMilliseconds);
        retryMilliseconds = Math.min(retryMilliseconds * 2, lastRetryMilliseconds);
      }
    }
  }

  #takeBatch(): readonly DirtyRow[] {
    return this.#dirty.take(this.#fullBatchRows * weightOfPort, (row) => this.#weightOf(row));
  }

  #planned(rows: readonly DirtyRow[], actual: Actual = this.#northbound): Batch {
    const started = this.#now();
    const coming: Coming[] = [];
    const planned = plan(
      rows.map((row) => this.#unit(row)),
      actual,
      this.#northbound.schema,
      (referent) => {
        const sets = this.#awaiting.takeEntries(referent);
        if (sets.length > 0) coming.push({ referent, sets });
        return sets.map((set) => ({ unit: this.#unit(set), column: set.column }));
      },
    );
    for (const { referent, unit, column } of planned.awaited) {
      const { table, uuid } = unit;
      if (column === undefined) this.#awaiting.addRow(referent, { table, uuid });
      else this.#awaiting.addEntry(referent, { table, uuid, column });
    }
    const uuids = new Set(rows.map(({ uuid }) => uuid));
    return { rows, uuids, plan: planned, coming, milliseconds: this.#now() - started };
  }

  /** Writes a batch; of a refused one first the one half and then the other, until the culprits are alone. */
  async #write(batch: Batch, mayPlanAhead: boolean): Promise<void> {
    const { rows, plan: planned, coming } = batch;
    const { operations } = planned;
    if (operations.length === 0) return this.#landed(rows);
    this.#inserting = planned.inserted;
    // Sending a large batch takes as long as planning it: others have their turn in between.
    if (operations.length > fewOperations) await new Promise((resolve) => setImmediate(resolve));
    const sent = this.#now();
    this.#pacing.began(sent, rows.length);
    let outcome: TransactionOutcome | 'closed' | undefined;
    try {
      const transaction = this.#transact(operations);
      if (mayPlanAhead) {
        this.#inFlight = batch;
        this.#planAheadSoon();
      }
      outcome = await transaction;
    } finally {
      this.#inFlight = undefined;
      this.#inserting = new Set();
      this.#pacing.ended(this.#now(), this.#hasNews);
      const isThere = typeof outcome === 'object' && outcome.status === 'committed';
      if (!isThere) {
        this.#dropAhead();
        this.#awaitAgain(coming);
      }
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
    await this.#write(this.#planned(rows.slice(0, middle)), false);
    await this.#write(this.#planned(rows.slice(middle)), false);
  }

  /** In a turn of its own, when a full batch waits and the database is busy. */
  #planAheadSoon(): void {
    const isWorthIt =
      this.#inFlight !== undefined && this.#ahead === undefined && this.#dirty.size >= this.#fullBatchRows;
    if (!isWorthIt || this.#isAheadDue) return;
    this.#isAheadDue = true;
    setImmediate(() => {
      this.#isAheadDue = false;
      const inFlight = this.#inFlight;
      if (inFlight === undefined || this.#ahead !== undefined || this.#closed) return;
      const taken = this.#takeBatch();
      // Rows of the batch in flight are looked at when it is known what has become of them.
      this.#restore(taken.filter(({ uuid }) => inFlight.uuids.has(uuid)));
      const rows = taken.filter(({ uuid }) => !inFlight.uuids.has(uuid));
      if (rows.length > 0) this.#ahead = this.#planned(rows, new Foreseen(this.#northbound, inFlight.plan));
    });
  }

  /** Somebody else has changed a row: what was planned ahead may have been planned on it. */
  #interfered(uuid: string): void {
    if (this.#ahead !== undefined && !this.#inFlight?.uuids.has(uuid)) this.#dropAhead();
  }

  #dropAhead(): void {
    const ahead = this.#ahead;
    if (ahead === undefined) return;
    this.#ahead = undefined;
    this.#restore(ahead.rows);
    this.#awaitAgain(ahead.coming);
  }

  #restore(rows: readonly DirtyRow[]): void {
    for (const row of rows) this.#dirty.restore(row, this.#keys.get(row.uuid));
  }

  #awaitAgain(coming: readonly Coming[]): void {
    for (const { referent, sets } of coming) for (const set of sets) this.#markEntry(set, referent);
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
  #lookForOrphans({ rows, coming, plan: { inserted } }: Batch): void {
    const isOrphan = ({ table, uuid }: DirtyRow) =>
      inserted.has(uuid) &&
      this.#northbound.row(table, uuid) === undefined &&
      this.#unit({ table, uuid }).desired?.fact?.parent !== undefined;
    if (!rows.some(isOrphan)) return;
    this.#restore(rows);
    this.#awaitAgain(coming);
  }

  #landed(batch: readonly DirtyRow[]): void {
    if (this.#parked.size > 0) for (const { uuid } of batch) this.#parked.delete(uuid);
  }

  #park(row: DirtyRow, error: OperationError): void {
    const attempts = (this.#parked.get(row.uuid)?.attempts ?? 0) + 1;
    const key = this.#keys.get(row.uuid);
    const object = key === undefined ? undefined : this.#board.row(row.table, key)?.fact?.object;
    this.#parked.set(row.uuid, { row, attempts, error, ...(object && { object }) });
    this.#onEvent({ kind: 'parked', table: row.table, row: key ?? row.uuid, error });
    const delay = Math.min(firstParkMilliseconds * 2 ** (attempts - 1), lastParkMilliseconds);
    void this.#sleep(delay).then(() => {
      // A change of what is wanted has unparked it already.
      if (this.#parked.get(row.uuid)?.row !== row || this.#closed) return;
      this.#dirty.restore(row, this.#keys.get(row.uuid));
      this.#wake();
    });
  }

  /** How much work the row is: itself, its cells and what comes with it. */
  #weightOf({ table, uuid, cells }: DirtyRow): number {
    const key = this.#keys.get(uuid);
    let weight = 1 + this.#awaiting.countFor(uuid);
    if (cells === undefined && key !== undefined) weight += (this.#board.row(table, key)?.cellCount ?? 0) / 8;
    for (const entries of cells?.values() ?? []) weight += entries.size;
    // To compare a row takes as long as to write it.
    return cells === undefined ? Math.max(weight, weightOfPort) : weight;
  }

  #unit({ table, uuid, cells }: Pick<DirtyRow, 'table' | 'uuid' | 'cells'>): Unit {
    const key = this.#keys.get(uuid);
    const desired = key === undefined ? undefined : this.#board.row(table, key);
    return { table, uuid, desired, ...(cells && { cells }) };
  }

  /** Facts about one row come one after another, and those about a row with a large set again and again. */
  #uuid(table: string, key: Key): string {
    if (this.#last.table === table && this.#last.key === key) return this.#last.uuid;
    const known = largeSets[table] && this.#groups.get(`${table}/${key}`);
    const uuid = known ?? rowUuid(table, key);
    this.#last = { table, key, uuid };
    return uuid;
  }
}

/** The sets that are to hold a row, which comes with the batch. */
interface Coming {
  readonly referent: string;
  readonly sets: readonly Reference[];
}

/** Rows to be brought in line, and the transaction that does it. */
interface Batch {
  readonly rows: readonly DirtyRow[];
  readonly uuids: ReadonlySet<string>;
  readonly plan: Plan;
  readonly coming: readonly Coming[];
  /** How long it took to plan. */
  readonly milliseconds: number;
}

interface Parked {
  readonly row: DirtyRow;
  readonly attempts: number;
  readonly error: OperationError;
  readonly object?: ObjectReference;
}

function isWeak({ schema }: Northbound, table: string, column: string): boolean {
  return schema.tables[table]?.columns[column]?.key.refType === 'weak';
}

function isOurs(row: ActualRow): boolean {
  const ids = row.external_ids;
  return typeof ids === 'object' && 'get' in ids && ids.get(ownerKey) !== undefined;
}
