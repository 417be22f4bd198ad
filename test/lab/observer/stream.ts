import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { inPlace, type Place } from '../topology/command.ts';
import { longestGapMs } from './gaps.ts';

/** What became of the stream. Everything but the stall counts from its start. */
export interface StreamFigures {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Echoed bytes that are not the ones sent at their place: something was lost, doubled or swapped before them. */
  readonly wrongBytes: number;
  /** Longest time without an echo in the asked stretch of time, see `longestGapMs`. */
  readonly longestStallMs: number;
  /** Why the connection ended, when it did. */
  readonly broken?: string;
}

/** A TCP stream that runs. */
export interface Stream extends AsyncDisposable {
  /** What was seen, with the stall of a stretch of time (ms since the epoch), up to now when `to` is absent. */
  figures(span: { readonly from: number; readonly to?: number }): StreamFigures;
  /**
   * Waits for the echo of all that has been sent until now, and gives the bytes of it that did not come: 0 when the stream
   * is whole. Wrong bytes count as lost. After an outage TCP's own backoff can take as long again as that lasted.
   *
   * @param patienceMs 30,000 when absent.
   */
  lostBytes(patienceMs?: number): Promise<number>;
  /** Sends no more and ends. `figures` still answers. */
  stop(): Promise<void>;
}

/**
 * Runs a TCP stream to an echo server, IPv4 or IPv6, and checks that every byte comes back once and in order.
 *
 * Its client is a Node in the pod's network namespace that sends at a steady rate. The times are that Node's own, when it
 * was given the bytes: TCP retransmits in intervals of 200 ms and more, so a stall says how long an application waited
 * and not how long the path was cut; `ping.ts` measures that. An outage does not end the stream: Linux gives up after 15
 * minutes.
 *
 * @throws Error when it cannot connect.
 */
export async function startStream(
  place: Place,
  what: {
    readonly address: string;
    readonly port: number;
    /** Between writes; 50 when absent: each one wakes two processes of the guest, which without KVM delays its ping replies. */
    readonly intervalMs?: number;
    /** Per write; 500 when absent. */
    readonly bytes?: number;
  },
): Promise<Stream> {
  const { address, port, intervalMs = 50, bytes = 500 } = what;
  const main = fileURLToPath(new URL('./stream-main.ts', import.meta.url));
  const words = [main, address, String(port), String(intervalMs), String(bytes)];
  const [file, ...rest] = inPlace(process.execPath, words, place);
  const env = { ...process.env, ...place.env };
  const client = spawn(file, rest, { detached: true, env, stdio: ['pipe', 'pipe', 'inherit'] });
  client.stdin.on('error', () => {}); // It may have ended first; its last line says why.

  const news = new EventEmitter();
  const arrivals: number[] = [];
  let last: Omit<StreamFigures, 'longestStallMs'> = { sentBytes: 0, receivedBytes: 0, wrongBytes: 0 };
  createInterface({ input: client.stdout }).on('line', (text) => {
    const line = ClientLine.parse(JSON.parse(text));
    if (line.received > last.receivedBytes) arrivals.push(line.at);
    last = {
      sentBytes: line.sent,
      receivedBytes: line.received,
      wrongBytes: last.wrongBytes + line.wrong,
      ...(line.broken === undefined ? {} : { broken: line.broken }),
    };
    if (line.connected) news.emit('connected');
    if (line.asked) news.emit('asked');
    news.emit('line');
  });
  const ended = once(client, 'close').then(() => {
    last = { broken: 'its client ended', ...last };
  });
  await Promise.race([once(news, 'connected'), ended]);
  if (last.broken !== undefined) throw new Error(`TCP stream to ${address} port ${port}: ${last.broken}`);

  const stop = async () => {
    client.stdin.end();
    await ended;
  };
  return {
    figures: ({ from, to = Date.now() }) => ({ ...last, longestStallMs: longestGapMs(arrivals, { from, to }) }),
    lostBytes: async (patienceMs = 30_000) => {
      client.stdin.write('how much?\n');
      await Promise.race([once(news, 'asked'), ended]);
      const goal = last.sentBytes;
      const patience = AbortSignal.timeout(patienceMs);
      while (last.receivedBytes < goal && last.broken === undefined && !patience.aborted) {
        await Promise.race([once(news, 'line', { signal: patience }), ended]).catch(() => {}); // Out of patience.
      }
      return Math.max(0, goal - last.receivedBytes) + last.wrongBytes;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What the client says. */
const ClientLine = z.object({
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** Bytes since the start. */
  sent: z.number(),
  received: z.number(),
  /** Of the bytes that came with this line. */
  wrong: z.number().default(0),
  connected: z.boolean().optional(),
  asked: z.boolean().optional(),
  broken: z.string().optional(),
});
