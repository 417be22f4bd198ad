import type { Clock } from '#controller/kube/clock.ts';

/** A clock on which pauses are over at once and are written down, and longer limits pass only when the test says so. */
export class TestClock implements Clock {
  /** Every pause asked for, milliseconds. */
  readonly pauses: number[] = [];
  readonly #limits = new Map<number, { readonly ms: number; readonly run: () => void }>();
  #next = 0;
  #now = 0;

  now(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  after(ms: number, run: () => void): () => void {
    if (ms < longestPauseMs) {
      this.pauses.push(ms);
      const pause = setImmediate(run);
      return () => clearImmediate(pause);
    }
    const id = this.#next++;
    this.#limits.set(id, { ms, run });
    return () => this.#limits.delete(id);
  }

  /** The limits that wait, milliseconds. */
  get limits(): number[] {
    return [...this.#limits.values()].map(({ ms }) => ms);
  }

  /** Lets time pass, and with it the limits that it reaches. */
  pass(ms: number): void {
    this.#now += ms;
    for (const [id, limit] of this.#limits) {
      if (limit.ms > ms) continue;
      this.#limits.delete(id);
      limit.run();
    }
  }
}

const longestPauseMs = 60_000;
