import { type Clock, pause } from './clock.ts';

/** A token bucket: `burst` turns at once after a quiet time, `perSecond` in the long run, given out in the order asked for. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #msPerTurn: number;
  readonly #burst: number;
  readonly #signal: AbortSignal;
  /** When the bucket was, or will be, full (milliseconds of the clock). Each turn moves it on. */
  #fullAt: number;

  constructor(clock: Clock, perSecond: number, burst: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#msPerTurn = 1000 / perSecond;
    this.#burst = burst;
    this.#signal = signal;
    this.#fullAt = clock.now();
  }

  /** Resolves when it is the caller's turn; at once when the signal has aborted. */
  turn(): Promise<void> {
    const now = this.#clock.now();
    this.#fullAt = Math.max(this.#fullAt, now) + this.#msPerTurn;
    const waitMs = this.#fullAt - now - this.#burst * this.#msPerTurn;
    return waitMs <= 0 ? Promise.resolve() : pause(this.#clock, waitMs, this.#signal);
  }
}
