import type { Fact } from './facts.ts';
import type { Place, Reader } from './place.ts';
import { isSame } from './same.ts';
import type { Key } from './table.ts';

/** One feature as the engine runs it, and which of its keys are to be run. */
export interface Recipe {
  readonly name: string;
  run(key: Key): readonly Fact[];
  exists(key: Key): boolean;
  /** All keys it is to be run on. */
  keys(): Iterable<Key>;
  /** What the user is told when the feature throws on the key. */
  complaint(key: Key, error: unknown): readonly Fact[];
  /** Something of it is to be run. */
  readonly onDirty: () => void;
  readonly tickets: Map<Key, Ticket>;
  /** In the order in which they were woken; those before `head` have been run. */
  queue: Ticket[];
  head: number;
  readonly statistics: { runs: number; milliseconds: number; failures: number };
}

/** One feature on one key: what it looked at and what it said in its last run. It is the owner of those facts. */
export class Ticket implements Reader {
  readonly key: Key;
  readonly recipe: Recipe;
  #reads: readonly Place[] = none;
  facts: readonly Fact[] = noFacts;
  attempts = 0;
  isDirty = false;

  constructor(recipe: Recipe, key: Key) {
    this.recipe = recipe;
    this.key = key;
  }

  wake(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.recipe.queue.push(this);
    this.recipe.onDirty();
  }

  /** It looked at nothing and said nothing, so nothing is lost with it: only a change of its own row brings it back. */
  get isBlank(): boolean {
    return this.#reads.length === 0 && this.facts.length === 0;
  }

  /** From now on it is woken by these places and no others. A feature that runs again mostly looks at the same ones in the same order. */
  watch(reads: readonly Place[]): void {
    const before = this.#reads;
    if (before.length === reads.length && before.every((place, i) => place === reads[i])) return;
    for (const place of reads) place.enter(this);
    if (before.length > 0) {
      const kept = new Set(reads);
      for (const place of before) if (!kept.has(place)) place.leave(this);
    }
    // A copy has no room to grow, and there are as many as there are tickets.
    this.#reads = reads.length === 0 ? none : reads.slice();
  }
}

const none: readonly Place[] = [];
export const noFacts: readonly Fact[] = [];

/** Two facts of one run with the same identity would be one statement made twice; the later one counts. */
export function identity(fact: Fact): string {
  switch (fact.kind) {
    case 'row':
    case 'derived':
      return `${fact.kind}\n${fact.table}\n${fact.row}`;
    case 'cell':
      return `cell\n${fact.table}\n${fact.row}\n${fact.column}\n${fact.entry}`;
    case 'problem':
      return `problem\n${fact.object.kind}\n${fact.object.uid}\n${fact.condition}\n${fact.sentence}`;
  }
}

export function isSameFact(a: Fact, b: Fact): boolean {
  if (a.kind === 'derived' && b.kind === 'derived') {
    return a.table === b.table && a.row === b.row && isSame(a.value, b.value);
  }
  return isSame(a, b);
}
