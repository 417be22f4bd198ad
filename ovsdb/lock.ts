import type { Session } from './connection/session.ts';
import { OvsdbError } from './errors.ts';
import type { Status } from './status.ts';

/**
 * A lock of the server (RFC 7047 section 4.1.8): one client holds it, others queue. It lives in one server process, not in a cluster's log,
 * so with a cluster it means something only with `leaderOnly`.
 *
 * After a reconnect it is asked for again. Whoever relies on holding it adds `{ op: 'assert', lock: name }` to his transactions: then the server
 * refuses them with `notOwner` once it is lost.
 */
export class Lock implements AsyncDisposable {
  readonly name: string;
  readonly #steal: boolean;
  readonly #onStatus: (status: Status) => void;
  readonly #onReleased: () => void;
  #session: Session | undefined;
  #isHeld = false;
  #isReleased = false;
  #acquired = Promise.withResolvers<void>();
  #lost = new AbortController();

  constructor(name: string, steal: boolean, onStatus: (status: Status) => void, onReleased: () => void) {
    this.name = name;
    this.#steal = steal;
    this.#onStatus = onStatus;
    this.#onReleased = onReleased;
    this.#acquired.promise.catch(() => undefined);
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Resolves while the lock is held, or when it next is. Rejects when it is released. */
  get acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  /** Aborts when the lock, held now, is lost: stolen, or with the connection. Each holding has its own signal. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Gives it back, or leaves the queue. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    const session = this.#session;
    this.#session = undefined;
    this.#lose();
    this.#acquired.reject(new OvsdbError('closed', `lock ${this.name} was released`));
    this.#onReleased();
    if (session?.isOpen) await session.request('unlock', [this.name]).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  // From the client.

  up(session: Session): void {
    this.#session = session;
    session.send({
      method: this.#steal ? 'steal' : 'lock',
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
    this.#lost = new AbortController();
    this.#acquired.resolve();
    this.#onStatus({ kind: 'locked', lock: this.name });
  }

  #lose(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#acquired = Promise.withResolvers();
    this.#acquired.promise.catch(() => undefined);
    this.#onStatus({ kind: 'lockLost', lock: this.name });
    this.#lost.abort(new OvsdbError('disconnected', `lock ${this.name} was lost`));
  }
}
