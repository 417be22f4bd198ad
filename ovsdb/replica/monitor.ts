import type { Reply } from '../connection/message.ts';
import type { Notification, RowSink, Session } from '../connection/session.ts';
import { OvsdbError } from '../errors.ts';
import type { DatabaseSchema, Tables } from '../schema.ts';
import { encodeAnyOf } from '../transaction/encode-operations.ts';
import type { AnyOf } from '../transaction/operation.ts';
import { exactIfNeeded, zeroUuid } from '../value/decode.ts';
import type { Json } from '../value/encode.ts';
import { applyUpdates, Inconsistent } from './apply-updates.ts';
import type { Change, ChangeCause } from './change.ts';
import { DumpReader, type MonitorMethod, monitorMethods } from './dump-reader.ts';
import { type RowUpdate, rowUpdatesOf, takeRow } from './row-update.ts';
import type { TableState } from './table-content.ts';

/** What a monitor asks for of one table. */
export interface TableRequest {
  readonly columns: readonly string[];
  where: AnyOf;
}

export interface MonitorEvents {
  readonly onChanges: (changes: readonly Change[], cause: ChangeCause) => void;
  /** The content is the server's. */
  readonly onSynced: (how: 'initial' | 'resync' | 'resume', method: MonitorMethod) => void;
  /** The server ended the monitor: its schema changed, or the database went. */
  readonly onCanceled: () => void;
  /** The request was refused: there is no content to be had. */
  readonly onRefused: (error: OvsdbError) => void;
}

/**
 * Keeps tables equal to the server's over any number of sessions.
 *
 * After a reconnect it resumes from the last transaction it knows, if all it asks for is what a server last acknowledged; the server
 * then sends one difference. Otherwise it asks for everything and reports what really differs.
 */
export class Monitor {
  readonly #database: string;
  readonly #name: string;
  readonly #tables: ReadonlyMap<string, TableState>;
  readonly #requests: ReadonlyMap<string, TableRequest>;
  readonly #events: MonitorEvents;

  #session: Session | undefined;
  #schema: DatabaseSchema<Tables> | undefined;
  #isSynced = false;
  #hasContent = false;
  #method: MonitorMethod = 'monitor_cond_since';
  /** The last transaction applied; zero if there is none to resume from. */
  #lastId = zeroUuid;
  /** What a server last acknowledged, as it went on the wire. */
  #acknowledged = '';
  /** Every request renames the monitor, so an update's name tells which condition it follows. */
  #serial = 0;
  /** Of this session. */
  #firstSerial = 0;
  /** Rows of a long update whose end has not come. */
  #pendingRows: RowUpdate[] = [];

  /** Counts calls of `setCondition`; a request carries all up to some count. */
  #revision = 0;
  #isChanging = false;
  #waiters: { readonly revision: number; readonly settle: PromiseWithResolvers<void> }[] = [];

  constructor(
    database: string,
    name: string,
    tables: ReadonlyMap<string, TableState>,
    requests: ReadonlyMap<string, TableRequest>,
    events: MonitorEvents,
  ) {
    this.#database = database;
    this.#name = name;
    this.#tables = tables;
    this.#requests = requests;
    this.#events = events;
  }

  /** Has this session's server sent the whole content? */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Is this what a notification's first parameter names? Names given on earlier sessions are not ours any more. */
  owns(monitor: unknown): boolean {
    if (typeof monitor !== 'string' || !monitor.startsWith(`${this.#name}/`)) return false;
    return Number(monitor.slice(this.#name.length + 1)) >= this.#firstSerial;
  }

  /** Starts on a new session, whose server has `schema`. */
  start(session: Session, schema: DatabaseSchema<Tables>): void {
    this.#session = session;
    this.#schema = schema;
    this.#method = 'monitor_cond_since';
    this.#firstSerial = this.#serial + 1;
    this.#request();
  }

  /** The session ended. */
  stop(): void {
    this.#session = undefined;
    this.#isSynced = false;
    this.#pendingRows = [];
    // A condition change cut off by the disconnect may or may not have taken place: only a full dump tells.
    if (this.#isChanging) this.#lastId = zeroUuid;
    this.#isChanging = false;
  }

  /** Ends for good. */
  cancel(error: Error): void {
    this.#session?.send({ method: 'monitor_cancel', params: [this.#id()], onReply: () => {} });
    this.stop();
    this.#failWaiters(error);
  }

  /** Are no condition changes under way? Then the content follows `requests`. */
  get isSettled(): boolean {
    return this.#isSynced && !this.#isChanging && this.#waiters.length === 0;
  }

  /** What is asked for, of the tables and columns the server has. */
  get requests(): Readonly<Record<string, WireRequest>> {
    return this.#wireRequests();
  }

  /** Throws the content away: the session ends, and the next brings everything anew. */
  distrust(error: OvsdbError): void {
    this.#lastId = zeroUuid;
    this.#session?.close(error);
  }

  /** Asks for other rows of a table. Settles when the content follows the new condition. */
  setCondition(table: string, where: AnyOf): Promise<void> {
    const request = this.#requests.get(table);
    if (!request) return Promise.reject(new OvsdbError('schema', `table "${table}" is not replicated`));
    request.where = where;
    const settle = Promise.withResolvers<void>();
    this.#waiters.push({ revision: ++this.#revision, settle });
    this.#changeConditions();
    return settle.promise;
  }

  /** Takes the rows of a long update; its notification follows them. */
  readonly updateRows: RowSink = {
    row: (table, uuid, text) => takeRow(table, uuid, text, (update) => this.#pendingRows.push(update)),
  };

  /** An `update`, `update2`, `update3` or `monitor_canceled` for this monitor. */
  notified({ method, params, reparse }: Notification): void {
    if (!this.#session) return;
    if (method === 'monitor_canceled') {
      this.stop();
      this.#lastId = zeroUuid;
      this.#events.onCanceled();
      return;
    }
    const isSince = method === 'update3';
    const at = isSince ? 2 : 1;
    const before = this.#pendingRows;
    this.#pendingRows = [];
    const changes = this.#distrusting(() =>
      exactIfNeeded((isExact) =>
        applyUpdates(this.#tables, [...before, ...rowUpdatesOf((isExact ? reparse() : params)[at])]),
      ),
    );
    // Together with the changes: a difference applied twice undoes itself.
    if (isSince) this.#lastId = String(params[1]);
    const isCondition = this.#isChanging && params[0] === this.#id();
    if (changes.length > 0) this.#events.onChanges(changes, isCondition ? 'condition' : 'update');
  }

  #id(): string {
    return `${this.#name}/${this.#serial}`;
  }

  #request(): void {
    const session = this.#session;
    if (!session) return;
    const requests = this.#wireRequests();
    const text = JSON.stringify(requests);
    // A difference from another selection of rows and columns would be of no use.
    if (text !== this.#acknowledged) this.#lastId = zeroUuid;
    this.#serial++;
    const method = this.#method;
    const revision = this.#revision;
    const dump = new DumpReader(this.#tables, method, !this.#hasContent);
    session.send({
      method,
      params: [
        this.#database,
        this.#id(),
        method === 'monitor' ? withoutConditions(requests) : requests,
        ...(method === 'monitor_cond_since' ? [this.#lastId] : []),
      ],
      rows: dump,
      isDump: true,
      onReply: (reply) => {
        if (!reply || session !== this.#session) return;
        if (reply.kind === 'error') this.#refused(reply);
        else this.#dumped(dump, reply, text, revision);
      },
    });
  }

  #refused(reply: Reply & { readonly kind: 'error' }): void {
    const older = monitorMethods[monitorMethods.indexOf(this.#method) + 1];
    if (reply.error === 'unknown method' && older) {
      this.#method = older;
      this.#request();
      return;
    }
    const message = `${this.#method} of ${this.#database} was refused: ${reply.error}`;
    this.#events.onRefused(new OvsdbError('rpc', message, { details: reply.details }));
  }

  #dumped(dump: DumpReader, reply: Reply & { readonly kind: 'result' }, text: string, revision: number): void {
    const { isResume, lastId, changes } = this.#distrusting(() =>
      exactIfNeeded((isExact) => dump.finish(isExact ? reply.reparse() : reply.result)),
    );
    const isFirst = !this.#hasContent;
    this.#hasContent = true;
    this.#isSynced = true;
    this.#lastId = lastId;
    this.#acknowledged = text;
    if (changes.length > 0) this.#events.onChanges(changes, isResume ? 'update' : 'resync');
    this.#events.onSynced(isFirst ? 'initial' : isResume ? 'resume' : 'resync', this.#method);
    this.#settle(revision);
    this.#changeConditions();
  }

  /** One change is in flight at a time; what is asked for meanwhile goes into the next. */
  #changeConditions(): void {
    const session = this.#session;
    if (!session || !this.#isSynced || this.#isChanging) return;
    const revision = this.#revision;
    const requests = this.#wireRequests();
    const text = JSON.stringify(requests);
    // RFC 7047 has no conditions: there all rows are here, always.
    if (text === this.#acknowledged || this.#method === 'monitor') {
      this.#acknowledged = text;
      this.#settle(revision);
      return;
    }
    const oldId = this.#id();
    this.#serial++;
    this.#isChanging = true;
    session.send({
      method: 'monitor_cond_change',
      params: [oldId, this.#id(), onlyConditions(requests)],
      isDump: true,
      onReply: (reply) => {
        if (!reply || session !== this.#session) return;
        this.#isChanging = false;
        if (reply.kind === 'error') {
          this.#failWaiters(
            new OvsdbError('rpc', `the condition was refused: ${reply.error}`, { details: reply.details }),
          );
          return;
        }
        this.#acknowledged = text;
        this.#settle(revision);
        this.#changeConditions();
      },
    });
  }

  /** `<monitor-cond-requests>` for the tables and columns the server has. */
  #wireRequests(): Record<string, WireRequest> {
    const wire: Record<string, WireRequest> = {};
    for (const [name, { columns, where }] of this.#requests) {
      const table = this.#schema?.tables[name];
      if (!table) continue;
      const isMissing = (column: string) => !column.startsWith('_') && !Object.hasOwn(table.columns, column);
      wire[name] = {
        columns: columns.filter((column) => !isMissing(column)),
        where: encodeAnyOf(table, where, isMissing),
      };
    }
    return wire;
  }

  #settle(revision: number): void {
    const settled = this.#waiters.filter((waiter) => waiter.revision <= revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > revision);
    for (const { settle } of settled) settle.resolve();
  }

  #failWaiters(error: Error): void {
    for (const { settle } of this.#waiters.splice(0)) settle.reject(error);
  }

  /** After an inconsistency nothing that we have is fit to resume from. */
  #distrusting<T>(apply: () => T): T {
    try {
      return apply();
    } catch (error) {
      if (error instanceof Inconsistent) this.#lastId = zeroUuid;
      throw error;
    }
  }
}

export interface WireRequest {
  readonly columns: readonly string[];
  readonly where: readonly Json[];
}

const withoutConditions = (requests: Readonly<Record<string, WireRequest>>) =>
  Object.fromEntries(Object.entries(requests).map(([table, { columns }]) => [table, { columns }]));

const onlyConditions = (requests: Readonly<Record<string, WireRequest>>) =>
  Object.fromEntries(Object.entries(requests).map(([table, { where }]) => [table, [{ where }]]));
