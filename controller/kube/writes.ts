import type { KubeApi } from './api.ts';
import { backoffMs } from './backoff.ts';
import { type Clock, pause, wallClock } from './clock.ts';
import { KubeError } from './errors.ts';
import { type Kind, pathOf } from './kinds.ts';
import { composedMergePatch } from './merge-patch.ts';
import { RateLimit } from './rate-limit.ts';

/** The object a write is of. */
export interface Place {
  readonly kind: Pick<Kind<unknown>, 'apiVersion' | 'resource' | 'kind'>;
  readonly namespace?: string;
  readonly name: string;
}

/** `patch` and `patchStatus` are JSON merge patches (RFC 7386). */
export type Write =
  | { readonly verb: 'create'; readonly body: object }
  | { readonly verb: 'patch' | 'patchStatus'; readonly body: Readonly<Record<string, unknown>> }
  /** With `uid`, only the object that has it is deleted. What is gone already counts as deleted. */
  | { readonly verb: 'delete'; readonly uid?: string };

/**
 * `superseded`: a deletion was asked for before the write was sent. A failure is one that asking again does not mend: for the caller
 * to judge (a conflict, an object that is there already, a refusal by schema or RBAC), or the writer was stopped.
 */
export type WriteResult =
  | { readonly type: 'written' }
  | { readonly type: 'superseded' }
  | { readonly type: 'failed'; readonly error: KubeError };

export interface WriterOptions {
  readonly api: Pick<KubeApi, 'create' | 'patch' | 'delete'>;
  /** Stops all writing; what waits fails. */
  readonly signal: AbortSignal;
  /** Sustained requests per second. */
  readonly perSecond: number;
  /** Requests that may go at once after a quiet time. */
  readonly burst: number;
  /** Asked before every request: false when another controller may be writing by now. Then the write fails. */
  readonly mayWrite?: () => boolean;
  readonly onNotice?: (notice: WriteNotice) => void;
  readonly clock?: Clock;
}

/** What the writer reports instead of logging. */
export type WriteNotice =
  | { readonly type: 'written'; readonly place: Place; readonly verb: Write['verb'] }
  | { readonly type: 'coalesced'; readonly place: Place; readonly verb: Write['verb'] }
  | { readonly type: 'retry'; readonly place: Place; readonly error: KubeError; readonly retryInMs: number }
  | { readonly type: 'failed'; readonly place: Place; readonly error: KubeError };

/**
 * Writes to the API off the critical path. Writes of one object go one after another in the order asked for; patches that wait become
 * one; all share one rate limit; the weather is waited out.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  /** Path of an object → what waits for it; present while something of it waits or is being sent. */
  readonly #queues = new Map<string, Waiting[]>();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#limit = new RateLimit(this.#clock, options.perSecond, options.burst, options.signal);
  }

  /** Objects that wait for a write or are being written. */
  get pending(): number {
    return this.#queues.size;
  }

  write(place: Place, write: Write): Promise<WriteResult> {
    const path = pathOf(place.kind, place);
    const queue = this.#queues.get(path);
    const { promise, resolve } = Promise.withResolvers<WriteResult>();
    if (queue === undefined) {
      const fresh: Waiting[] = [{ write, resolvers: [resolve] }];
      this.#queues.set(path, fresh);
      // It settles every promise it takes on; what it rejects with is a bug of ours, and ends the process.
      void this.#drain(place, path, fresh);
    } else {
      this.#enqueue(place, queue, write, resolve);
    }
    return promise;
  }

  #enqueue(place: Place, queue: Waiting[], write: Write, resolve: (result: WriteResult) => void): void {
    if (write.verb === 'delete') {
      for (const { resolvers } of queue.splice(0)) for (const settle of resolvers) settle({ type: 'superseded' });
    }
    const last = queue.at(-1);
    if (last !== undefined && isPatch(last.write) && isPatch(write) && last.write.verb === write.verb) {
      last.write = { verb: write.verb, body: composedMergePatch(last.write.body, write.body) };
      last.resolvers.push(resolve);
      this.#notice({ type: 'coalesced', place, verb: write.verb });
    } else {
      queue.push({ write, resolvers: [resolve] });
    }
  }

  async #drain(place: Place, path: string, queue: Waiting[]): Promise<void> {
    for (;;) {
      // Taken off the queue only when its turn has come, so that what is asked for meanwhile can still join it.
      await this.#limit.turn();
      const next = queue.shift();
      if (next === undefined) {
        this.#queues.delete(path);
        return;
      }
      const result = await this.#send(place, path, next.write);
      for (const settle of next.resolvers) settle(result);
      if (queue.length === 0) {
        this.#queues.delete(path);
        return;
      }
    }
  }

  async #send(place: Place, path: string, write: Write): Promise<WriteResult> {
    for (let failures = 1; ; failures += 1) {
      try {
        if (this.#options.mayWrite?.() === false) throw new KubeError('conflict', 'the Lease is not ours for certain');
        await this.#request(place, path, write);
        this.#notice({ type: 'written', place, verb: write.verb });
        return { type: 'written' };
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (this.#options.signal.aborted || !error.isWeather) {
          this.#notice({ type: 'failed', place, error });
          return { type: 'failed', error };
        }
        const retryInMs = Math.max(backoffMs(failures, this.#clock.random()), error.retryAfterMs ?? 0);
        this.#notice({ type: 'retry', place, error, retryInMs });
        await pause(this.#clock, retryInMs, this.#options.signal);
      }
    }
  }

  async #request(place: Place, path: string, write: Write): Promise<void> {
    const { api, signal } = this.#options;
    switch (write.verb) {
      case 'create':
        await api.create(
          pathOf(place.kind, place.namespace === undefined ? {} : { namespace: place.namespace }),
          write.body,
          { signal },
        );
        break;
      case 'patch':
        await api.patch(path, 'merge', write.body, { signal });
        break;
      case 'patchStatus':
        await api.patch(`${path}/status`, 'merge', write.body, { signal });
        break;
      case 'delete':
        await api
          .delete(path, { signal }, write.uid === undefined ? undefined : { preconditions: { uid: write.uid } })
          .catch((error: unknown) => {
            if (!(error instanceof KubeError && error.code === 'not-found')) throw error;
          });
        break;
      default:
        write satisfies never;
    }
  }

  #notice(notice: WriteNotice): void {
    this.#options.onNotice?.(notice);
  }
}

interface Waiting {
  write: Write;
  readonly resolvers: ((result: WriteResult) => void)[];
}

function isPatch(write: Write): write is Write & { verb: 'patch' | 'patchStatus' } {
  return write.verb === 'patch' || write.verb === 'patchStatus';
}
