/** Stretches of work of a few milliseconds, between which others have their turn. */
export class Turns {
  readonly #now: () => number;
  #end: number;

  /** `now`: milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#end = now() + turnMilliseconds;
  }

  get isTimeUp(): boolean {
    return this.#now() >= this.#end;
  }

  /** What is left of the turn, in milliseconds. */
  get leftMs(): number {
    return Math.max(0, this.#end - this.#now());
  }

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#end = this.#now() + turnMilliseconds;
  }
}

const turnMilliseconds = 4;
