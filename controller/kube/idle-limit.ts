import type { Clock } from './clock.ts';

/** Aborts `signal` when `restart` was not called for `ms`, or when `outer` aborts. `stop` must be called in the end. */
export class IdleLimit {
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #exceeded = new AbortController();
  #cancel: () => void;

  constructor(clock: Clock, ms: number, outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#exceeded.signal]);
    this.#clock = clock;
    this.#ms = ms;
    this.#cancel = this.#arm();
  }

  get isExceeded(): boolean {
    return this.#exceeded.signal.aborted;
  }

  restart(): void {
    this.#cancel();
    this.#cancel = this.#arm();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): () => void {
    return this.#clock.after(this.#ms, () => this.#exceeded.abort(new Error(`nothing came for ${this.#ms / 1000} s`)));
  }
}
