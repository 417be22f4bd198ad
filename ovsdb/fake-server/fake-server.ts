import { randomUUID } from 'node:crypto';
import { abortReason } from '../abort.ts';
import type { Dial, Transport, TransportEvents } from '../connection/transport.ts';
import { OvsdbError } from '../errors.ts';
import type { DatabaseSchema } from '../schema.ts';
import { serverSchema } from '../schemas/server.ts';
import { Database, type RowChange } from './database.ts';
import { FakeSession } from './fake-session.ts';

export interface FakeServerOptions {
  readonly schema: DatabaseSchema;
  /** Methods this server does not know, to play an older one. */
  readonly lacks?: readonly string[];
  readonly model?: 'standalone' | 'clustered' | 'relay';
  /** Transactions a client may have missed and still resume. */
  readonly history?: number;
}

/**
 * An OVSDB server in this process, for tests: a client connects through `dial`. It keeps the real one's order (updates before the reply that caused them)
 * and can be made to fail at a chosen point.
 *
 * It follows no references (nothing is collected, nothing dangles) and checks no ranges; for those use a real server.
 */
export class FakeServer {
  readonly options: FakeServerOptions;
  readonly database: Database;
  readonly serverDatabase = new Database(serverSchema);
  readonly #sessions = new Set<FakeSession>();
  readonly #history: { readonly id: string; readonly changes: readonly RowChange[] }[] = [];
  readonly #lockQueues = new Map<string, FakeSession[]>();
  readonly #faults: Fault[] = [];

  /** Requests received, in order. */
  readonly received: { readonly method: string; readonly params: readonly unknown[] }[] = [];
  /** Bytes per chunk towards clients; whole messages if undefined. */
  chunkBytes: number | undefined;
  /** While true nothing is delivered, and updates pile up into one, as on a connection whose reader is slow. */
  isBacklogged = false;
  /** Whether new connections are refused. */
  isDown = false;

  constructor(options: FakeServerOptions) {
    this.options = options;
    this.database = new Database(options.schema);
    this.describe({ connected: true, leader: options.model !== 'relay' });
  }

  /** A `Dial` for `connect`; the remote's name does not matter. */
  readonly dial: Dial = async (remote, events, signal) => {
    if (signal.aborted) throw abortReason(signal);
    if (this.isDown) throw new OvsdbError('disconnected', `${remote} refuses connections`);
    return this.#accept(events);
  };

  /** The transaction the database is at. */
  get lastId(): string {
    return this.options.model === 'clustered' ? (this.#history.at(-1)?.id ?? firstId) : zeroId;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Changes what `_Server` says: leadership, connection to the cluster. */
  describe(columns: { readonly connected?: boolean; readonly leader?: boolean }): void {
    const name = this.options.schema.name;
    const row = { ...columns, name, model: this.options.model ?? 'standalone' };
    const where = [['name', '==', name]];
    const exists = this.serverDatabase.rows('Database').size > 0;
    this.commit(this.serverDatabase, [
      exists ? { op: 'update', table: 'Database', where, row } : { op: 'insert', table: 'Database', row },
    ]);
  }

  /** Runs wire operations as another client would. */
  transact(...operations: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
    return this.commit(this.database, operations).results;
  }

  /** Ends all connections now. */
  cut(): void {
    for (const session of [...this.#sessions]) session.end();
  }

  /** Ends the connection of the next request of this method: before it is looked at, or after it took effect but before its reply. */
  cutOn(method: string, when: 'before' | 'after'): void {
    this.#faults.push({ method, when });
  }

  /** Keeps the reply to the next request of this method until the function given is called; later replies overtake it. */
  holdReply(method: string): () => void {
    const released = Promise.withResolvers<void>();
    this.#faults.push({ method, when: 'held', until: released.promise });
    return released.resolve;
  }

  /** Forgets the history: the next resume has to send everything. */
  forget(): void {
    this.#history.length = 0;
  }

  /** Cancels all monitors, as a schema conversion does. */
  cancelMonitors(): void {
    for (const session of this.#sessions) session.cancelMonitors();
  }

  /** Sends every client a notification of the test's own. */
  sendToAll(method: string, params: readonly unknown[]): void {
    for (const session of this.#sessions) session.notify(method, params);
  }

  /** Delivers what has piled up. */
  flush(): void {
    this.isBacklogged = false;
    for (const session of this.#sessions) session.flush();
  }

  // For sessions.

  takeFault(method: string): Fault | undefined {
    const at = this.#faults.findIndex((fault) => fault.method === method);
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0];
  }

  commit(
    database: Database,
    operations: readonly Readonly<Record<string, unknown>>[],
    by?: FakeSession,
    isLate = false,
  ) {
    const holds = (lock: string) => by !== undefined && this.#lockQueues.get(lock)?.[0] === by;
    const { results, changes } = database.transact(operations, holds, isLate);
    if (changes.length > 0 && database === this.database) {
      this.#history.push({ id: randomUUID(), changes });
      this.#history.splice(0, this.#history.length - (this.options.history ?? 100));
    }
    if (changes.length > 0) {
      for (const session of this.#sessions) session.committed(database, changes);
      for (const session of this.#sessions) session.retryWaiting();
    }
    return { results, changes };
  }

  /** The changes since a transaction, a row's several as one; `undefined` if it is not remembered. */
  since(id: string): readonly RowChange[] | undefined {
    if (this.options.model !== 'clustered') return undefined;
    const at = this.#history.findIndex((one) => one.id === id);
    if (at < 0) return undefined;
    const rows = new Map<string, RowChange>();
    for (const change of this.#history.slice(at + 1).flatMap(({ changes }) => changes)) {
      const key = `${change.table} ${change.uuid}`;
      const earlier = rows.get(key);
      rows.set(key, earlier ? { ...change, before: earlier.before } : change);
    }
    return [...rows.values()];
  }

  lock(name: string, session: FakeSession, steal: boolean): boolean {
    const queue = this.#lockQueues.get(name) ?? [];
    this.#lockQueues.set(name, queue);
    const holder = queue[0];
    if (steal) {
      queue.unshift(session);
      if (holder) holder.notify('stolen', [name]);
    } else queue.push(session);
    return queue[0] === session;
  }

  unlock(name: string, session: FakeSession): void {
    const queue = this.#lockQueues.get(name) ?? [];
    const wasHolder = queue[0] === session;
    this.#lockQueues.set(
      name,
      queue.filter((one) => one !== session),
    );
    if (wasHolder) this.#lockQueues.get(name)?.[0]?.notify('locked', [name]);
  }

  ended(session: FakeSession): void {
    this.#sessions.delete(session);
    for (const name of this.#lockQueues.keys()) this.unlock(name, session);
  }

  #accept(events: TransportEvents): Transport {
    const session = new FakeSession(this, events);
    this.#sessions.add(session);
    return session.transport;
  }
}

export type Fault =
  | { readonly method: string; readonly when: 'before' | 'after' }
  | { readonly method: string; readonly when: 'held'; readonly until: Promise<void> };

const zeroId = '00000000-0000-0000-0000-000000000000';
const firstId = '11111111-1111-4111-8111-111111111111';
