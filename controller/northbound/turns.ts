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

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#end = this.#now() + turnMilliseconds;
  }
}

const turnMilliseconds = 4;
