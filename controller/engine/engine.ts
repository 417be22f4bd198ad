import { Board } from './board.ts';
import { type Fact, type ObjectReference, problem } from './facts.ts';
import type { Place } from './place.ts';
import type { Key, Table } from './table.ts';
import { identity, isSameFact, noFacts, type Recipe, Ticket } from './ticket.ts';

/** How a feature looks at tables: every look is remembered, so that a change there runs the feature again. */
export interface Read {
  get<T, Index extends string>(table: Table<T, Index>, key: Key): T | undefined;
  by<T, Index extends string>(
    table: Table<T, Index>,
    index: Index,
    value: string,
    within?: string,
  ): ReadonlyMap<Key, T>;
  /** Whether anything is filed under `value`: the feature runs again only when that changes. */
  any<T, Index extends string>(table: Table<T, Index>, index: Index, value: string): boolean;
}

/**
 * One feature of the controller: what follows from one row of `from` and whatever else it reads. `facts` is pure: no clock, no
 * I/O, no memory. What it said in its last run and does not say again is taken back.
 */
export interface Feature<In> {
  readonly name: string;
  readonly from: Table<In>;
  facts(key: Key, input: In, read: Read): Iterable<Fact>;
  /** Whose owner is told when the feature fails on the row. */
  object?(input: In): ObjectReference;
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
  /** Failures in a row. */
  readonly attempts: number;
}

export interface EngineOptions {
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** Longest stretch without giving the event loop a turn, in milliseconds. */
  readonly sliceMs?: number;
  /** The engine has no clock: whoever is told calls `retry` later. */
  readonly onFailure?: (failure: Failure) => void;
}

/** Runs features over tables, and again only those whose reads changed; what they say is pinned to the board. */
export class Engine {
  readonly board = new Board();
  readonly #recipes: Recipe[] = [];
  readonly #now: () => number;
  readonly #sliceMs: number;
  readonly #onFailure: (failure: Failure) => void;
  readonly #read: Read;
  /** What the feature that runs has looked at so far. */
  #reads: Place[] = [];
  /** No recipe before this one has anything to run. */
  #first = 0;

  constructor(options: EngineOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#sliceMs = options.sliceMs ?? 4;
    this.#onFailure = options.onFailure ?? (() => {});
    this.#read = {
      get: (table, key) => {
        this.#reads.push(table.place(key));
        return table.get(key);
      },
      by: (table, index, value, within) => {
        const bucket = table.bucket(index, value, within);
        this.#reads.push(bucket);
        return bucket.view();
      },
      any: (table, index, value) => {
        const bucket = table.bucket(index, value);
        this.#reads.push(bucket.presence);
        return !bucket.isEmpty;
      },
    };
  }

  /** Features run in the order in which they are added: producers of derived rows before their readers. */
  add<In>(feature: Feature<In>): void {
    const position = this.#recipes.length;
    const recipe: Recipe = {
      name: feature.name,
      run: (key) => {
        const input = feature.from.get(key);
        return input === undefined ? noFacts : [...feature.facts(key, input, this.#read)];
      },
      exists: (key) => feature.from.get(key) !== undefined,
      keys: () => feature.from.rows().keys(),
      complaint: (key, error) => {
        const input = feature.from.get(key);
        const object = input && feature.object?.(input);
        return object ? [problem(object, 'InternalError', sentenceOf(feature.name, error))] : noFacts;
      },
      onDirty: () => {
        if (position < this.#first) this.#first = position;
      },
      tickets: new Map(),
      queue: [],
      head: 0,
      statistics: { runs: 0, milliseconds: 0, failures: 0 },
    };
    feature.from.onChange((key) => wake(recipe, key));
    for (const key of feature.from.rows().keys()) wake(recipe, key);
    this.#recipes.push(recipe);
  }

  get isIdle(): boolean {
    return this.#recipes.every(({ queue }) => queue.length === 0);
  }

  /** Runs until nothing is left to do, giving the event loop a turn every few milliseconds. */
  async run(): Promise<void> {
    while (!this.runFor(this.#sliceMs)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Runs for about `milliseconds`; true when nothing is left to do. */
  runFor(milliseconds: number): boolean {
    const end = this.#now() + milliseconds;
    for (;;) {
      const ticket = this.#next();
      if (ticket === undefined) return true;
      this.#cook(ticket);
      if (this.#now() >= end) return this.isIdle;
    }
  }

  /** Marks every feature on every key to be run again by the next `run`; on a sound engine that changes nothing. */
  recompute(): void {
    for (const recipe of this.#recipes) {
      for (const ticket of recipe.tickets.values()) ticket.wake();
      for (const key of recipe.keys()) wake(recipe, key);
    }
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

  /** Keys that features are kept for, for tests: nothing wanted leaves none. */
  get tickets(): number {
    return this.#recipes.reduce((sum, { tickets }) => sum + tickets.size, 0);
  }

  /** A derived row may have woken an earlier feature, whose turn then comes first. */
  #next(): Ticket | undefined {
    for (; this.#first < this.#recipes.length; this.#first += 1) {
      const recipe = this.#recipes[this.#first];
      const ticket = recipe?.queue[recipe.head];
      if (recipe === undefined || ticket === undefined) continue;
      recipe.head += 1;
      if (recipe.head === recipe.queue.length) {
        recipe.queue = [];
        recipe.head = 0;
      }
      return ticket;
    }
    return undefined;
  }

  #cook(ticket: Ticket): void {
    const { recipe, key } = ticket;
    const started = this.#now();
    ticket.isDirty = false;
    this.#reads = [];
    let facts: readonly Fact[];
    try {
      facts = recipe.run(key);
      ticket.attempts = 0;
    } catch (error) {
      ticket.attempts += 1;
      recipe.statistics.failures += 1;
      facts = [...ticket.facts.filter(({ kind }) => kind !== 'problem'), ...recipe.complaint(key, error)];
      this.#onFailure({ feature: recipe.name, key, error, attempts: ticket.attempts });
    }
    ticket.watch(this.#reads);
    this.#settleFacts(ticket, facts);
    if (ticket.isBlank && !ticket.isDirty && ticket.attempts === 0) recipe.tickets.delete(key);
    recipe.statistics.runs += 1;
    recipe.statistics.milliseconds += this.#now() - started;
  }

  /** New facts are pinned up before old ones come down, so that what passes from one owner to another is never absent. */
  #settleFacts(ticket: Ticket, facts: readonly Fact[]): void {
    const before = ticket.facts;
    if (before.length === 0) {
      ticket.facts = facts.length === 0 ? noFacts : facts;
      for (const fact of facts) this.board.say(ticket, fact);
      return;
    }
    if (before.length === facts.length && before.every((fact, i) => isSameOrAbsent(fact, facts[i]))) return;
    const old = new Map(before.map((fact) => [identity(fact), fact]));
    const said = new Set<string>();
    // What is said again stays the object that is on the board, or both would be kept.
    ticket.facts = facts.map((fact) => {
      const id = identity(fact);
      const earlier = said.has(id) ? undefined : old.get(id);
      said.add(id);
      if (earlier !== undefined && isSameFact(earlier, fact)) return earlier;
      this.board.say(ticket, fact);
      return fact;
    });
    for (const [id, fact] of old) if (!said.has(id)) this.board.unsay(ticket, fact);
  }
}

function isSameOrAbsent(a: Fact, b: Fact | undefined): boolean {
  return b !== undefined && isSameFact(a, b);
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

function sentenceOf(feature: string, error: unknown): string {
  return `Hawser failed on this object (${feature}: ${error instanceof Error ? error.message : String(error)}) and goes on trying; please report it`;
}
