import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { Coverage } from './coverage.ts';
import { fuzz } from './coverage-guided.ts';
import { progressOn } from './progress.ts';
import { fuzzTargetNames, fuzzTargets } from './targets.ts';

// A thread that fuzzes one target: its heap is limited and its progress watched by `run.ts`.

const { target, inputs, seed, shared } = z
  .object({
    target: z.enum(fuzzTargetNames),
    inputs: z.number(),
    seed: z.number(),
    shared: z.instanceof(SharedArrayBuffer),
  })
  .parse(workerData);

const progress = progressOn(shared);
const ours = new URL('../../../dhcp/', import.meta.url).href;
const coverage = new Coverage((url) => url.startsWith(ours));
try {
  parentPort?.postMessage(fuzz(fuzzTargets[target](), { inputs, seed, coverage, onInput: progress.begin }));
} finally {
  coverage.close();
}
