import { abortReason } from '../abort.ts';
import { OvsdbError } from '../errors.ts';
import type { Status } from '../status.ts';
import { type BackoffLimits, delayBefore } from './backoff.ts';
import type { ProbeLimits } from './probe.ts';
import { type Seen, seenAfter, unsuitable } from './server-databases.ts';
import { ServerWatch } from './server-watch.ts';
import { type Notification, openSession, type RowSink, type Session } from './session.ts';
import type { Dial } from './transport.ts';

export interface ConnectorOptions extends ProbeLimits, BackoffLimits {
  readonly remotes: readonly string[];
  readonly dial: Dial;
  readonly leaderOnly: boolean;
  /** To open the stream, TLS included. What comes after has the probes. */
  readonly connectTimeoutMs: number;
  readonly onStatus: (status: Status) => void;
  /** A session with a suitable server begins. */
  readonly onUp: (session: Session) => void;
  readonly onDown: (session: Session) => void;
  readonly onNotification: (notification: Notification) => void;
  readonly rowsOf: (monitor: unknown) => RowSink | undefined;
}

/** Ends a session whose server will not do; the next remote is due at once. */
class SentAway extends OvsdbError {
  constructor(remote: string, why: string) {
    super('disconnected', `${remote}: ${why}`);
  }
}

/** Keeps one session open to a suitable server, going round the remotes with backoff until closed. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #closing = new AbortController();
  readonly #databases = new Set<string>();
  /** What the databases looked like on earlier sessions. */
  readonly #seen = new Map<string, Seen>();
  #watch: ServerWatch | undefined;
  #session: Session | undefined;
  #remote = '';
  #isUp = false;
  readonly #done: Promise<void>;

  constructor(options: ConnectorOptions, databases: readonly string[]) {
    this.#options = options;
    for (const database of databases) this.#databases.add(database);
    this.#done = this.#run();
  }

  /** From now on only servers that serve this database will do. */
  require(database: string): void {
    if (this.#databases.has(database)) return;
    this.#databases.add(database);
    this.#assess();
  }

  async close(): Promise<void> {
    this.#closing.abort(new OvsdbError('closed', 'the client was closed'));
    this.#session?.close(abortReason(this.#closing.signal));
    await this.#done;
  }

  async #run(): Promise<void> {
    const { remotes, onStatus } = this.#options;
    const { signal } = this.#closing;
    let failures = 0;
    for (let turn = 0; !signal.aborted; turn++) {
      this.#remote = remotes[turn % remotes.length] ?? '';
      onStatus({ kind: 'connecting', remote: this.#remote });
      const { cause, wasUp } = await this.#connectOnce();
      if (signal.aborted) break;
      // A connection that was of use starts the count anew; then the other remotes come first (a leader that steps down is busy).
      failures = wasUp ? 1 : failures + 1;
      const isForced = cause instanceof SentAway || wasUp;
      const retryMs = delayBefore(this.#options, failures, remotes.length, isForced);
      onStatus({ kind: 'disconnected', remote: this.#remote, cause, retryMs });
      await sleep(retryMs, signal);
    }
  }

  /** One connection from dial to end. */
  async #connectOnce(): Promise<{ readonly cause: Error; readonly wasUp: boolean }> {
    const { dial, connectTimeoutMs, probeMs, dumpSilenceMs, rowsOf, onNotification, leaderOnly } = this.#options;
    const watch = new ServerWatch(!leaderOnly, () => this.#assess());
    const ended = Promise.withResolvers<Error>();
    const timeout = AbortSignal.timeout(connectTimeoutMs);
    let session: Session;
    try {
      session = await openSession(
        dial,
        this.#remote,
        {
          probeMs: this.#remote.startsWith('unix:') ? 0 : probeMs,
          dumpSilenceMs,
          rowsOf: (monitor) => (watch.replica.owns(monitor) ? watch.replica.updateRows : rowsOf(monitor)),
          onNotification: (one) =>
            watch.replica.owns(one.params[0]) ? watch.replica.notified(one) : onNotification(one),
          onClose: ended.resolve,
        },
        AbortSignal.any([this.#closing.signal, timeout]),
      );
    } catch (error) {
      return { cause: asError(error), wasUp: false };
    }
    this.#session = session;
    this.#watch = watch;
    this.#isUp = false;
    // Without it the server closes the session on changes of its databases, and never replies to a canceled transaction.
    session.send({ method: 'set_db_change_aware', params: [true], onReply: () => {} });
    watch.start(session).then(
      () => this.#assess(),
      // The session ended or the server is no OVSDB server: `ended` has the cause.
      (error: unknown) => session.close(asError(error)),
    );
    const cause = await ended.promise;
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#session = undefined;
    this.#watch = undefined;
    watch.replica.stop();
    if (wasUp) this.#options.onDown(session);
    return { cause, wasUp };
  }

  /** Is this server still, or at last, suitable? */
  #assess(): void {
    const session = this.#session;
    const watch = this.#watch;
    if (!session?.isOpen || !watch || !(watch.isAbsent || watch.replica.isCurrent)) return;
    for (const name of watch.isAbsent ? [] : this.#databases) {
      const database = watch.database(name);
      const reason = unsuitable(database, this.#options.leaderOnly, this.#seen.get(name));
      if (reason) {
        this.#options.onStatus({ kind: 'unsuitable', remote: this.#remote, database: name, reason });
        session.close(new SentAway(this.#remote, `${name}: ${reason}`));
        return;
      }
      if (database) this.#seen.set(name, seenAfter(database, this.#seen.get(name)));
    }
    if (this.#isUp) return;
    this.#isUp = true;
    this.#options.onStatus({ kind: 'connected', remote: this.#remote });
    this.#options.onUp(session);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Resolves after `ms`, or when `signal` aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake, { once: true });
  });
}
