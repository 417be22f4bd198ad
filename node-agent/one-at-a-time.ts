/** Something else runs for this key. */
export class Busy extends Error {
  override readonly name = 'Busy';

  constructor(key: string) {
    super(`another request for ${key} is under way`);
  }
}

/** The work was called off because its key is to be taken away. */
export class CalledOff extends Error {
  override readonly name = 'CalledOff';

  constructor(key: string) {
    super(`${key} is being removed`);
  }
}

/**
 * One piece of work at a time for each key, everything at once for different keys. Whoever makes something gives way to whoever
 * takes it away: a runtime that gives up on ADD sends DEL, and then the ADD is called off and has cleaned up before DEL starts.
 */
export class OneAtATime {
  readonly #running = new Map<string, { readonly abort: AbortController; readonly done: Promise<unknown> }>();

  isBusy(key: string): boolean {
    return this.#running.has(key);
  }

  /** Rejects with `Busy` when something runs for this key. The work's signal is aborted when it is called off, or by `signal`. */
  async make<T>(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#running.has(key)) throw new Busy(key);
    return await this.#run(key, (calledOff) => work(AbortSignal.any([signal, calledOff])));
  }

  /** Calls off what runs for this key, waits for its end, then does the work. */
  async takeAway<T>(key: string, work: () => Promise<T>): Promise<T> {
    for (let running = this.#running.get(key); running; running = this.#running.get(key)) {
      running.abort.abort(new CalledOff(key));
      await running.done;
    }
    return await this.#run(key, work);
  }

  async #run<T>(key: string, work: (calledOff: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const result = work(abort.signal);
    const done = result.catch(() => {});
    this.#running.set(key, { abort, done });
    try {
      return await result;
    } finally {
      this.#running.delete(key);
    }
  }
}
