import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A Node program that runs in a network namespace until it is disposed of. */
export interface RunningProgram extends AsyncDisposable {
  /** Resolves when it has printed this line. */
  said(line: string): Promise<void>;
}

export async function startInNamespace(netns: string, program: string): Promise<RunningProgram> {
  const child = spawn('nsenter', [`--net=/run/netns/${netns}`, '--', process.execPath, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    said: async (wanted) => {
      for (let line = await lines.next(); !line.done; line = await lines.next()) if (line.value === wanted) return;
      throw new Error(`ended without saying "${wanted}"`);
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'close');
      if (child.kill('SIGKILL')) await ended;
    },
  };
}
