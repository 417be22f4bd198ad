import { type Ping, startPing } from './observer/ping.ts';
import { type Stream, startStream } from './observer/stream.ts';
import type { Both } from './results.ts';

/** Port of the echo server in every guest. */
const echoPort = 7;

/** A guest, and the network namespace of the pod that observes it. */
export interface Observed {
  readonly netns: string;
  readonly addresses: Both<string>;
}

/** A ping every 10 ms on IPv4 and IPv6. */
export class Pings implements AsyncDisposable {
  readonly #pings: Both<Ping>;

  private constructor(pings: Both<Ping>) {
    this.#pings = pings;
  }

  /** Resolves when both have been answered. */
  static async start({ netns, addresses }: Observed): Promise<Pings> {
    const [v4, v6] = await Promise.all([
      startPing({ netns }, { address: addresses.v4 }),
      startPing({ netns }, { address: addresses.v6 }),
    ]);
    await Promise.all([v4.untilReply(), v6.untilReply()]);
    return new Pings({ v4, v6 });
  }

  /** Resolves when both families have answered `replies` times from now on. */
  async untilReplies(replies: number): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    for (const ping of [this.#pings.v4, this.#pings.v6]) {
      for (let i = 0; i < replies; i += 1) await ping.untilReply(signal);
    }
  }

  longestGapMs(from: number): Both<number> {
    const to = Date.now();
    return {
      v4: this.#pings.v4.figures({ from, to }).longestGapMs,
      v6: this.#pings.v6.figures({ from, to }).longestGapMs,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#pings.v4.stop(), this.#pings.v6.stop()]);
  }
}

/** What the observer pod sees of one guest: its pings, and a TCP stream through its echo server. */
export class Observation implements AsyncDisposable {
  readonly pings: Pings;
  readonly #observed: Observed;
  #stream: Stream;

  private constructor(pings: Pings, observed: Observed, stream: Stream) {
    this.pings = pings;
    this.#observed = observed;
    this.#stream = stream;
  }

  /** Resolves when all of it is under way. */
  static async start(observed: Observed): Promise<Observation> {
    const [pings, stream] = await Promise.all([Pings.start(observed), streamTo(observed)]);
    return new Observation(pings, observed, stream);
  }

  /** Bytes of the stream that have been sent until now and do not come back. */
  lostBytes(): Promise<number> {
    return this.#stream.lostBytes();
  }

  /** A new stream in place of one whose guest has gone. */
  async renewStream(): Promise<void> {
    await this.#stream.stop();
    this.#stream = await streamTo(this.#observed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.pings[Symbol.asyncDispose](), this.#stream.stop()]);
  }
}

function streamTo({ netns, addresses }: Observed): Promise<Stream> {
  return startStream({ netns }, { address: addresses.v4, port: echoPort });
}
