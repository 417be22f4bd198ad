import type { Transport, TransportEvents } from '../connection/transport.ts';
import { Splitter } from '../wire/splitter.ts';
import { type Database, listOf, NotYet, type RowChange, wireRow } from './database.ts';
import type { FakeServer, Fault } from './fake-server.ts';
import { isSeen, rowUpdate2, type TableMonitor, withoutDefaults } from './row-differences.ts';
import { schemaJson } from './schema-json.ts';

interface Monitor {
  readonly id: unknown;
  readonly database: Database;
  readonly tables: ReadonlyMap<string, TableMonitor>;
  readonly notification: 'update' | 'update2' | 'update3';
}

interface WaitingTransaction {
  readonly id: unknown;
  readonly database: Database;
  readonly operations: readonly Readonly<Record<string, unknown>>[];
}

/** One connection to a `FakeServer`. */
export class FakeSession {
  readonly transport: Transport;
  readonly #server: FakeServer;
  readonly #events: TransportEvents;
  readonly #splitter = new Splitter({ wantsPieces: () => false });
  readonly #monitors = new Map<string, Monitor>();
  readonly #waiting = new Map<string, WaitingTransaction>();
  /** Changes not yet sent because of a backlog. */
  readonly #unsent: { readonly database: Database; readonly changes: readonly RowChange[] }[] = [];
  #outgoing: Buffer[] = [];
  #isPaused = false;
  #isEnded = false;

  constructor(server: FakeServer, events: TransportEvents) {
    this.#server = server;
    this.#events = events;
    this.transport = {
      write: (text) => {
        queueMicrotask(() => this.#receive(Buffer.from(text)));
        return true;
      },
      pause: () => {
        this.#isPaused = true;
      },
      resume: () => {
        this.#isPaused = false;
        this.#deliver();
      },
      destroy: () => this.end(),
      end: () => this.end(),
    };
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#server.ended(this);
    queueMicrotask(() => this.#events.onClose(undefined));
  }

  notify(method: string, params: readonly unknown[]): void {
    this.#send({ id: null, method, params });
  }

  committed(database: Database, changes: readonly RowChange[]): void {
    this.#unsent.push({ database, changes });
    if (!this.#server.isBacklogged) this.#sendUpdates();
  }

  retryWaiting(): void {
    for (const [key, transaction] of [...this.#waiting]) {
      this.#waiting.delete(key);
      const reply = this.#transact(transaction);
      if (reply) this.#reply(transaction.id, reply, undefined);
    }
  }

  cancelMonitors(): void {
    const ids = [...this.#monitors.values()].map(({ id }) => id);
    this.#monitors.clear();
    for (const id of ids) this.notify('monitor_canceled', [id]);
  }

  flush(): void {
    this.#sendUpdates();
    this.#deliver();
  }

  #receive(bytes: Buffer): void {
    this.#splitter.push(bytes);
    for (let piece = this.#splitter.next(); piece && !this.#isEnded; piece = this.#splitter.next()) {
      const message: unknown = JSON.parse(piece.text);
      if (typeof message === 'object' && message !== null && 'method' in message) {
        const { id, method, params } = { id: null, params: [], ...message };
        this.#request(id, String(method), listOf(params));
      }
    }
  }

  #request(id: unknown, method: string, params: readonly unknown[]): void {
    this.#server.received.push({ method, params });
    const fault = this.#server.takeFault(method);
    if (fault?.when === 'before') {
      this.end();
      return;
    }
    const isKnown = !this.#server.options.lacks?.includes(method);
    const reply = isKnown ? this.#answer(id, method, params) : refusal('unknown method');
    if (reply) this.#reply(id, reply, fault);
  }

  /** The reply; `undefined` if it comes later. */
  #answer(id: unknown, method: string, params: readonly unknown[]): FakeReply | undefined {
    const database = this.#databaseOf(params[0]);
    switch (method) {
      case 'echo':
        return result(params);
      case 'set_db_change_aware':
        return result({});
      case 'list_dbs':
        return result([this.#server.options.schema.name, '_Server']);
      case 'get_schema':
        return database ? result(schemaJson(database.schema)) : refusal('unknown database');
      case 'lock':
      case 'steal':
        return result({ locked: this.#server.lock(String(params[0]), this, method === 'steal') });
      case 'unlock':
        this.#server.unlock(String(params[0]), this);
        return result({});
      case 'cancel':
        if (this.#waiting.delete(keyOf(params[0]))) this.#reply(params[0], refusal('canceled'), undefined);
        return undefined;
      case 'transact':
        if (!database) return refusal('unknown database');
        return this.#transact({ id, database, operations: params.slice(1).map(recordOf) });
      case 'monitor':
      case 'monitor_cond':
      case 'monitor_cond_since':
        return database ? this.#monitor(method, database, params) : refusal('unknown database');
      case 'monitor_cond_change':
        return this.#changeCondition(params);
      case 'monitor_cancel':
        return this.#monitors.delete(keyOf(params[0])) ? result({}) : refusal('unknown monitor');
      default:
        return refusal('unknown method');
    }
  }

  #databaseOf(name: unknown): Database | undefined {
    if (name === '_Server') return this.#server.serverDatabase;
    return name === this.#server.options.schema.name ? this.#server.database : undefined;
  }

  #transact(transaction: WaitingTransaction): FakeReply | undefined {
    try {
      return result(this.#server.commit(transaction.database, transaction.operations, this).results);
    } catch (error) {
      if (!(error instanceof NotYet)) throw error;
      this.#waiting.set(keyOf(transaction.id), transaction);
      return undefined;
    }
  }

  #monitor(method: string, database: Database, params: readonly unknown[]): FakeReply {
    const tables = new Map(
      Object.entries(recordOf(params[2])).map(([table, request]) => [table, tableMonitor(request)]),
    );
    const notification = method === 'monitor' ? 'update' : method === 'monitor_cond' ? 'update2' : 'update3';
    const monitor: Monitor = { id: params[1], database, tables, notification };
    this.#monitors.set(keyOf(monitor.id), monitor);
    if (method !== 'monitor_cond_since') {
      return result(this.#content(monitor, method === 'monitor' ? 'new' : 'initial'));
    }
    const missed = this.#server.since(String(params[3]));
    const rows = missed ? updates(monitor, missed, tables) : this.#content(monitor, 'initial');
    return result([missed !== undefined, this.#server.lastId, rows]);
  }

  #content({ database, tables }: Monitor, kind: 'initial' | 'new'): object {
    const content: Record<string, Record<string, object>> = {};
    for (const [name, wanted] of tables) {
      const table = database.schema.tables[name];
      if (!table) continue;
      const rows: Record<string, object> = {};
      for (const [uuid, cells] of database.rows(name)) {
        if (!isSeen(table, uuid, cells, wanted)) continue;
        const whole = Object.entries(wireRow(table, uuid, cells)).filter(([column]) => wanted.columns.includes(column));
        rows[uuid] = {
          [kind]: kind === 'new' ? Object.fromEntries(whole) : withoutDefaults(table, cells, wanted.columns),
        };
      }
      if (Object.keys(rows).length > 0) content[name] = rows;
    }
    return content;
  }

  #changeCondition([oldId, newId, requests]: readonly unknown[]): FakeReply {
    const monitor = this.#monitors.get(keyOf(oldId));
    if (!monitor) return refusal('unknown monitor');
    this.#sendUpdates();
    const tables = new Map(monitor.tables);
    for (const [name, request] of Object.entries(recordOf(requests))) {
      const columns = monitor.tables.get(name)?.columns ?? [];
      tables.set(name, { columns, where: tableMonitor(request).where });
    }
    const changed: Monitor = { ...monitor, id: newId, tables };
    this.#monitors.delete(keyOf(oldId));
    this.#monitors.set(keyOf(newId), changed);
    const rows = [...tables.keys()].flatMap((table) =>
      [...monitor.database.rows(table)].map(([uuid, cells]) => ({ table, uuid, before: cells, after: cells })),
    );
    this.#sendUpdate(changed, updates(changed, rows, monitor.tables));
    return result({});
  }

  /** Sends what changed since the last update, as one. */
  #sendUpdates(): void {
    const unsent = this.#unsent.splice(0);
    for (const monitor of this.#monitors.values()) {
      const rows = new Map<string, RowChange>();
      for (const { database, changes } of unsent) {
        if (database !== monitor.database) continue;
        for (const change of changes) {
          const key = `${change.table} ${change.uuid}`;
          const earlier = rows.get(key);
          rows.set(key, earlier ? { ...change, before: earlier.before } : change);
        }
      }
      this.#sendUpdate(monitor, updates(monitor, [...rows.values()], monitor.tables));
    }
  }

  #sendUpdate({ id, notification }: Monitor, rows: object): void {
    if (Object.keys(rows).length === 0) return;
    this.notify(notification, notification === 'update3' ? [id, this.#server.lastId, rows] : [id, rows]);
  }

  #reply(id: unknown, reply: FakeReply, fault: Fault | undefined): void {
    if (fault?.when === 'after') {
      this.end();
      return;
    }
    if (fault?.when === 'held') {
      void fault.until.then(() => this.#send({ id, ...reply }));
      return;
    }
    // A reply brings the updates before it along.
    this.#sendUpdates();
    this.#send({ id, ...reply });
  }

  #send(message: object): void {
    if (this.#isEnded) return;
    const bytes = Buffer.from(JSON.stringify(message));
    const size = this.#server.chunkBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) this.#outgoing.push(bytes.subarray(at, at + size));
    if (!this.#server.isBacklogged) queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    while (!this.#isPaused && !this.#isEnded) {
      const chunk = this.#outgoing.shift();
      if (!chunk) return;
      this.#events.onData(Buffer.from(chunk));
    }
  }
}

type FakeReply = { readonly result: unknown; readonly error: null } | { readonly error: string };
const result = (value: unknown): FakeReply => ({ result: value, error: null });
const refusal = (error: string): FakeReply => ({ error });

const keyOf = (id: unknown) => JSON.stringify(id);

const recordOf = (wire: unknown): Readonly<Record<string, unknown>> =>
  typeof wire === 'object' && wire !== null ? { ...wire } : {};

/** `<monitor-request>`, alone or in a list of one. */
function tableMonitor(wire: unknown): TableMonitor {
  const request = recordOf(Array.isArray(wire) ? wire[0] : wire);
  return { columns: listOf(request.columns).map(String), where: listOf(request.where) };
}

/** Changes as a monitor's `<table-updates>`, seen before under `old` and now under its own conditions. */
function updates(monitor: Monitor, changes: readonly RowChange[], old: ReadonlyMap<string, TableMonitor>): object {
  const tables: Record<string, Record<string, object>> = {};
  for (const change of changes) {
    const table = monitor.database.schema.tables[change.table];
    const now = monitor.tables.get(change.table);
    if (!table || !now) continue;
    const row = rowUpdate2(table, change, old.get(change.table), now);
    if (!row) continue;
    const rows = tables[change.table] ?? {};
    rows[change.uuid] = monitor.notification === 'update' ? rowUpdate1(table, change, now) : row;
    tables[change.table] = rows;
  }
  return tables;
}

/** `<row-update>` of RFC 7047. */
function rowUpdate1(
  table: Parameters<typeof wireRow>[0],
  { uuid, before, after }: RowChange,
  now: TableMonitor,
): object {
  const shown = (cells: NonNullable<RowChange['after']>) =>
    Object.fromEntries(Object.entries(wireRow(table, uuid, cells)).filter(([column]) => now.columns.includes(column)));
  return { ...(before && { old: shown(before) }), ...(after && { new: shown(after) }) };
}
