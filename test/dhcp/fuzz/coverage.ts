import { type Profiler, Session } from 'node:inspector';

/**
 * Which code of this thread has run, block by block, as V8 counts it (`Profiler.takePreciseCoverage`). It costs a millisecond to ask and
 * next to nothing while code runs, so it is asked after many inputs and not after each.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #isCounted: (url: string) => boolean;
  /** Script → its characters, 1 for those that have run. */
  readonly #seen = new Map<string, Uint8Array>();

  /** @param isCounted whether a script counts, by its URL. */
  constructor(isCounted: (url: string) => boolean) {
    this.#isCounted = isCounted;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Whether code has run since the last time this was asked that had never run before; it counts as seen only when `keep` is set. */
  hasGrown(keep: boolean): boolean {
    let grown = false;
    for (const script of this.#take()) {
      const ran = charactersRun(script);
      const seen = this.#seen.get(script.url) ?? new Uint8Array();
      if (!ran.some((isRun, at) => isRun === 1 && seen[at] !== 1)) continue;
      grown = true;
      if (keep) this.#seen.set(script.url, union(seen, ran));
    }
    return grown;
  }

  /** Characters of code that have run. */
  get size(): number {
    let size = 0;
    for (const seen of this.#seen.values()) for (const isRun of seen) size += isRun;
    return size;
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** Within one thread the session answers before `post` returns. */
  #take(): Profiler.ScriptCoverage[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      scripts = taken.result.filter(({ url }) => this.#isCounted(url));
    });
    return scripts;
  }
}

/** Functions come outer ones first, and so do the ranges in each: what comes later says more exactly what ran. */
function charactersRun({ functions }: Profiler.ScriptCoverage): Uint8Array {
  const ranges = functions.flatMap((one) => one.ranges);
  const characters = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of ranges) characters.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return characters;
}

function union(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(Math.max(one.length, other.length));
  for (let at = 0; at < both.length; at++) both[at] = (one[at] ?? 0) | (other[at] ?? 0);
  return both;
}
