import type { Coverage } from './coverage.ts';
import { generator, mutated } from './mutations.ts';

/** What inputs are fed to. It throws when an input has made something happen that must not. */
export interface FuzzTarget {
  readonly seeds: readonly Uint8Array[];
  feed(input: Uint8Array): void;
}

export interface FuzzOptions {
  /** How many inputs; those that are fed again to find out which of many reached new code are not counted. */
  readonly inputs: number;
  /** The same seed gives the same inputs. */
  readonly seed: number;
  readonly coverage: Coverage;
  /** Called before each input. */
  readonly onInput: (input: Uint8Array) => void;
}

/** How a run went. */
export interface FuzzResult {
  readonly inputs: number;
  /** Inputs that reached code nothing before them had reached. */
  readonly kept: number;
  /** Characters of code that ran, by the seeds alone and in the end. */
  readonly coveredBySeeds: number;
  readonly covered: number;
  /** Milliseconds the slowest input took. */
  readonly slowestMs: number;
}

/** Inputs between two looks at the coverage. */
const batchSize = 256;

/** Feeds `target` with mutations of its seeds and of every input that reached code which nothing had reached before. */
export function fuzz(target: FuzzTarget, { inputs, seed, coverage, onInput }: FuzzOptions): FuzzResult {
  const random = generator(seed);
  const corpus = [...target.seeds];
  let slowestMs = 0;
  const feedAll = (batch: readonly Uint8Array[]): void => {
    for (const input of batch) {
      onInput(input);
      const startedAt = performance.now();
      target.feed(input);
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    }
  };
  /** Halves a batch that reached new code until the inputs that did are alone; coverage has just been asked. */
  const keepWhatGrows = (batch: readonly Uint8Array[]): void => {
    feedAll(batch);
    if (!coverage.hasGrown(batch.length === 1)) return;
    if (batch.length === 1) corpus.push(...batch);
    else for (const half of [batch.slice(0, batch.length >> 1), batch.slice(batch.length >> 1)]) keepWhatGrows(half);
  };

  feedAll(target.seeds);
  coverage.hasGrown(true);
  const coveredBySeeds = coverage.size;
  for (let fed = 0; fed < inputs; fed += batchSize) {
    keepWhatGrows(Array.from({ length: Math.min(batchSize, inputs - fed) }, () => mutated(corpus, random)));
  }
  return { inputs, kept: corpus.length - target.seeds.length, coveredBySeeds, covered: coverage.size, slowestMs };
}
