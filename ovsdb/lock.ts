import { abortReason } from './abort.ts';
import type { Session } from './connection/session.ts';
import { OvsdbError } from './errors.ts';
import type { Status } from './status.ts';

export interface LockOptions {
  readonly name: string;
  readonly steal: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onStatus: (status: Status) => void;
  readonly onReleased: () => void;
}

/**
 * A lock of the server (RFC 7047 section 4.1.8): one client holds it, others queue. It lives in one server process, not in a cluster's log,
 * so with a cluster it means something only with `leaderOnly`.
 *
 * After a reconnect it is asked for again. Whoever relies on holding it adds `{ op: 'assert', lock: name }` to his transactions: then the server
 * refuses them with `notOwner` once it is lost.
 */
export class Lock implements AsyncDisposable {
  readonly name: string;
  readonly #options: LockOptions;
  /** To steal is for once: whoever got the lock after us keeps it. */
  #steals: boolean;
  readonly #abort: () => void;
  #session: Session | undefined;
  #isHeld = false;
  #isReleased = false;
  #acquired = Promise.withResolvers<void>();
  #lost = new AbortController();

  constructor(options: LockOptions) {
    const { name, steal, signal } = options;
    this.name = name;
    this.#options = options;
    this.#steals = steal;
    this.#acquired.promise.catch(() => undefined);
    this.#abort = () => void this.#release(signal && abortReason(signal));
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Resolves while the lock is held, or when it next is. Rejects when it is released, with the signal's reason if that released it. */
  get acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  /** Aborts when the lock, held now, is lost: stolen, or with the connection. Each holding has its own signal. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Gives it back, or leaves the queue. */
  async release(): Promise<void> {
    await this.#release(new OvsdbError('closed', `lock ${this.name} was released`));
  }

  async #release(reason: Error | undefined): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    const session = this.#session;
    this.#session = undefined;
    this.#lose();
    this.#acquired.reject(reason);
    this.#options.onReleased();
    if (session?.isOpen) await session.request('unlock', [this.name]).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  // From the client.

  up(session: Session): void {
    this.#session = session;
    session.send({
      method: this.#steals ? 'steal' : 'lock',
      params: [this.name],
      onReply: (reply) => {
        if (session !== this.#session || reply?.kind !== 'result') return;
        if (typeof reply.result === 'object' && reply.result !== null && 'locked' in reply.result) {
          if (reply.result.locked === true) this.#hold();
        }
      },
    });
  }

  down(): void {
    this.#session = undefined;
    this.#lose();
  }

  /** `locked` and `stolen` of the server. */
  notified(method: string): void {
    if (method === 'locked') this.#hold();
    else this.#lose();
  }

  #hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#steals = false;
    this.#lost = new AbortController();
    this.#acquired.resolve();
    this.#options.onStatus({ kind: 'locked', lock: this.name });
  }

  #lose(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#acquired = Promise.withResolvers();
    this.#acquired.promise.catch(() => undefined);
    this.#options.onStatus({ kind: 'lockLost', lock: this.name });
    this.#lost.abort(new OvsdbError('disconnected', `lock ${this.name} was lost`));
  }
}
