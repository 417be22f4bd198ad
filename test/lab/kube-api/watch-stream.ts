import type { ServerResponse } from 'node:http';
import type { WatchFaults } from './faults.ts';
import type { StoredObject } from './object.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import type { Matches } from './selectors.ts';
import { expired } from './status-error.ts';
import type { Change, Store } from './store.ts';

export interface WatchRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly matches: Matches | undefined;
  /** As in the query; undefined or '0' starts with what there is. */
  readonly resourceVersion: string | undefined;
  readonly sendsInitialEvents: boolean;
  readonly allowsBookmarks: boolean;
  readonly timeoutSeconds: number;
  readonly bookmarkEveryMs: number;
  readonly latencyMs: number;
  readonly faults: WatchFaults;
}

/** Serves one watch until it times out, the client goes or a fault ends it. Throws before the first byte when it must be refused. */
export function serveWatch(store: Store, request: WatchRequest, response: ServerResponse): void {
  const { resource, namespace, matches, faults } = request;
  const selected = (object: StoredObject): boolean =>
    (namespace === undefined || object.metadata.namespace === namespace) && (matches === undefined || matches(object));

  if (faults.goneStatus) throw expired('too old resource version');
  const startsWithState = request.sendsInitialEvents || !request.resourceVersion || request.resourceVersion === '0';
  const first: string[] = [];
  if (faults.garbage) first.push('{"type":"ADDED","object":');
  if (faults.goneInStream) first.push(line('ERROR', expired('too old resource version')));
  if (startsWithState) {
    for (const object of store.collection(resource).values()) if (selected(object)) first.push(line('ADDED', object));
    if (request.sendsInitialEvents && request.allowsBookmarks) {
      first.push(bookmark(resource, store.version, { 'k8s.io/initial-events-end': 'true' }));
    }
  } else {
    const version = Number(request.resourceVersion);
    // A version that is too old is an ERROR in the stream, as from the watch cache of a real server.
    if (version < store.compactedAt) {
      first.push(line('ERROR', expired(`too old resource version: ${version} (${store.compactedAt})`)));
    } else {
      for (const change of store.since(version)) {
        const text = seen(change, resource, selected);
        if (text !== undefined) first.push(text);
      }
    }
  }

  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  const stream = new FaultyLines(response, faults, request.latencyMs);
  for (const text of first) stream.send(text);

  const stop = store.listen((change) => {
    const text = seen(change, resource, selected);
    if (text !== undefined) stream.send(text);
  });
  const sendBookmark = (): void => {
    if (request.allowsBookmarks && !faults.withoutBookmarks) stream.send(bookmark(resource, store.version));
  };
  const bookmarks = setInterval(sendBookmark, request.bookmarkEveryMs);
  const timeout = setTimeout(() => {
    sendBookmark();
    stream.end();
  }, request.timeoutSeconds * 1000);
  bookmarks.unref();
  timeout.unref();
  response.on('close', () => {
    stop();
    clearInterval(bookmarks);
    clearTimeout(timeout);
  });
}

/** The event a watch with this selector gets: an object that stops matching is deleted as far as it can see. */
function seen(change: Change, resource: Resource, selected: (object: StoredObject) => boolean): string | undefined {
  if (change.resource !== resource) return undefined;
  const matched = change.previous !== undefined && selected(change.previous);
  const matchesNow = change.type !== 'DELETED' && selected(change.object);
  if (!matched && !matchesNow) return undefined;
  if (matchesNow) return line(matched ? 'MODIFIED' : 'ADDED', change.object);
  if (change.type === 'DELETED' || change.previous === undefined) return line('DELETED', change.object);
  const { metadata } = change.previous;
  return line('DELETED', {
    ...change.previous,
    metadata: { ...metadata, resourceVersion: change.object.metadata.resourceVersion },
  });
}

function line(type: string, object: object): string {
  let text = encoded.get(object);
  if (text === undefined) {
    text = JSON.stringify(object);
    encoded.set(object, text);
  }
  return `{"type":"${type}","object":${text}}\n`;
}

/** Each stored object is encoded once, however many watch it. */
const encoded = new WeakMap<object, string>();

function bookmark(resource: Resource, version: number, annotations?: Record<string, string>): string {
  return line('BOOKMARK', {
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    metadata: { resourceVersion: String(version), ...(annotations === undefined ? {} : { annotations }) },
  });
}

/** Writes lines as the faults want them: late, in odd chunks, cut off, swallowed. */
class FaultyLines {
  readonly #response: ServerResponse;
  readonly #faults: WatchFaults;
  readonly #latencyMs: number;
  #sent = 0;
  #waiting: string[] = [];
  #ends = false;

  constructor(response: ServerResponse, faults: WatchFaults, latencyMs: number) {
    this.#response = response;
    this.#faults = faults;
    this.#latencyMs = latencyMs;
    if (faults.resetAfterEvents === 0) setImmediate(() => response.destroy());
  }

  send(text: string): void {
    if (this.#latencyMs === 0) {
      this.#write(text);
      return;
    }
    this.#waiting.push(text);
    if (this.#waiting.length === 1) {
      setTimeout(() => {
        for (const late of this.#waiting) this.#write(late);
        this.#waiting = [];
      }, this.#latencyMs);
    }
  }

  end(): void {
    this.#ends = true;
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#ends || this.#response.destroyed) return;
    const { resetAfterEvents, endAfterEvents, swallowAfterEvents, chunkBytes } = this.#faults;
    if (swallowAfterEvents !== undefined && this.#sent >= swallowAfterEvents) return;
    if (resetAfterEvents !== undefined && this.#sent >= resetAfterEvents) {
      // Half a line first: what the client has of it must not count.
      this.#response.write(text.slice(0, text.length / 2), () => this.#response.destroy());
      this.#ends = true;
      return;
    }
    this.#sent += 1;
    const bytes = Buffer.from(text);
    const size = chunkBytes ?? bytes.length;
    for (let start = 0; start < bytes.length; start += size) this.#response.write(bytes.subarray(start, start + size));
    if (endAfterEvents !== undefined && this.#sent >= endAfterEvents) this.end();
  }
}
