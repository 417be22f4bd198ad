/** What goes wrong, chosen by a test. All absent: nothing does. A request meets the faults set at the moment it arrives. */
export interface Faults {
  /** Added before each answer, and before each batch of watch events. */
  readonly latencyMs?: number;
  /** Every request is answered with this status instead; watches that run go on. */
  readonly refuse?: { readonly status: number; readonly retryAfterSeconds?: number };
  /** Lists are refused from their second page on with 410, as when the continue token outlived a compaction. */
  readonly expireContinue?: boolean;
  readonly watch?: WatchFaults;
}

export interface WatchFaults {
  /** The connection is destroyed after this many events, in the middle of the next event's line if there is one. */
  readonly resetAfterEvents?: number;
  /** The stream ends cleanly after this many events. */
  readonly endAfterEvents?: number;
  /** After this many events nothing comes any more and the stream stays open: a proxy that swallows it. */
  readonly swallowAfterEvents?: number;
  /** The answer is HTTP 410 instead of a stream. */
  readonly goneStatus?: boolean;
  /** The stream's first event is an `ERROR` with code 410. */
  readonly goneInStream?: boolean;
  /** The stream's first line is not JSON. */
  readonly garbage?: boolean;
  /** The stream is cut into chunks of this many bytes, whatever the lines. */
  readonly chunkBytes?: number;
  /** No bookmark is ever sent. */
  readonly withoutBookmarks?: boolean;
}
