import type { Change, ChangeBatch } from './change.ts';

export interface ChangeStreamOptions {
  readonly signal?: AbortSignal;
  /** The present content comes first, as a batch of its own. */
  readonly initial?: boolean;
  /** Batches that wait for the consumer before they are merged into one. */
  readonly highWaterMark?: number;
}

/** One batch in place of several: each row as it was before the first and is after the last, if that differs. */
export function mergeBatches<C extends Change>(batches: readonly ChangeBatch<C>[]): ChangeBatch<C> {
  const rows = new Map<string, C>();
  for (const { changes } of batches) {
    for (const change of changes) {
      const key = `${change.table} ${change.uuid}`;
      const earlier = rows.get(key);
      if (!earlier) rows.set(key, change);
      else if (earlier.before === change.after) rows.delete(key);
      else rows.set(key, { ...change, before: earlier.before });
    }
  }
  const [first, ...rest] = batches;
  const isOneCause = rest.every(({ cause }) => cause === first?.cause);
  return { changes: [...rows.values()], cause: first && isOneCause ? first.cause : 'update' };
}

/** Batches handed from a listener to a consumer that takes its time. */
export class ChangeStream<C extends Change> implements AsyncIterableIterator<ChangeBatch<C>> {
  #waiting: ChangeBatch<C>[] = [];
  #taker: PromiseWithResolvers<IteratorResult<ChangeBatch<C>>> | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  readonly #highWaterMark: number;
  readonly #onEnd: () => void;

  constructor(highWaterMark: number, onEnd: () => void) {
    this.#highWaterMark = highWaterMark;
    this.#onEnd = onEnd;
  }

  push(batch: ChangeBatch<C>): void {
    if (this.#end) return;
    if (this.#taker) {
      this.#taker.resolve({ value: batch, done: false });
      this.#taker = undefined;
      return;
    }
    this.#waiting.push(batch);
    if (this.#waiting.length <= this.#highWaterMark) return;
    const merged = mergeBatches(this.#waiting);
    this.#waiting = merged.changes.length > 0 ? [merged] : [];
  }

  /** What waits is still delivered; then the stream ends, or fails with `error`. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = { error };
    this.#onEnd();
    if (error) this.#taker?.reject(error);
    else this.#taker?.resolve({ value: undefined, done: true });
    this.#taker = undefined;
  }

  async next(): Promise<IteratorResult<ChangeBatch<C>>> {
    const value = this.#waiting.shift();
    if (value) return { value, done: false };
    if (this.#end) {
      const { error } = this.#end;
      this.#end = { error: undefined };
      if (error) throw error;
      return { value: undefined, done: true };
    }
    this.#taker = Promise.withResolvers();
    return this.#taker.promise;
  }

  async return(): Promise<IteratorResult<ChangeBatch<C>>> {
    this.#waiting = [];
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
