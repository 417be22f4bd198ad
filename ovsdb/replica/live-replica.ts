import { abortReason, untilAborted } from '../abort.ts';
import type { Notification, RowSink, Session } from '../connection/session.ts';
import { OvsdbError } from '../errors.ts';
import type { DatabaseSchema, Tables } from '../schema.ts';
import type { Status } from '../status.ts';
import { encodeAnyOf, tableOf } from '../transaction/encode-operations.ts';
import type { AnyOf } from '../transaction/operation.ts';
import { type Discrepancy, differingRows } from './audit.ts';
import type { Change, ChangeBatch } from './change.ts';
import { ChangeStream, type ChangeStreamOptions } from './change-stream.ts';
import { Monitor } from './monitor.ts';
import type { Replica, ReplicaTable } from './replica.ts';
import { type Row, RowShape } from './row-shape.ts';
import { TableContent, type TableState } from './table-content.ts';
import type { IndexSpec } from './table-index.ts';
import { tableView } from './table-view.ts';

/** A selection whose types are forgotten. */
export type AnySelection = Readonly<
  Record<string, { readonly columns: readonly string[]; readonly where?: AnyOf; readonly bigint?: readonly string[] }>
>;
export type AnyIndexes = Readonly<Record<string, Readonly<Record<string, IndexSpec>>>>;

export interface LiveReplicaOptions {
  readonly name: string;
  readonly schema: DatabaseSchema<Tables>;
  readonly selection: AnySelection;
  readonly indexes: AnyIndexes;
  readonly onStatus: (status: Status) => void;
  /** The content is current: transactions may go. */
  readonly onSynced: () => void;
  readonly onClosed: () => void;
  /** The server ended the monitor: its schema must be read again. */
  readonly onCanceled: () => void;
}

const defaultHighWaterMark = 64;
const looksOfAnAudit = 3;

/** The replica behind the typed face of `Replica`, and what the client drives it by. */
export class LiveReplica implements Replica<Readonly<Record<string, Row>>> {
  readonly database: string;
  readonly tables: Readonly<Record<string, ReplicaTable<Row>>>;
  readonly #options: LiveReplicaOptions;
  readonly #states: ReadonlyMap<string, TableState>;
  readonly #monitor: Monitor;
  readonly #listeners = new Set<(batch: ChangeBatch) => void>();
  readonly #streams = new Set<ChangeStream<Change>>();
  readonly #firstSync = Promise.withResolvers<void>();
  #session: Session | undefined;
  #serverSchema: DatabaseSchema<Tables> | undefined;
  #isClosed = false;

  constructor(options: LiveReplicaOptions) {
    this.#options = options;
    this.database = options.schema.name;
    this.#states = new Map(
      Object.entries(options.selection).map(([name, { columns, bigint = [] }]) => {
        const indexes = options.indexes[name] ?? {};
        const shape = new RowShape(tableOf(options.schema, name), {
          columns,
          bigint,
          onInexact: (uuid, column, value) =>
            options.onStatus({ kind: 'inexactInteger', database: this.database, table: name, uuid, column, value }),
        });
        return [name, { shape, indexes, content: new TableContent(indexes) }];
      }),
    );
    this.tables = Object.fromEntries([...this.#states].map(([name, state]) => [name, tableView(state)]));
    const requests = Object.entries(options.selection).map(
      ([name, { columns, where = true }]) => [name, { columns, where }] as const,
    );
    for (const [name, { where }] of requests) checkCondition(options.schema, name, where);
    this.#monitor = new Monitor(this.database, options.name, this.#states, new Map(requests), {
      onChanges: (changes, cause) => this.#publish({ changes, cause }),
      onSynced: (how, method) => {
        options.onStatus({ kind: 'synced', database: this.database, how, method });
        this.#firstSync.resolve();
        options.onSynced();
      },
      onCanceled: () => {
        options.onStatus({ kind: 'monitorCanceled', database: this.database });
        options.onCanceled();
      },
      onRefused: (error) => this.#refused(error),
    });
    // Nobody may be waiting for it any more when it fails.
    this.#firstSync.promise.catch(() => undefined);
  }

  get isCurrent(): boolean {
    return this.#monitor.isSynced;
  }

  /** Resolves with the first snapshot. */
  get firstSync(): Promise<void> {
    return this.#firstSync.promise;
  }

  onChanges(
    listener: (batch: ChangeBatch) => void,
    { initial = false }: { readonly initial?: boolean } = {},
  ): () => void {
    this.#assertOpen();
    if (initial) listener(this.#initialBatch());
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changes(options: ChangeStreamOptions = {}): ChangeStream<Change> {
    this.#assertOpen();
    const { signal, initial = false, highWaterMark = defaultHighWaterMark } = options;
    const abort = () => stream.end(signal && abortReason(signal));
    const stream: ChangeStream<Change> = new ChangeStream(highWaterMark, () => {
      this.#streams.delete(stream);
      signal?.removeEventListener('abort', abort);
    });
    this.#streams.add(stream);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    else if (initial) stream.push(this.#initialBatch());
    return stream;
  }

  async setCondition(table: string, where: AnyOf, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#assertOpen();
    signal?.throwIfAborted();
    checkCondition(this.#options.schema, table, where);
    await untilAborted(this.#monitor.setCondition(table, where), signal);
  }

  async barrier({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#assertOpen();
    const session = this.#session;
    if (!session || !this.isCurrent) throw new OvsdbError('disconnected', `${this.database} is not connected`);
    // The server flushes pending updates before any reply.
    await untilAborted(session.request('echo', []), signal);
  }

  async audit({
    tables,
    signal,
  }: {
    readonly tables?: readonly string[];
    readonly signal?: AbortSignal;
  } = {}): Promise<readonly Discrepancy[]> {
    this.#assertOpen();
    const found: Discrepancy[] = [];
    for (const table of tables ?? this.#states.keys()) {
      for (const uuid of await untilAborted(this.#differing(table), signal)) found.push({ table, uuid });
    }
    if (found.length > 0) {
      this.#options.onStatus({ kind: 'auditFailed', database: this.database, rows: found });
      this.#monitor.distrust(
        new OvsdbError('protocol', `${found.length} rows of ${this.database} differ from the server's`),
      );
    }
    return found;
  }

  /** Rows that differ each time one looks: a transaction may come between a select and its reply. */
  async #differing(table: string): Promise<ReadonlySet<string>> {
    const state = this.#states.get(table);
    if (!state) throw new OvsdbError('schema', `table "${table}" is not replicated`);
    let differing: ReadonlySet<string> = new Set();
    for (let looks = 0; looks < looksOfAnAudit; ) {
      const session = this.#session;
      const request = this.#monitor.requests[table];
      if (!session || !this.isCurrent) throw new OvsdbError('disconnected', `${this.database} is not connected`);
      if (!request) break;
      const isSettled = this.#monitor.isSettled;
      const now = await differingRows(session, this.database, table, request, state);
      // Under a condition that is being changed there is nothing to compare.
      if (!isSettled || !this.#monitor.isSettled) continue;
      differing = looks === 0 ? now : new Set([...differing].filter((uuid) => now.has(uuid)));
      if (differing.size === 0) break;
      looks++;
    }
    return differing;
  }

  has(table: string, column?: string): boolean {
    const known = this.#serverSchema?.tables;
    if (!known || !Object.hasOwn(known, table)) return false;
    return column === undefined || Object.hasOwn(known[table]?.columns ?? {}, column);
  }

  async close(): Promise<void> {
    this.end(new OvsdbError('closed', 'the replica was closed'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // From the client.

  owns(monitor: unknown): boolean {
    return this.#monitor.owns(monitor);
  }

  get updateRows(): RowSink {
    return this.#monitor.updateRows;
  }

  notified(notification: Notification): void {
    this.#monitor.notified(notification);
  }

  start(session: Session, schema: DatabaseSchema<Tables>): void {
    this.#session = session;
    this.#serverSchema = schema;
    this.#monitor.start(session, schema);
  }

  stop(): void {
    this.#session = undefined;
    this.#monitor.stop();
  }

  end(error: OvsdbError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#firstSync.reject(error);
    this.#monitor.cancel(error);
    this.#session = undefined;
    this.#listeners.clear();
    for (const stream of [...this.#streams]) stream.end(error.kind === 'closed' ? undefined : error);
    this.#options.onClosed();
  }

  #refused(error: OvsdbError): void {
    this.#options.onStatus({ kind: 'monitorRefused', database: this.database, error });
    this.end(error);
  }

  #publish(batch: ChangeBatch): void {
    for (const listener of this.#listeners) listener(batch);
    for (const stream of this.#streams) stream.push(batch);
  }

  #initialBatch(): ChangeBatch {
    const changes: Change[] = [];
    for (const [table, { content }] of this.#states) {
      for (const [uuid, after] of content.rows) changes.push({ table, uuid, before: undefined, after });
    }
    return { changes, cause: 'initial' };
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OvsdbError('closed', 'the replica was closed');
  }
}

/** Throws `OvsdbError` for a condition our own schema does not know the columns of, or that cannot be sent. */
function checkCondition(schema: DatabaseSchema<Tables>, table: string, where: AnyOf): void {
  encodeAnyOf(tableOf(schema, table), where, () => false);
}
