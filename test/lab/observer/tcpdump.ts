import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inPlace, type Place } from '../topology/command.ts';

/** A running tcpdump. */
export interface Tcpdump extends AsyncDisposable {
  /** Ends it; what it has captured has been handed on, or is in its file, when this resolves. */
  stop(): Promise<void>;
}

/**
 * Starts tcpdump and resolves when it captures.
 *
 * @param args as on its command line: options, then the filter (pcap-filter(7)).
 * @param onLine told of every line of its standard output.
 * @throws Error with tcpdump's own words when it cannot capture.
 */
export async function startTcpdump(
  place: Place,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<Tcpdump> {
  const [file, ...rest] = inPlace('tcpdump', ['--immediate-mode', '-U', '-l', '-n', ...args], place);
  const child = spawn(file, rest, {
    detached: true,
    env: { ...process.env, ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  createInterface({ input: child.stdout }).on('line', onLine);
  await untilListening(child);
  const stop = async () => {
    child.kill('SIGINT');
    await closed;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** tcpdump says `listening on eth0, …` once its socket is open, and packets count from then on. */
function untilListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', reject);
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('listening on ')) resolve();
    });
    child.once('close', () => reject(new Error(said.trim() || 'tcpdump ended')));
  });
}
