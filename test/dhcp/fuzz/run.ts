import { Worker } from 'node:worker_threads';
import { hexText } from '#dhcp/wire/bytes.ts';
import type { FuzzResult } from './coverage-guided.ts';
import { newProgressMemory, progressOn } from './progress.ts';
import type { FuzzTargetName } from './targets.ts';

/** What must not happen happened; the message has the input in hexadecimal. */
export class FuzzFinding extends Error {
  override readonly name = 'FuzzFinding';
}

/** Megabytes the thread's heap may grow to, whatever it is fed. */
const heapMb = 128;
/** One input may take this long before it counts as a hang. */
const hangMs = 15_000;

/** Fuzzes one target in a thread of its own. @throws FuzzFinding for whatever is thrown, hangs or eats memory there. */
export async function fuzzTarget(
  target: FuzzTargetName,
  options: { readonly inputs: number; readonly seed: number },
): Promise<FuzzResult> {
  const shared = newProgressMemory();
  const progress = progressOn(shared);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { target, ...options, shared },
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  let seen = -1;
  const { promise, resolve, reject } = Promise.withResolvers<FuzzResult>();
  const found = (what: string): void => {
    reject(new FuzzFinding(`${target}: ${what}\ninput ${progress.count()}: ${hexText(progress.input())}`));
  };
  const watch = setInterval(() => {
    if (progress.count() === seen && seen > 0) found(`no end within ${hangMs / 1000} s`);
    seen = progress.count();
  }, hangMs);
  worker.on('message', resolve);
  worker.on('error', (error: Error) => found(error.stack ?? error.message));
  worker.on('exit', (code) => found(`the thread ended with ${code}`));
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}
