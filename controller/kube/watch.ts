import { finished, type Readable } from 'node:stream';
import type { KubeApi, Query } from './api.ts';
import { backoffMs } from './backoff.ts';
import { type Clock, pause, wallClock } from './clock.ts';
import { errorForSocket, errorForStatus, KubeError } from './errors.ts';
import { IdleLimit } from './idle-limit.ts';
import { type Kind, pathOf } from './kinds.ts';
import { KnownObjects, type ObjectSink } from './known-objects.ts';
import { Lines } from './lines.ts';
import { Fields, MalformedField } from './objects/fields.ts';
import { initialState, nextState, type Outcome, type WatchState } from './watch-state.ts';

export interface WatchOptions {
  readonly api: Pick<KubeApi, 'get' | 'stream'>;
  /** Ends the watch; `watchKind` then resolves. */
  readonly signal: AbortSignal;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly onNotice?: (notice: WatchNotice) => void;
  readonly clock?: Clock;
}

/** What a watch reports instead of logging: each is worth a counter. */
export type WatchNotice =
  | { readonly type: 'listed'; readonly objects: number; readonly pages: number }
  | { readonly type: 'opened'; readonly resourceVersion: string }
  /** `closed`: by the server, as agreed or not; `idle`: nothing came for too long. */
  | { readonly type: 'ended'; readonly reason: 'closed' | 'idle'; readonly livedMs: number }
  /** 410: a new list is next. */
  | { readonly type: 'expired' }
  | { readonly type: 'failed'; readonly error: KubeError; readonly retryInMs: number }
  /** The stream said what no API server says: a new list is next. */
  | { readonly type: 'garbled'; readonly problem: string; readonly retryInMs: number }
  /** The server has no such kind (yet), so there are no objects of it. */
  | { readonly type: 'not-served'; readonly retryInMs: number }
  /** An object that cannot be read; its last readable state stays in the sink. */
  | { readonly type: 'malformed'; readonly key: string; readonly problem: MalformedField };

/**
 * Keeps `sink` equal to what the API server has of one kind, until `signal` aborts. Lists in pages, then watches with bookmarks, resumes
 * where it was after any interruption, and lists anew when the server has forgotten that place. Rejects only when the sink throws.
 */
export async function watchKind<T>(kind: Kind<T>, sink: ObjectSink<T>, options: WatchOptions): Promise<void> {
  await new Watch(kind, sink, options).run();
}

class Watch<T> {
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  readonly #known: KnownObjects<T>;
  readonly #path: string;
  readonly #selectors: Query;
  #state: WatchState = initialState;
  /** In a row, without anything learnt between. */
  #failures = 0;
  #pages = 0;
  /** The page that is asked for while the one before is taken in. */
  #coming: { readonly continueToken: string; readonly page: Promise<unknown> } | undefined;

  constructor(kind: Kind<T>, sink: ObjectSink<T>, options: WatchOptions) {
    const { namespace, labelSelector, fieldSelector, clock = wallClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#known = new KnownObjects(kind, sink, (key, problem) => this.#notice({ type: 'malformed', key, problem }));
    this.#path = pathOf(kind, namespace === undefined ? {} : { namespace });
    this.#selectors = { labelSelector, fieldSelector };
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#state.name === 'empty' || this.#state.name === 'listing') await this.#readPage(this.#state);
        else await this.#readStream(this.#state.resourceVersion);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError || error instanceof MalformedField)) throw error;
        await this.#recover(error);
      }
    }
  }

  async #readPage(state: WatchState & { name: 'empty' | 'listing' }): Promise<void> {
    if (state.name === 'empty') {
      this.#known.beginList();
      this.#pages = 0;
    }
    const list = new Fields(await this.#page(state));
    const metadata = list.needObject('metadata');
    const resourceVersion = metadata.needString('resourceVersion');
    const continueToken = metadata.string('continue') || undefined;
    if (continueToken !== undefined) this.#askAhead({ ...state, name: 'listing', continueToken });
    for (const item of list.list('items')) this.#known.takeListed(item);
    this.#pages += 1;
    this.#move({ type: 'page', resourceVersion, ...(continueToken === undefined ? {} : { continueToken }) });
    if (continueToken === undefined) {
      const objects = this.#known.endList();
      this.#notice({ type: 'listed', objects, pages: this.#pages });
    }
  }

  #page(state: WatchState & { name: 'empty' | 'listing' }): Promise<unknown> {
    const coming = this.#coming;
    this.#coming = undefined;
    const continueToken = state.name === 'listing' ? state.continueToken : undefined;
    if (coming !== undefined && coming.continueToken === continueToken) return coming.page;
    const limit = state.pageSize === 0 ? undefined : state.pageSize;
    const query = { ...this.#selectors, limit, continue: continueToken };
    return this.#options.api.get(this.#path, { query, signal: this.#options.signal });
  }

  /** Server and client work at once, on neighbouring pages. */
  #askAhead(state: WatchState & { name: 'listing' }): void {
    const page = this.#page(state);
    // Who reads the page is told of its failure; nobody may come to that.
    page.catch(() => undefined);
    this.#coming = { continueToken: state.continueToken, page };
  }

  async #readStream(resourceVersion: string): Promise<void> {
    const timeoutSeconds = 240 + Math.floor(this.#clock.random() * 51);
    // The server ends the stream itself after `timeoutSeconds`, so silence beyond that means that it cannot reach us.
    const idle = new IdleLimit(this.#clock, (timeoutSeconds + 5) * 1000, this.#options.signal);
    const openedAt = this.#clock.now();
    try {
      const stream = await this.#options.api.stream(this.#path, {
        query: { ...this.#selectors, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds },
        signal: idle.signal,
      });
      this.#move({ type: 'opened' });
      this.#notice({ type: 'opened', resourceVersion });
      await this.#readEvents(stream, idle);
    } catch (error) {
      if (!idle.isExceeded) throw error;
    } finally {
      idle.stop();
      if (this.#clock.now() - openedAt >= steadyMs) this.#failures = 0;
    }
    const livedMs = this.#clock.now() - openedAt;
    this.#move({ type: 'interrupted' });
    this.#notice({ type: 'ended', reason: idle.isExceeded ? 'idle' : 'closed', livedMs });
    // A server that ends every watch at once must not be asked in a tight loop.
    if (livedMs < steadyMs) await this.#pause(this.#nextDelayMs());
  }

  async #readEvents(stream: Readable, idle: IdleLimit): Promise<void> {
    const lines = new Lines();
    try {
      await eachChunk(stream, `watch ${this.#path}`, (chunk) => {
        idle.restart();
        for (const line of lines.push(chunk)) this.#takeEvent(line);
      });
    } finally {
      stream.destroy();
    }
  }

  #takeEvent(line: string): void {
    const event = new Fields(parsed(line));
    const object = event.raw('object');
    switch (event.string('type')) {
      case 'ADDED':
      case 'MODIFIED':
        this.#move({ type: 'advanced', resourceVersion: this.#known.take(object) });
        break;
      case 'DELETED':
        this.#move({ type: 'advanced', resourceVersion: this.#known.takeDeleted(object) });
        break;
      case 'BOOKMARK': {
        const resourceVersion = new Fields(object).needObject('metadata').needString('resourceVersion');
        this.#refuseThePast(resourceVersion);
        this.#move({ type: 'advanced', resourceVersion });
        break;
      }
      case 'ERROR': {
        const status = new Fields(object);
        throw errorForStatus(`watch ${this.#path}`, status.number('code') ?? 500, object);
      }
      default:
        throw new MalformedField('type', 'a watch event type', event.raw('type'));
    }
  }

  /**
   * A bookmark older than what we know means that etcd was restored from a backup: the server counts again through versions it
   * believes us to have, and would say nothing about them.
   */
  #refuseThePast(resourceVersion: string): void {
    const known = this.#state.name === 'watching' ? Number(this.#state.resourceVersion) : 0;
    if (Number(resourceVersion) < known) {
      throw new KubeError(
        'gone',
        `watch ${this.#path}: the server is at version ${resourceVersion}, before ours, ${known}`,
      );
    }
  }

  /** Decides where to go on after an error, says so, and waits as long as is polite. */
  async #recover(error: KubeError | MalformedField): Promise<void> {
    if (error instanceof MalformedField) {
      this.#move({ type: 'lost' });
      const retryInMs = this.#nextDelayMs();
      this.#notice({ type: 'garbled', problem: error.message, retryInMs });
      await this.#pause(retryInMs);
    } else if (error.code === 'gone') {
      this.#move({ type: 'expired' });
      this.#notice({ type: 'expired' });
      // The first new list comes at once; a server that answers 410 for ever is not asked for ever at full speed.
      const delayMs = this.#nextDelayMs();
      if (this.#failures > 1) await this.#pause(delayMs);
    } else if (error.code === 'not-found' && this.#known.size === 0) {
      this.#move({ type: 'lost' });
      this.#known.beginList();
      this.#known.endList();
      this.#notice({ type: 'not-served', retryInMs: notServedRetryMs });
      await this.#pause(notServedRetryMs);
    } else {
      this.#move({ type: error.code === 'not-found' ? 'lost' : 'interrupted' });
      const retryInMs = Math.max(this.#nextDelayMs(), error.retryAfterMs ?? 0);
      this.#notice({ type: 'failed', error, retryInMs });
      await this.#pause(retryInMs);
    }
  }

  #move(outcome: Outcome): void {
    this.#state = nextState(this.#state, outcome);
    // Not after a page: a watch that is refused after each list must back off, too.
    if (outcome.type === 'advanced') this.#failures = 0;
  }

  #nextDelayMs(): number {
    this.#failures += 1;
    return backoffMs(this.#failures, this.#clock.random());
  }

  #pause(ms: number): Promise<void> {
    return pause(this.#clock, ms, this.#options.signal);
  }

  #notice(notice: WatchNotice): void {
    this.#options.onNotice?.(notice);
  }
}

/** A connection that lived this long was a good one. */
const steadyMs = 1000;

/** A kind may begin to be served at any time, when its CRD is installed. */
const notServedRetryMs = 10_000;

/**
 * Hands on the stream's chunks in the very callback of the socket: iterating would take each through half a dozen promises. Rejects with the
 * stream's errors as `KubeError`, and with what `take` throws as it is; after that nothing more is handed on.
 */
function eachChunk(stream: Readable, what: string, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        stream.off('data', onData);
        reject(error);
      }
    };
    stream.on('data', onData);
    finished(stream, (error) => {
      if (error) reject(errorForSocket(what, error));
      else resolve();
    });
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new MalformedField('watch event', 'JSON', line);
  }
}
