/** Milliseconds between two transactions of a rush: at first, and at the most. */
const firstIntervalMs = 20;
const lastIntervalMs = 150;
/** The interval is this part of the time the rush has lasted. */
const share = 1 / 8;
/** A rush goes on while rows come in faster than one in so many milliseconds, or during a transaction. */
const rushedRowMs = 10;
/** It is over when they have not for so long. */
const calmMs = 300;

/**
 * When the next transaction may begin. A change that comes while nothing is in flight is written at once. Changes that come while a
 * transaction is in flight are a rush: northd looks at every transaction, so from then on they are gathered, the longer the longer
 * it lasts. 1,000 pods made in 2 s come to 30 transactions, and the last of them waits 150 ms.
 */
export class Pacing {
  #rush: { readonly since: number; seen: number } | undefined;
  #began = Number.NEGATIVE_INFINITY;

  /** How long to wait at `now`, in milliseconds on the clock of all these calls. */
  waitMs(now: number): number {
    if (this.#rush === undefined) return 0;
    if (now - this.#rush.seen > calmMs) {
      this.#rush = undefined;
      return 0;
    }
    const intervalMs = Math.min(Math.max((now - this.#rush.since) * share, firstIntervalMs), lastIntervalMs);
    return Math.max(0, this.#began + intervalMs - now);
  }

  /** A transaction is sent, with so many rows that have come in since the last one. */
  began(now: number, rows: number): void {
    if (this.#rush !== undefined && rows * rushedRowMs > now - this.#began) this.#rush.seen = now;
    this.#began = now;
  }

  /** Its reply is there. */
  ended(now: number, hasMoreComeIn: boolean): void {
    if (!hasMoreComeIn) return;
    this.#rush ??= { since: this.#began, seen: now };
    this.#rush.seen = now;
  }
}
