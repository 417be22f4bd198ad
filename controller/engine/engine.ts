import { Board } from './board.ts';
import { changedFacts } from './changed-facts.ts';
import type { Fact, ObjectReference } from './facts.ts';
import type { Place } from './place.ts';
import type { Key, Table } from './table.ts';
import { Bucket, noRows } from './table-index.ts';
import { FeatureRecipe, type Recipe, type Ticket } from './ticket.ts';

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
  /** False for rows of which it says nothing, whatever else there is: they cost it nothing. Absent: it may speak of any. */
  isFor?(input: In): boolean;
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
  /** What the feature that runs has looked at so far: the first `#readCount` of these. */
  readonly #reads: Place[] = [];
  #readCount = 0;
  #cooking: Ticket | undefined;
  /** No recipe before this one has anything to run. */
  #first = 0;

  constructor(options: EngineOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#sliceMs = options.sliceMs ?? 4;
    this.#onFailure = options.onFailure ?? (() => {});
    this.#read = {
      get: (table, key) => {
        const slot = table.slot(key);
        this.#looked(slot);
        return slot.row;
      },
      by: (table, index, value, within) => {
        const place = table.look(index, value, within, this.#cooking?.placeAt(this.#readCount));
        this.#looked(place);
        return place instanceof Bucket ? place.view() : noRows();
      },
      any: (table, index, value) => {
        const bucket = table.bucket(index, value);
        this.#looked(bucket.presence);
        return !bucket.isEmpty;
      },
    };
  }

  /** Features run in the order in which they are added: producers of derived rows before their readers. */
  add<In>(feature: Feature<In>): void {
    const position = this.#recipes.length;
    const recipe = new FeatureRecipe(feature, () => {
      if (position < this.#first) this.#first = position;
    });
    this.#recipes.push(recipe);
    recipe.wakeAll();
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
    let now = this.#now();
    const end = now + milliseconds;
    for (;;) {
      const ticket = this.#next();
      if (ticket === undefined) return true;
      this.#cook(ticket);
      const started = now;
      now = this.#now();
      ticket.recipe.statistics.milliseconds += now - started;
      if (now >= end) return this.isIdle;
    }
  }

  /** Marks every feature on every key to be run again by the next `run`; on a sound engine that changes nothing. */
  recompute(): void {
    for (const recipe of this.#recipes) recipe.wakeAll();
  }

  /** Runs a key that had failed once more. */
  retry(feature: string, key: Key): void {
    this.#recipes.find(({ name }) => name === feature)?.retry(key);
  }

  statistics(): readonly FeatureStatistics[] {
    return this.#recipes.map((recipe) => {
      let facts = 0;
      for (const ticket of recipe.tickets()) facts += ticket.facts.length;
      return { feature: recipe.name, facts, ...recipe.statistics };
    });
  }

  /** Keys that features are kept for, for tests: nothing wanted leaves none. */
  get tickets(): number {
    return this.#recipes.reduce((sum, { size }) => sum + size, 0);
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
    const { recipe } = ticket;
    ticket.isDirty = false;
    this.#cooking = ticket;
    this.#readCount = 0;
    let facts: readonly Fact[];
    try {
      facts = ticket.run(this.#read);
      recipe.failing.delete(ticket);
    } catch (error) {
      const attempts = (recipe.failing.get(ticket) ?? 0) + 1;
      recipe.failing.set(ticket, attempts);
      recipe.statistics.failures += 1;
      facts = [...ticket.facts.filter(({ kind }) => kind !== 'problem'), ...ticket.complaint(error)];
      this.#onFailure({ feature: recipe.name, key: ticket.key, error, attempts });
    }
    ticket.watch(this.#reads, this.#readCount);
    this.#settleFacts(ticket, facts);
    if (ticket.isBlank && !ticket.isDirty && !recipe.failing.has(ticket)) ticket.forget();
    recipe.statistics.runs += 1;
  }

  /** The list is used again and again: it does not shrink. */
  #looked(place: Place): void {
    this.#reads[this.#readCount] = place;
    this.#readCount += 1;
  }

  /** New facts are pinned up before old ones come down, so that what passes from one owner to another is never absent. */
  #settleFacts(ticket: Ticket, facts: readonly Fact[]): void {
    const before = ticket.facts;
    if (before.length === 0) {
      ticket.facts = facts;
      for (const fact of facts) this.board.say(ticket, fact);
      return;
    }
    const { kept, said, unsaid } = changedFacts(before, facts);
    ticket.facts = kept;
    for (const fact of said) this.board.say(ticket, fact);
    for (const fact of unsaid) this.board.unsay(ticket, fact);
  }
}
