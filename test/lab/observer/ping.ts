import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { isIPv6 } from 'node:net';
import { inPlace, type Place } from '../topology/command.ts';
import { Echoes, type EchoFigures } from './echoes.ts';
import { startTcpdump } from './tcpdump.ts';

/** A ping that runs. */
export interface Ping extends AsyncDisposable {
  readonly address: string;
  /** What was seen in a stretch of time (ms since the epoch), up to now when `to` is absent. */
  figures(span: { readonly from: number; readonly to?: number }): EchoFigures;
  /** Resolves with the next reply, which shows that the path works. */
  untilReply(signal?: AbortSignal): Promise<void>;
  /** Sends no more, waits up to 1 s for what is under way, and ends. `figures` still answers. */
  stop(): Promise<void>;
}

/**
 * Pings an address, IPv4 or IPv6, as an ordinary pod would, until it is stopped.
 *
 * `fping` sends and the other end's own kernel answers. (iputils' `ping -i 0.01` waits in whole kernel ticks and comes to
 * 16 ms between requests where CONFIG_HZ is 250.) Time is taken by neither: a tcpdump on the pod's interface reports when
 * the kernel sent each request and received each reply, so that a process waiting for a processor does not show as a gap
 * in the network. A request that is sent late does show, since nothing is subtracted; `longestSendGapMs` tells such a gap
 * from the others.
 *
 * @throws Error with fping's or tcpdump's own words when one of them cannot start; the methods, when fping has ended.
 */
export async function startPing(
  place: Place,
  what: {
    readonly address: string;
    /** The pod's interface; `eth0` when absent. */
    readonly interface?: string;
    /** Between requests; 10 when absent. */
    readonly intervalMs?: number;
  },
): Promise<Ping> {
  const { address, interface: nic = 'eth0', intervalMs = 10 } = what;
  const echoes = new Echoes();
  const replies = new EventEmitter();
  const filter = isIPv6(address)
    ? `icmp6 and host ${address} and (icmp6[0] = 128 or icmp6[0] = 129)`
    : `icmp and host ${address} and (icmp[0] = 8 or icmp[0] = 0)`;
  const capture = await startTcpdump(place, ['-i', nic, '-tt', filter], (line) => {
    if (echoes.take(line) === 'reply') replies.emit('reply');
  });

  const every = ['--period', String(intervalMs), '--interval', '1'];
  const [file, ...rest] = inPlace('fping', ['--loop', ...every, address], place);
  const env = { ...process.env, ...place.env };
  const sender = spawn(file, rest, { detached: true, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(sender, 'close');
  let stderr = '';
  sender.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-1000);
  });
  let stopped = false;
  const assertPinging = () => {
    if (stopped || (sender.exitCode ?? sender.signalCode) === null) return;
    throw new Error(`fping ${address} ended with ${sender.exitCode ?? sender.signalCode}: ${stderr.trim()}`);
  };
  const untilReply = async (signal?: AbortSignal) => {
    await Promise.race([once(replies, 'reply', signal ? { signal } : {}), ended]);
    assertPinging();
  };
  const stop = async () => {
    if (stopped) return;
    sender.kill('SIGINT');
    await ended;
    stopped = true;
    const patience = AbortSignal.timeout(1000);
    while (!echoes.newestIsAnswered && !patience.aborted) {
      await once(replies, 'reply', { signal: patience }).catch(() => {}); // Out of patience: it is lost.
    }
    await capture.stop();
  };
  return {
    address,
    figures: ({ from, to = Date.now() }) => {
      assertPinging();
      return echoes.figures({ from, to }, Date.now());
    },
    untilReply,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
