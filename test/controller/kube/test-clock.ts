import type { Clock } from '#controller/kube/clock.ts';

/**
 * A clock that the test owns. Short pauses are over at once and are written down, so that backing off costs no time; what is
 * `longestPauseMs` or longer passes only when the test says so.
 */
export class TestClock implements Clock {
  /** Every pause asked for, milliseconds. */
  readonly pauses: number[] = [];
  readonly #longestPauseMs: number;
  readonly #limits = new Map<number, { readonly dueMs: number; readonly run: () => void }>();
  #next = 0;
  #now = 0;

  constructor({ longestPauseMs = 60_000 }: { readonly longestPauseMs?: number } = {}) {
    this.#longestPauseMs = longestPauseMs;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  after(ms: number, run: () => void): () => void {
    if (ms < this.#longestPauseMs) {
      this.pauses.push(ms);
      const pause = setImmediate(run);
      return () => clearImmediate(pause);
    }
    const id = this.#next++;
    this.#limits.set(id, { dueMs: this.#now + ms, run });
    return () => this.#limits.delete(id);
  }

  /** What waits for time to pass: milliseconds from now. */
  get limits(): number[] {
    return [...this.#limits.values()].map(({ dueMs }) => dueMs - this.#now);
  }

  /** Lets time pass, and with it the limits that it reaches. */
  pass(ms: number): void {
    this.#now += ms;
    for (const [id, limit] of this.#limits) {
      if (limit.dueMs > this.#now) continue;
      this.#limits.delete(id);
      limit.run();
    }
  }
}
