import type { Core } from './core.ts';
import { Turns } from './turns.ts';

export interface SettlingOptions {
  /** Called in a turn of its own, so that nothing that is written waits for it. */
  readonly onSettled?: () => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/**
 * Settles the core whenever something has changed. The first change of a turn of the event loop is settled, and written, as soon as whoever
 * tells of it has told all; those that others tell in the same turn are settled together at its end.
 */
export class Settling {
  readonly #core: Core;
  readonly #onSettled: () => void;
  readonly #now: () => number;
  #isDirty = false;
  /** Something has been settled in this turn of the event loop. */
  #isTurnUsed = false;
  #settling: Promise<void> | undefined;

  constructor(core: Core, { onSettled = () => {}, now = () => performance.now() }: SettlingOptions = {}) {
    this.#core = core;
    this.#onSettled = onSettled;
    this.#now = now;
  }

  /** Something in the core's tables has changed. */
  wake(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    if (this.#isTurnUsed) return;
    this.#isTurnUsed = true;
    void allTold.then(() => {
      this.#settle();
      setImmediate(() => {
        this.#isTurnUsed = false;
        this.#settle();
      });
    });
  }

  /** Resolves when everything is settled; undefined when it is. What is little is settled at once. */
  untilSettled(): Promise<void> | undefined {
    this.#settle();
    return this.#settling;
  }

  /** Resolves when everything that has changed so far, and meanwhile, is settled. */
  async settled(): Promise<void> {
    this.#isDirty = true;
    await this.untilSettled();
  }

  #settle(): void {
    if (!this.#isDirty || this.#settling !== undefined) return;
    const turns = new Turns(this.#now);
    if (!this.#settleFor(turns)) this.#settling = this.#goOn(turns);
  }

  async #goOn(turns: Turns): Promise<void> {
    do await turns.next();
    while (!this.#settleFor(turns));
    this.#settling = undefined;
  }

  #settleFor(turns: Turns): boolean {
    do {
      this.#isDirty = false;
      if (!this.#core.settleFor(turns)) return false;
    } while (this.#isDirty);
    setImmediate(this.#onSettled);
    return true;
  }
}

const allTold = Promise.resolve();
