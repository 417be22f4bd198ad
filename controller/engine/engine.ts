import { Board } from './board.ts';
import type { Fact } from './facts.ts';
import { isSame } from './same.ts';
import type { Key, Place, Reader, Table } from './table.ts';

/** How a feature looks at tables: every look is remembered, so that a change there runs the feature again. */
export interface Read {
  get<T, Index extends string>(table: Table<T, Index>, key: Key): T | undefined;
  by<T, Index extends string>(table: Table<T, Index>, index: Index, value: string): ReadonlyMap<Key, T>;
}

/**
 * One feature of the controller: what follows from one row of `from` and whatever else it reads. `facts` is pure: no clock, no
 * I/O, no memory. What it said in its last run and does not say again is taken back.
 */
export interface Feature<In> {
  readonly name: string;
  readonly from: Table<In>;
  facts(key: Key, input: In, read: Read): Iterable<Fact>;
}

export interface FeatureStatistics {
  readonly feature: string;
  readonly runs: number;
  readonly facts: number;
  readonly milliseconds: number;
  readonly failures: number;
}

/** A feature threw on one key: a defect of ours. Its last facts stay, everything else goes on, and it is tried again. */
export interface Failure {
  readonly feature: string;
  readonly key: Key;
  readonly error: unknown;
  readonly attempts: number;
}

export interface EngineOptions {
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** Longest stretch without giving the event loop a turn, in milliseconds. */
  readonly sliceMs?: number;
  readonly onFailure?: (failure: Failure) => void;
}

/** Runs features over tables, and again only those whose reads changed; what they say is pinned to the board. */
export class Engine {
  readonly board = new Board();
  readonly #recipes: Recipe[] = [];
  readonly #now: () => number;
  readonly #sliceMs: number;
  readonly #onFailure: (failure: Failure) => void;

  constructor(options: EngineOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#sliceMs = options.sliceMs ?? 4;
    this.#onFailure = options.onFailure ?? (() => {});
  }

  /** Features run in the order in which they are added: producers of derived rows before their readers. */
  add<In>(feature: Feature<In>): void {
    const recipe: Recipe = {
      name: feature.name,
      run: (key, read) => {
        const input = feature.from.get(key);
        return input === undefined ? [] : [...feature.facts(key, input, read)];
      },
      exists: (key) => feature.from.get(key) !== undefined,
      tickets: new Map(),
      dirty: new Set(),
      statistics: { runs: 0, milliseconds: 0, failures: 0 },
    };
    feature.from.onChange((key) => wake(recipe, key));
    for (const key of feature.from.rows().keys()) wake(recipe, key);
    this.#recipes.push(recipe);
  }

  get isIdle(): boolean {
    return this.#recipes.every(({ dirty }) => dirty.size === 0);
  }

  /** Runs until nothing is left to do, giving the event loop a turn every few milliseconds. */
  async run(): Promise<void> {
    while (!this.runFor(this.#sliceMs)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Runs for about `milliseconds`; true when nothing is left to do. */
  runFor(milliseconds: number): boolean {
    const end = this.#now() + milliseconds;
    for (;;) {
      const recipe = this.#recipes.find(({ dirty }) => dirty.size > 0);
      if (recipe === undefined) return true;
      for (const ticket of recipe.dirty) {
        recipe.dirty.delete(ticket);
        this.#cook(recipe, ticket);
        if (this.#now() >= end) return this.isIdle;
        // A derived row may have woken an earlier feature, whose turn then comes first.
        break;
      }
    }
  }

  /** Marks every feature on every key to be run again by the next `run`; on a sound engine that changes nothing. */
  recompute(): void {
    for (const recipe of this.#recipes) for (const ticket of recipe.tickets.values()) ticket.wake();
  }

  /** Runs a key that had failed once more. */
  retry(feature: string, key: Key): void {
    this.#recipes
      .find(({ name }) => name === feature)
      ?.tickets.get(key)
      ?.wake();
  }

  statistics(): readonly FeatureStatistics[] {
    return this.#recipes.map(({ name, tickets, statistics }) => {
      let facts = 0;
      for (const ticket of tickets.values()) facts += ticket.facts.length;
      return { feature: name, facts, ...statistics };
    });
  }

  #cook(recipe: Recipe, ticket: Ticket): void {
    const started = this.#now();
    const reads = new Set<Place>();
    const read: Read = {
      get(table, key) {
        reads.add(table.place(key));
        return table.get(key);
      },
      by(table, index, value) {
        reads.add(table.bucketPlace(index, value));
        return table.by(index, value);
      },
    };
    let facts: readonly Fact[] = ticket.facts;
    try {
      facts = recipe.run(ticket.key, read);
      ticket.attempts = 0;
    } catch (error) {
      ticket.attempts += 1;
      recipe.statistics.failures += 1;
      this.#onFailure({ feature: recipe.name, key: ticket.key, error, attempts: ticket.attempts });
    }
    settleReads(ticket, reads);
    this.#settleFacts(ticket, facts);
    if (facts.length === 0 && !recipe.exists(ticket.key)) {
      settleReads(ticket, new Set());
      recipe.tickets.delete(ticket.key);
    }
    recipe.statistics.runs += 1;
    recipe.statistics.milliseconds += this.#now() - started;
  }

  /** New facts are pinned up before old ones come down, so that what passes from one owner to another is never absent. */
  #settleFacts(ticket: Ticket, facts: readonly Fact[]): void {
    const before = ticket.facts;
    if (before === facts) return;
    ticket.facts = facts;
    const old = new Map(before.map((fact) => [identity(fact), fact]));
    for (const fact of facts) {
      const id = identity(fact);
      const earlier = old.get(id);
      old.delete(id);
      if (earlier === undefined || !isSameFact(earlier, fact)) this.board.say(ticket.owner, fact);
    }
    for (const fact of old.values()) this.board.unsay(ticket.owner, fact);
  }
}

interface Recipe {
  readonly name: string;
  run(key: Key, read: Read): readonly Fact[];
  exists(key: Key): boolean;
  readonly tickets: Map<Key, Ticket>;
  readonly dirty: Set<Ticket>;
  readonly statistics: { runs: number; milliseconds: number; failures: number };
}

/** One feature on one key: what it looked at and what it said in its last run. */
class Ticket implements Reader {
  readonly key: Key;
  readonly owner: string;
  readonly #recipe: Recipe;
  reads: ReadonlySet<Place> = new Set();
  facts: readonly Fact[] = [];
  attempts = 0;

  constructor(recipe: Recipe, key: Key) {
    this.#recipe = recipe;
    this.key = key;
    this.owner = `${recipe.name} ${key}`;
  }

  wake(): void {
    this.#recipe.dirty.add(this);
  }
}

function wake(recipe: Recipe, key: Key): void {
  let ticket = recipe.tickets.get(key);
  if (ticket === undefined) {
    if (!recipe.exists(key)) return;
    ticket = new Ticket(recipe, key);
    recipe.tickets.set(key, ticket);
  }
  ticket.wake();
}

function settleReads(ticket: Ticket, reads: ReadonlySet<Place>): void {
  for (const place of reads) if (!ticket.reads.has(place)) place.readers.add(ticket);
  for (const place of ticket.reads) {
    if (reads.has(place)) continue;
    place.readers.delete(ticket);
    if (place.readers.size === 0) place.forget();
  }
  ticket.reads = reads;
}

/** Two facts of one run with the same identity would be one statement made twice; the later one counts. */
function identity(fact: Fact): string {
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

function isSameFact(a: Fact, b: Fact): boolean {
  if (a.kind === 'derived' && b.kind === 'derived') return isSame(a.value, b.value);
  return isSame(a, b);
}
