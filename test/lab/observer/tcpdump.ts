import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inPlace, type Place } from '../topology/command.ts';

/** A running tcpdump. */
export interface Tcpdump extends AsyncDisposable {
  /** Ends it; whatever has passed its filter until now is in its file, or was handed on, when this resolves. */
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
  const env = { ...process.env, ...place.env };
  const child = spawn(file, rest, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  createInterface({ input: child.stdout }).on('line', onLine);
  await said(child, 'listening on ');
  const stop = async () => {
    // Interrupted, it drops what it has not read from the kernel yet. Its counters need not ever agree, so patience ends.
    for (let asked = 0; asked < 100 && isRunning(child); asked += 1) if (await hasReadEverything(child)) break;
    child.kill('SIGINT');
    await closed;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** SIGUSR1 makes it say `5 packets captured, 6 packets received by filter, 0 packets dropped by kernel`. */
async function hasReadEverything(child: ChildProcess): Promise<boolean> {
  const answer = said(child, ' by kernel');
  child.kill('SIGUSR1');
  const [captured = 0, received = 0, dropped = 0] = [...(await answer).matchAll(/(\d+) packets? /g)].map(([, count]) =>
    Number(count),
  );
  return captured + dropped >= received;
}

/** Resolves with its standard error from now on, once that has `words` in it; rejects with it when tcpdump ends instead. */
function said(child: ChildProcess, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) done(() => resolve(text));
    };
    const fail = () => done(() => reject(new Error(text.trim() || 'tcpdump ended')));
    const done = (settle: () => void) => {
      child.stderr?.off('data', take);
      child.off('close', fail).off('error', fail);
      settle();
    };
    child.stderr?.on('data', take);
    child.once('close', fail).once('error', fail);
  });
}
