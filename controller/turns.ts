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
    await turn();
    this.#end = this.#now() + turnMilliseconds;
  }
}

/**
 * Resolves in a turn of the event loop that nobody else who has asked for one works in: those who settle, plan and send one after another
 * would together hold up everybody else for as long as all of them take.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (queue.push(resolve) === 1) setImmediate(giveTurn);
  });
}

const turnMilliseconds = 4;
const queue: (() => void)[] = [];

function giveTurn(): void {
  const resolve = queue.shift();
  // What is asked for from now on, and by what is asked now, is for a later turn.
  if (queue.length > 0) setImmediate(giveTurn);
  resolve?.();
}
