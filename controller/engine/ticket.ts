import type { Feature, Read } from './engine.ts';
import { type Fact, problem } from './facts.ts';
import { Place, type Reader } from './place.ts';
import type { Follower, Key, Slot } from './table.ts';

/** One feature as the engine runs it, and which of its keys are to be run. */
export interface Recipe {
  readonly name: string;
  /** Makes a ticket for every key, and wakes it. */
  wakeAll(): void;
  retry(key: Key): void;
  tickets(): Iterable<Ticket>;
  /** Keys that it is kept for. */
  readonly size: number;
  /** In the order in which they were woken; those before `head` have been run. */
  queue: Ticket[];
  head: number;
  /** Those that failed in their last run, and how often in a row. */
  readonly failing: Map<Ticket, number>;
  readonly statistics: { runs: number; milliseconds: number; failures: number };
}

/** One feature on one key: what it looked at and what it said in its last run. It is the owner of those facts. */
export interface Ticket extends Reader {
  readonly key: Key;
  readonly recipe: Recipe;
  facts: readonly Fact[];
  isDirty: boolean;
  run(read: Read): readonly Fact[];
  /** What it looked at in its last run, in that order. */
  placeAt(position: number): Place | undefined;
  /** From now on it is woken by the first `count` of these places and no others. */
  watch(reads: readonly Place[], count: number): void;
  /** What the user is told when the feature throws on the key. */
  complaint(error: unknown): readonly Fact[];
  /** It looked at nothing and said nothing, so nothing is lost with it: only a change of its own row brings it back. */
  readonly isBlank: boolean;
  forget(): void;
}

export class FeatureRecipe<In> implements Recipe, Follower<In> {
  readonly feature: Feature<In>;
  readonly failing = new Map<Ticket, number>();
  readonly statistics = { runs: 0, milliseconds: 0, failures: 0 };
  queue: Ticket[] = [];
  head = 0;
  /** Something of it is to be run. */
  readonly onDirty: () => void;
  #size = 0;

  constructor(feature: Feature<In>, onDirty: () => void) {
    this.feature = feature;
    this.onDirty = onDirty;
    feature.from.follow(this);
  }

  get name(): string {
    return this.feature.name;
  }

  get size(): number {
    return this.#size;
  }

  changed(slot: Slot<In>): void {
    let ticket = this.#ticketOf(slot);
    if (ticket === undefined) {
      if (slot.row === undefined || !this.isFor(slot.row)) return;
      ticket = new FeatureTicket(this, slot);
      slot.tickets = ticket;
      this.#size += 1;
    }
    ticket.wake();
  }

  isFor(row: In): boolean {
    return this.feature.isFor?.(row) ?? true;
  }

  retry(key: Key): void {
    const slot = this.feature.from.find(key);
    if (slot !== undefined) this.#ticketOf(slot)?.wake();
  }

  wakeAll(): void {
    for (const slot of this.feature.from.slots()) this.changed(slot);
  }

  *tickets(): Iterable<Ticket> {
    for (const slot of this.feature.from.slots()) {
      const ticket = this.#ticketOf(slot);
      if (ticket !== undefined) yield ticket;
    }
  }

  forget(ticket: FeatureTicket<In>, slot: Slot<In>): void {
    let before: FeatureTicket<In> | undefined;
    for (let one = slot.tickets; one !== undefined && one !== ticket; one = one.next) before = one;
    if (before === undefined) slot.tickets = ticket.next;
    else before.next = ticket.next;
    this.#size -= 1;
    this.feature.from.forget(slot.key);
  }

  #ticketOf(slot: Slot<In>): FeatureTicket<In> | undefined {
    let ticket = slot.tickets;
    while (ticket !== undefined && ticket.recipe !== this) ticket = ticket.next;
    return ticket;
  }
}

export class FeatureTicket<In> implements Ticket {
  readonly recipe: FeatureRecipe<In>;
  /** Of the next feature on the same key. */
  next: FeatureTicket<In> | undefined;
  readonly #slot: Slot<In>;
  /** A lone one is kept without a list around it. */
  #reads: Place | readonly Place[] = none;
  /** A lone one is kept without a list around it. */
  #facts: Fact | readonly Fact[] = noFacts;
  isDirty = false;

  constructor(recipe: FeatureRecipe<In>, slot: Slot<In>) {
    this.recipe = recipe;
    this.#slot = slot;
    this.next = slot.tickets;
  }

  get key(): Key {
    return this.#slot.key;
  }

  get facts(): readonly Fact[] {
    return isList(this.#facts) ? this.#facts : [this.#facts];
  }

  set facts(facts: readonly Fact[]) {
    const [first = noFacts] = facts;
    this.#facts = facts.length > 1 ? facts : first;
  }

  get isBlank(): boolean {
    return this.#reads === none && this.#facts === noFacts;
  }

  wake(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.recipe.queue.push(this);
    this.recipe.onDirty();
  }

  run(read: Read): readonly Fact[] {
    const { key, row } = this.#slot;
    if (row === undefined || !this.recipe.isFor(row)) return noFacts;
    const facts = [...this.recipe.feature.facts(key, row, read)];
    return facts.length === 0 ? noFacts : facts;
  }

  placeAt(position: number): Place | undefined {
    return this.#reads instanceof Place ? (position === 0 ? this.#reads : undefined) : this.#reads[position];
  }

  /** A feature that runs again mostly looks at the same places in the same order. */
  watch(reads: readonly Place[], count: number): void {
    const before = this.#reads;
    if (isStart(before, reads, count)) return;
    // A copy has no room to grow, and there are as many as there are tickets.
    const first = reads[0];
    const after = count === 0 ? none : count === 1 && first !== undefined ? first : reads.slice(0, count);
    this.#reads = after;
    if (before === none) this.#enter(placesOf(after));
    else {
      for (const place of onlyIn(placesOf(after), placesOf(before))) place.enter(this);
      for (const place of onlyIn(placesOf(before), placesOf(after))) place.leave(this);
    }
  }

  /** Most tickets are run once. */
  #enter(places: readonly Place[]): void {
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i];
      if (place !== undefined && places.indexOf(place) === i) place.enter(this);
    }
  }

  looksAt(place: Place): boolean {
    return this.#reads instanceof Place ? this.#reads === place : this.#reads.includes(place);
  }

  complaint(error: unknown): readonly Fact[] {
    const { feature } = this.recipe;
    const { row } = this.#slot;
    const object = row === undefined ? undefined : feature.object?.(row);
    return object ? [problem(object, 'InternalError', sentenceOf(feature.name, error))] : noFacts;
  }

  forget(): void {
    this.recipe.forget(this, this.#slot);
  }
}

const none: readonly Place[] = [];
export const noFacts: readonly Fact[] = [];

function isList(facts: Fact | readonly Fact[]): facts is readonly Fact[] {
  return Array.isArray(facts);
}

function placesOf(reads: Place | readonly Place[]): readonly Place[] {
  return reads instanceof Place ? [reads] : reads;
}

function isStart(before: Place | readonly Place[], reads: readonly Place[], count: number): boolean {
  if (before instanceof Place) return count === 1 && before === reads[0];
  if (before.length !== count) return false;
  for (let i = 0; i < count; i += 1) if (before[i] !== reads[i]) return false;
  return true;
}

/** Each place once, however often it was looked at. */
function onlyIn(places: readonly Place[], others: readonly Place[]): readonly Place[] | ReadonlySet<Place> {
  if (places.length === 0) return none;
  const only = new Set(places);
  for (const place of others) only.delete(place);
  return only;
}

function sentenceOf(feature: string, error: unknown): string {
  return `Hawser failed on this object (${feature}: ${error instanceof Error ? error.message : String(error)}) and goes on trying; please report it`;
}
