import { longestGapMs, type Span } from './gaps.ts';

/** What an observer saw of a series of pings in a stretch of time. */
export interface EchoFigures {
  /** Requests that left the pod; while its kernel does not know the next hop's MAC address, none does. */
  readonly sent: number;
  readonly received: number;
  /** Requests that were overtaken by a later one's reply, or had none for 1 s; those still under way are not lost. */
  readonly lost: number;
  /** Longest time between two replies, see `longestGapMs`. */
  readonly longestGapMs: number;
  /** The same of the requests: where it is far above the interval, it was the sender that was starved. */
  readonly longestSendGapMs: number;
}

const lossAfterMs = 1000;

/** The requests and replies of one series of pings, with the times at which the kernel saw them. */
export class Echoes {
  // By position in the series, which goes on where the 16-bit sequence number starts again.
  #sentAt: number[] = [];
  #receivedAt: number[] = [];
  /** Sequence number → position of the newest request with it. */
  #positions = new Map<string, number>();
  /** In order of arrival. */
  #arrivals: number[] = [];

  /**
   * Takes one line of `tcpdump -tt -n`: `1700000000.123456 IP6 fd00::a > fd00::b: ICMP6, echo reply, id 7, seq 42, length
   * 64`. Lines that are no echo request or reply are passed over. Returns what it was.
   */
  take(line: string): 'request' | 'reply' | undefined {
    const [, time, what, sequence] = /^(\d+\.\d+) .*echo (request|reply), id \d+, seq (\d+),/.exec(line) ?? [];
    if (time === undefined || sequence === undefined) return undefined;
    const at = Number(time) * 1000;
    if (what === 'request') {
      this.#positions.set(sequence, this.#sentAt.length);
      this.#sentAt.push(at);
      return 'request';
    }
    const position = this.#positions.get(sequence);
    // A reply that comes twice, or to nobody's request, is none.
    if (position === undefined || this.#receivedAt[position] !== undefined) return undefined;
    this.#receivedAt[position] = at;
    this.#arrivals.push(at);
    return 'reply';
  }

  /** Whether the latest request has its reply, or there is none. */
  get newestIsAnswered(): boolean {
    const sent = this.#sentAt.length;
    return sent === 0 || this.#receivedAt[sent - 1] !== undefined;
  }

  /** @param now until when packets have been seen, ms since the epoch. */
  figures(span: Span, now: number): EchoFigures {
    const within = (at: number) => at >= span.from && at < span.to;
    let [sent, received, lost, overtaken] = [0, 0, 0, false];
    for (let position = this.#sentAt.length - 1; position >= 0; position -= 1) {
      const at = this.#sentAt[position] ?? 0;
      const answered = this.#receivedAt[position] !== undefined;
      if (within(at)) {
        sent += 1;
        if (answered) received += 1;
        else if (overtaken || now - at > lossAfterMs) lost += 1;
      }
      overtaken ||= answered;
    }
    return {
      sent,
      received,
      lost,
      longestGapMs: longestGapMs(this.#arrivals, span),
      longestSendGapMs: longestGapMs(this.#sentAt, span),
    };
  }
}
