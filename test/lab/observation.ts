import { type Ping, startPing } from './observer/ping.ts';
import { type Stream, startStream } from './observer/stream.ts';
import type { Both } from './results.ts';

/** Port of the echo server in every guest. */
const echoPort = 7;

/** What the observer pod sees of one guest: a ping every 10 ms on IPv4 and IPv6, and a TCP stream through its echo server. */
export class Observation implements AsyncDisposable {
  readonly #netns: string;
  readonly #addresses: Both<string>;
  readonly #pings: Both<Ping>;
  #stream: Stream;

  private constructor(netns: string, addresses: Both<string>, pings: Both<Ping>, stream: Stream) {
    this.#netns = netns;
    this.#addresses = addresses;
    this.#pings = pings;
    this.#stream = stream;
  }

  /** Resolves when all of it is under way. */
  static async start(netns: string, addresses: Both<string>): Promise<Observation> {
    const [v4, v6, stream] = await Promise.all([
      startPing({ netns }, { address: addresses.v4 }),
      startPing({ netns }, { address: addresses.v6 }),
      startStream({ netns }, { address: addresses.v4, port: echoPort }),
    ]);
    await Promise.all([v4.untilReply(), v6.untilReply()]);
    return new Observation(netns, addresses, { v4, v6 }, stream);
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

  /** Bytes of the stream that have been sent until now and do not come back. */
  lostBytes(): Promise<number> {
    return this.#stream.lostBytes();
  }

  /** A new stream in place of one whose guest has gone. */
  async renewStream(): Promise<void> {
    await this.#stream.stop();
    this.#stream = await startStream({ netns: this.#netns }, { address: this.#addresses.v4, port: echoPort });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#pings.v4.stop(), this.#pings.v6.stop(), this.#stream.stop()]);
  }
}
