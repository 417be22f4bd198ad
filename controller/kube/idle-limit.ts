import type { Clock } from './clock.ts';

/** Aborts `signal` when `restart` was not called for `ms`, or when `outer` aborts. `stop` must be called in the end. */
export class IdleLimit {
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #exceeded = new AbortController();
  #restarted: number;
  #cancel: () => void;

  constructor(clock: Clock, ms: number, outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#exceeded.signal]);
    this.#clock = clock;
    this.#ms = ms;
    this.#restarted = clock.now();
    this.#cancel = clock.after(ms, () => this.#look());
  }

  get isExceeded(): boolean {
    return this.#exceeded.signal.aborted;
  }

  /** Only takes note of the time: it is called for every event, and the timer is set anew when it has run out. */
  restart(): void {
    this.#restarted = this.#clock.now();
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const leftMs = this.#restarted + this.#ms - this.#clock.now();
    if (leftMs > 0) this.#cancel = this.#clock.after(leftMs, () => this.#look());
    else this.#exceeded.abort(new Error(`nothing came for ${this.#ms / 1000} s`));
  }
}
