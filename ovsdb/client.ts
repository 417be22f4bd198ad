import { untilAborted } from './abort.ts';
import { Connector } from './connection/connector.ts';
import { parseRemote } from './connection/remote.ts';
import type { Notification, Session } from './connection/session.ts';
import { socketDial, type TlsOptions } from './connection/socket-transport.ts';
import type { Dial } from './connection/transport.ts';
import { OvsdbError } from './errors.ts';
import { Lock } from './lock.ts';
import { parseSchema } from './parse-schema.ts';
import { type AnyIndexes, type AnySelection, LiveReplica } from './replica/live-replica.ts';
import type { Replica, Rows } from './replica/replica.ts';
import type { Indexes, Selected, Selection } from './replica/selection.ts';
import type { DatabaseSchema, Tables } from './schema.ts';
import type { Status } from './status.ts';
import {
  type AnyEdit,
  type AnyReadable,
  type Edit,
  type EditOptions,
  type EditOutcome,
  runEdit,
} from './transaction/edit.ts';
import type { AnyOperation } from './transaction/encode-operations.ts';
import type { Operation } from './transaction/operation.ts';
import type { ResultsOf, TransactionOutcome } from './transaction/outcome.ts';
import { TransactionQueue } from './transaction/transaction-queue.ts';
import { checkedId } from './value/encode.ts';

export interface ConnectOptions {
  /** Where to connect, tried in turn: `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`; IPv6 addresses in brackets. */
  readonly remotes: readonly string[];
  /** For `ssl:` remotes. */
  readonly tls?: TlsOptions;
  /** Databases the server must serve. Those replicated or written to are added. */
  readonly databases?: readonly string[];
  /** Of a cluster, use only the leader. Relays are never leaders. Default true. */
  readonly leaderOnly?: boolean;
  /** Silence before a probe, and then before the connection is given up; 0 for never. Not used on unix sockets. Default 5 s. */
  readonly probeMs?: number;
  /** The same while the server prepares a dump, when it says nothing. Default 3 min. */
  readonly dumpSilenceMs?: number;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Delay before another attempt: the first, doubling to the longest. Default 1 s and 8 s. */
  readonly backoff?: { readonly firstMs: number; readonly longestMs: number };
  /** Transactions that wait for their replies at one time; further ones are held back. Default 256. */
  readonly maxInFlight?: number;
  /** Told of everything from the first attempt on. */
  readonly onStatus?: (status: Status) => void;
  /** Gives up the first connection; afterwards use `close`. */
  readonly signal?: AbortSignal;
  /** Opens byte streams; node:net and node:tls by default. */
  readonly dial?: Dial;
}

/**
 * Connects to the first suitable server, trying all remotes with backoff until there is one. Rejects with `OvsdbError` `remote` for options that make no
 * sense, or with the signal's reason.
 */
export async function connect(options: ConnectOptions): Promise<OvsdbClient> {
  const client = new OvsdbClient(options);
  try {
    await client.connected({ ...(options.signal && { signal: options.signal }) });
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

/** A connection to an OVSDB server, or to one of several, that keeps itself up. Made by `connect`. */
export class OvsdbClient implements AsyncDisposable {
  readonly #connector: Connector;
  readonly #transactions: TransactionQueue;
  readonly #replicas = new Set<LiveReplica>();
  readonly #locks = new Map<string, Lock>();
  readonly #statusListeners = new Set<(status: Status) => void>();
  /** Schemas of the present server's databases. */
  #schemas = new Map<string, Promise<DatabaseSchema>>();
  #session: Session | undefined;
  #up = Promise.withResolvers<Session>();
  #replicaCount = 0;
  #isClosed = false;

  constructor(options: ConnectOptions) {
    if (options.remotes.length === 0) throw new OvsdbError('remote', 'no remote is given');
    const kinds = options.remotes.map((remote) => parseRemote(remote).kind);
    if (kinds.includes('ssl') && !options.tls && !options.dial) {
      throw new OvsdbError('remote', 'an ssl: remote needs the tls option');
    }
    if (options.onStatus) this.#statusListeners.add(options.onStatus);
    this.#up.promise.catch(() => undefined);
    this.#transactions = new TransactionQueue({
      maxInFlight: options.maxInFlight ?? 256,
      // Decisions made on a copy that is catching up would be made on old data.
      isReady: (database) => [...this.#replicas].every((one) => one.database !== database || one.isCurrent),
    });
    this.#connector = new Connector(
      {
        remotes: options.remotes,
        dial: options.dial ?? socketDial(options.tls),
        leaderOnly: options.leaderOnly ?? true,
        probeMs: options.probeMs ?? 5_000,
        dumpSilenceMs: options.dumpSilenceMs ?? 180_000,
        connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
        firstMs: options.backoff?.firstMs ?? 1_000,
        longestMs: options.backoff?.longestMs ?? 8_000,
        onStatus: (status) => this.#tell(status),
        onUp: (session) => this.#onUp(session),
        onDown: () => this.#onDown(),
        onNotification: (notification) => this.#notified(notification),
        rowsOf: (monitor) => this.#replicaOf(monitor)?.updateRows,
      },
      options.databases ?? [],
    );
  }

  /** Calls `listener` for every status from now on. Gives the way to stop. */
  onStatus(listener: (status: Status) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** Resolves when there is a suitable server: at once while connected. */
  async connected({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await untilAborted(this.#up.promise, signal);
  }

  /**
   * Keeps a copy of some tables in memory. Resolves with the first content; rejects with `OvsdbError` `schema` for tables and columns the schema
   * has not, `rpc` if the server refuses. What the schema has and the server lacks reads as empty (`replica.has` tells).
   */
  replicate<T extends Tables, const S extends Selection<T>, const I extends Indexes<S> = Record<never, never>>(
    schema: DatabaseSchema<T>,
    selection: S,
    options?: { readonly indexes?: I; readonly signal?: AbortSignal },
  ): Promise<Replica<Selected<T, S>, I>>;
  async replicate(
    schema: DatabaseSchema<Tables>,
    selection: AnySelection,
    { indexes = {}, signal }: { readonly indexes?: AnyIndexes; readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    this.#assertOpen();
    const replica: LiveReplica = new LiveReplica({
      name: `replica${this.#replicaCount++}`,
      schema,
      selection,
      indexes,
      onStatus: (status) => this.#tell(status),
      onSynced: () => this.#transactions.pump(),
      onClosed: () => {
        this.#replicas.delete(replica);
        this.#transactions.pump();
      },
      onCanceled: () => {
        this.#schemas.delete(schema.name);
        if (this.#session) void this.#start(replica, this.#session);
      },
    });
    this.#replicas.add(replica);
    this.#connector.require(schema.name);
    if (this.#session) void this.#start(replica, this.#session);
    try {
      await untilAborted(replica.firstSync, signal);
    } catch (error) {
      await replica.close();
      throw error;
    }
    return replica;
  }

  /**
   * Sends operations as one transaction. Waits for a connection and for replicas of this database that are catching up; transactions go
   * out in the order of the calls. Whatever the server decides is a value: see `TransactionOutcome`. Rejects with the signal's reason if nothing took
   * place because of it, with `OvsdbError` `closed` if the client was closed before sending.
   *
   * With a database name in place of a schema, values are written as the server's own schema says.
   */
  transact<T extends Tables, const Ops extends readonly Operation<T>[]>(
    schema: DatabaseSchema<T> | string,
    operations: Ops,
    options?: { readonly signal?: AbortSignal },
  ): Promise<TransactionOutcome<ResultsOf<T, Ops>>>;
  async transact(
    schema: DatabaseSchema<Tables> | string,
    operations: readonly AnyOperation[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    this.#assertOpen();
    const known = typeof schema === 'string' ? await this.serverSchema(schema, { ...(signal && { signal }) }) : schema;
    this.#connector.require(known.name);
    // Two turns of the microtask queue sooner than to return the promise.
    return await this.#transactions.add(known, operations, signal);
  }

  /**
   * Runs `build` against `replica` and sends what it put together as one transaction, with what it verified as conditions; runs it again,
   * with the replica caught up, while those had changed.
   */
  edit<T extends Tables, R extends Rows, V>(
    schema: DatabaseSchema<T>,
    replica: Pick<Replica<R>, 'tables' | 'barrier' | 'audit'>,
    build: (edit: Edit<T, R>) => V | Promise<V>,
    options?: EditOptions,
  ): Promise<EditOutcome<V>>;
  async edit(
    schema: DatabaseSchema<Tables>,
    replica: AnyReadable,
    build: (edit: AnyEdit) => unknown,
    options?: EditOptions,
  ): Promise<unknown> {
    this.#assertOpen();
    this.#connector.require(schema.name);
    return runEdit((ops, { signal }) => this.#transactions.add(schema, ops, signal), replica, build, options);
  }

  /**
   * Asks for a lock of the server (RFC 7047 section 4.1.8); wait for `acquired`. With `steal` it is taken from its holder at once, but not
   * again after a reconnect. Aborting gives it back. Throws `OvsdbError` `value` if this client already has the lock or waits for it.
   */
  lock(
    name: string,
    { steal = false, signal }: { readonly steal?: boolean; readonly signal?: AbortSignal } = {},
  ): Lock {
    this.#assertOpen();
    signal?.throwIfAborted();
    if (this.#locks.has(checkedId(name))) throw new OvsdbError('value', `lock ${name} is already asked for`);
    const lock = new Lock({
      name,
      steal,
      signal,
      onStatus: (status) => this.#tell(status),
      onReleased: () => this.#locks.delete(name),
    });
    this.#locks.set(name, lock);
    if (this.#session) lock.up(this.#session);
    return lock;
  }

  /** The schema the connected server has for a database. Rejects with `OvsdbError` `rpc` if it has none. */
  async serverSchema(database: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<DatabaseSchema> {
    const session = await untilAborted(this.#up.promise, signal);
    return untilAborted(this.#schemaFrom(session, database), signal);
  }

  /** Ends the connection, the replicas and everything that waits. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = new OvsdbError('closed', 'the client was closed');
    for (const replica of [...this.#replicas]) replica.end(error);
    await Promise.all([...this.#locks.values()].map((lock) => lock.release()));
    this.#transactions.close(error);
    this.#up.reject(error);
    await this.#connector.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onUp(session: Session): void {
    this.#session = session;
    this.#schemas = new Map();
    // Before any transaction that asserts one.
    for (const lock of this.#locks.values()) lock.up(session);
    for (const replica of this.#replicas) void this.#start(replica, session);
    this.#transactions.up(session);
    this.#up.resolve(session);
  }

  #onDown(): void {
    this.#session = undefined;
    if (!this.#isClosed) {
      this.#up = Promise.withResolvers();
      this.#up.promise.catch(() => undefined);
    }
    this.#transactions.down();
    for (const lock of this.#locks.values()) lock.down();
    for (const replica of this.#replicas) replica.stop();
  }

  /** Starts a replica on a session once the server's schema is known. */
  async #start(replica: LiveReplica, session: Session): Promise<void> {
    try {
      const schema = await this.#schemaFrom(session, replica.database);
      if (session === this.#session && this.#replicas.has(replica)) replica.start(session, schema);
    } catch (error) {
      // No schema: the database went, or the session did. Either way another session follows.
      session.close(error instanceof Error ? error : new OvsdbError('rpc', String(error)));
    }
  }

  #schemaFrom(session: Session, database: string): Promise<DatabaseSchema> {
    const known = this.#schemas.get(database);
    if (known && session === this.#session) return known;
    const asked = readSchema(session, database);
    this.#schemas.set(database, asked);
    return asked;
  }

  #notified(notification: Notification): void {
    const { method, params } = notification;
    if (method === 'locked' || method === 'stolen') {
      this.#locks.get(String(params[0]))?.notified(method);
      return;
    }
    this.#replicaOf(params[0])?.notified(notification);
  }

  #replicaOf(monitor: unknown): LiveReplica | undefined {
    for (const replica of this.#replicas) if (replica.owns(monitor)) return replica;
    return undefined;
  }

  #tell(status: Status): void {
    for (const listener of this.#statusListeners) listener(status);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OvsdbError('closed', 'the client was closed');
  }
}

async function readSchema(session: Session, database: string): Promise<DatabaseSchema> {
  const reply = await session.request('get_schema', [database]);
  if (reply.kind === 'result') return parseSchema(reply.result);
  throw new OvsdbError('rpc', `the schema of ${database}: ${reply.error}`, { details: reply.details });
}
