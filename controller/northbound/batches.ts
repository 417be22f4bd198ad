import type { DatabaseSchema } from '#ovsdb/schema.ts';
import { turn } from '../turns.ts';
import { Awaiting } from './awaiting.ts';
import { type DirtyRow, DirtyRows } from './dirty-rows.ts';
import { Foreseen } from './foreseen.ts';
import { largeSets } from './owned-columns.ts';
import { type Actual, type Plan, plan, type Unit } from './plan.ts';
import type { Reference } from './set-index.ts';
import type { WantedRows } from './wanted-rows.ts';

/** Rows to be brought in line, and the transaction that does it. */
export interface Batch {
  readonly rows: readonly DirtyRow[];
  readonly uuids: ReadonlySet<string>;
  readonly plan: Plan;
  readonly coming: readonly Coming[];
  /** How long it took to plan. */
  readonly milliseconds: number;
}

/** The sets that are to hold a row, which comes with the batch. */
interface Coming {
  readonly referent: string;
  readonly sets: readonly Reference[];
}

/** The database as the replica shows it. */
export interface Planned extends Actual {
  readonly schema: DatabaseSchema;
}

export interface BatchesOptions {
  readonly wanted: WantedRows;
  readonly northbound: Planned;
  /** Rows that are not to be looked at for now. */
  readonly isParked: (uuid: string) => boolean;
  /** Ports in a full batch. */
  readonly fullBatchRows: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** A batch ends with what could be planned by then, so that others have their turn. */
const longestPlanMs = 6;
/** Rows and cells of a full batch, by its ports: each is in its switch and in two port groups or so. */
const weightOfPort = 3;

/**
 * What has to be looked at, and the batches made of it: a full one at most at a time, and the next while the database works on the one in
 * flight.
 */
export class Batches {
  readonly #options: BatchesOptions;
  readonly #wanted: WantedRows;
  readonly #northbound: Planned;
  readonly #dirty = new DirtyRows();
  readonly #awaiting = new Awaiting();
  #inFlight: Batch | undefined;
  #mayPlanAhead = false;
  /** Planned on the batch in flight; not to be sent unless that takes place and nobody else interferes. */
  #ahead: Batch | undefined;
  #isAheadDue = false;

  constructor(options: BatchesOptions) {
    this.#options = options;
    this.#wanted = options.wanted;
    this.#northbound = options.northbound;
  }

  get isEmpty(): boolean {
    return this.#dirty.size === 0 && this.#ahead === undefined;
  }

  /** Rows to be looked at. */
  get size(): number {
    return this.#dirty.size;
  }

  /** The next batch gains nothing by waiting. */
  get isFull(): boolean {
    return this.#ahead !== undefined || this.#hasFull;
  }

  /** Rows and entries that wait for another row. */
  get waiting(): number {
    return this.#awaiting.size;
  }

  /** The row may differ from what is wanted. `isDrift`: because the database has changed. */
  mark(table: string, uuid: string, isDrift: boolean): void {
    if (isDrift) this.#interfered(uuid);
    if (!this.#options.isParked(uuid)) this.#dirty.add(table, uuid, this.#wanted.keyOf(uuid), isDrift);
  }

  /** Only this entry of the row may differ. A member of a set that is not there yet is not looked at before it comes. */
  markCell(set: Reference, entry: string, isDrift: boolean): void {
    const { table, uuid, column } = set;
    if (isDrift) this.#interfered(uuid);
    if (this.#options.isParked(uuid)) return;
    const isWanted = this.#wanted.hasEntry(set, entry);
    if (!isWanted) this.#awaiting.forgetEntry(entry, set);
    if (largeSets[table]?.includes(column)) {
      const refTable = this.#northbound.schema.tables[table]?.columns[column]?.key.refTable;
      if (refTable !== undefined && this.#northbound.row(refTable, entry) === undefined) {
        if (isWanted) this.#awaiting.addEntry(entry, set);
        return;
      }
    }
    this.#dirty.addCell(table, uuid, this.#wanted.keyOf(uuid), column, entry, isDrift);
  }

  /** The row waits for no other: it is wanted no more, or is to be looked at anew. */
  forgetRow(uuid: string): void {
    this.#awaiting.forgetRow(uuid);
  }

  forgetEntry(entry: string, set: Reference): void {
    this.#awaiting.forgetEntry(entry, set);
  }

  /** The row has come into the database: what waited for it waits no more, and is looked at now. */
  arrived(uuid: string): void {
    for (const waiting of this.#awaiting.takeRows(uuid)) this.mark(waiting.table, waiting.uuid, false);
    for (const set of this.#awaiting.takeEntries(uuid)) this.#markEntry(set, uuid);
  }

  /** The appearance of the row would be the echo of the transaction in flight. */
  isComing(uuid: string): boolean {
    return this.#inFlight?.plan.inserted.has(uuid) ?? false;
  }

  /** Takes what is to be written next. */
  next(): Batch {
    const batch = this.#ahead ?? this.#begun(this.#take(), this.#northbound);
    this.#ahead = undefined;
    return batch;
  }

  planned(rows: readonly DirtyRow[]): Batch {
    return this.#planned(rows, this.#northbound, () => false);
  }

  /** As much of it as there is time for. */
  #begun(rows: readonly DirtyRow[], actual: Actual): Batch {
    const end = this.#options.now() + longestPlanMs;
    const batch = this.#planned(rows, actual, () => this.#options.now() >= end);
    if (batch.plan.left.length === 0) return batch;
    const left = new Set(batch.plan.left.map(({ uuid }) => uuid));
    this.restore({ rows: rows.filter(({ uuid }) => left.has(uuid)) });
    const planned = rows.filter(({ uuid }) => !left.has(uuid));
    return { ...batch, rows: planned, uuids: new Set(planned.map(({ uuid }) => uuid)) };
  }

  #planned(rows: readonly DirtyRow[], actual: Actual, isTimeUp: () => boolean): Batch {
    const started = this.#options.now();
    const coming: Coming[] = [];
    const made = plan(
      rows.map((row) => this.unit(row)),
      actual,
      this.#northbound.schema,
      (referent) => {
        const sets = this.#awaiting.takeEntries(referent);
        if (sets.length > 0) coming.push({ referent, sets });
        return sets.map((set) => ({ unit: this.unit(set), column: set.column }));
      },
      isTimeUp,
    );
    for (const { referent, unit, column } of made.awaited) {
      const { table, uuid } = unit;
      if (column === undefined) this.#awaiting.addRow(referent, { table, uuid });
      else this.#awaiting.addEntry(referent, { table, uuid, column });
    }
    const uuids = new Set(rows.map(({ uuid }) => uuid));
    return { rows, uuids, plan: made, coming, milliseconds: this.#options.now() - started };
  }

  /** The batch is on its way to the database. `mayPlanAhead`: what comes next is not known already. */
  sent(batch: Batch, mayPlanAhead: boolean): void {
    this.#inFlight = batch;
    this.#mayPlanAhead = mayPlanAhead;
    this.planAheadSoon();
  }

  /** It is known what has become of the batch in flight: what was planned on it counts if it has taken place. */
  ended(batch: Batch, hasTakenPlace: boolean): void {
    this.#inFlight = undefined;
    if (hasTakenPlace) return;
    this.#dropAhead();
    this.#awaitAgain(batch);
  }

  /** The rows of a batch that has not taken place, or not all of it, are to be looked at again. */
  restore({ rows }: Pick<Batch, 'rows'>): void {
    for (const row of rows) this.#dirty.restore(row, this.#wanted.keyOf(row.uuid));
  }

  /** The batch has gone as it came. */
  takeBack(batch: Batch): void {
    this.restore(batch);
    this.#awaitAgain(batch);
  }

  /** Plans the next batch in a turn of its own, when a full one waits and the database is busy. */
  planAheadSoon(): void {
    if (!this.#isWorthPlanning || this.#isAheadDue) return;
    this.#isAheadDue = true;
    void turn().then(() => {
      this.#isAheadDue = false;
      const inFlight = this.#inFlight;
      if (inFlight === undefined || !this.#isWorthPlanning) return;
      const taken = this.#take();
      // Rows of the batch in flight are looked at when it is known what has become of them.
      this.restore({ rows: taken.filter(({ uuid }) => inFlight.uuids.has(uuid)) });
      const rows = taken.filter(({ uuid }) => !inFlight.uuids.has(uuid));
      if (rows.length > 0) this.#ahead = this.#begun(rows, new Foreseen(this.#northbound, inFlight.plan));
    });
  }

  unit({ table, uuid, cells }: Pick<DirtyRow, 'table' | 'uuid' | 'cells'>): Unit {
    return { table, uuid, desired: this.#wanted.row(uuid), ...(cells && { cells }) };
  }

  get #hasFull(): boolean {
    return this.#dirty.size >= this.#options.fullBatchRows;
  }

  get #isWorthPlanning(): boolean {
    return this.#inFlight !== undefined && this.#mayPlanAhead && this.#ahead === undefined && this.#hasFull;
  }

  #take(): readonly DirtyRow[] {
    return this.#dirty.take(this.#options.fullBatchRows * weightOfPort, (row) => this.#weightOf(row));
  }

  /** How much work the row is: itself, its cells and what comes with it. */
  #weightOf({ table, uuid, cells }: DirtyRow): number {
    let weight = 1 + this.#awaiting.countFor(uuid);
    // Each member of a large set is looked for, and waited for when it is not there yet.
    const cellsOfWeight = Object.hasOwn(largeSets, table) ? 2 : 8;
    if (cells === undefined) weight += (this.#wanted.row(uuid)?.cellCount ?? 0) / cellsOfWeight;
    for (const entries of cells?.values() ?? []) weight += entries.size;
    // To compare a row takes as long as to write it.
    return cells === undefined ? Math.max(weight, weightOfPort) : weight;
  }

  /** Somebody else has changed a row: what was planned ahead may have been planned on it. */
  #interfered(uuid: string): void {
    if (this.#ahead !== undefined && !this.#inFlight?.uuids.has(uuid)) this.#dropAhead();
  }

  #dropAhead(): void {
    const ahead = this.#ahead;
    if (ahead === undefined) return;
    this.#ahead = undefined;
    this.takeBack(ahead);
  }

  #awaitAgain({ coming }: Batch): void {
    for (const { referent, sets } of coming) for (const set of sets) this.#markEntry(set, referent);
  }

  #markEntry(set: Reference, entry: string): void {
    if (this.#wanted.has(set.uuid)) this.markCell(set, entry, false);
  }
}
