import type { CellFact } from './facts.ts';

/** Who says something, by identity: a name, or the engine's ticket of a feature and a key. */
export type Owner = string | object;

/**
 * What all owners together say about the cells of one row. A port has a few statements, which are found fastest, and take the least room,
 * as a chain; a port group has one for every member.
 */
export type Votes = Vote | ManyVotes | undefined;

/** One owner's statement about a cell, and the next one about a cell of the same row. */
class Vote {
  readonly owner: Owner;
  fact: CellFact;
  next: Vote | undefined;

  constructor(owner: Owner, fact: CellFact) {
    this.owner = owner;
    this.fact = fact;
  }
}

/** The votes with the owner's among them, in place of those before. What it said before about the same cell is replaced. */
export function vote(votes: Votes, owner: Owner, fact: CellFact): Votes {
  if (votes === undefined) return new Vote(owner, fact);
  if (votes instanceof ManyVotes) votes.say(owner, fact);
  else if (isAdded(votes, owner, fact) && voteCount(votes) > fewVotes) return new ManyVotes(votes);
  return votes;
}

/** The votes without the owner's about the cell, in place of those before. */
export function unvote(votes: Votes, owner: Owner, fact: CellFact): Votes {
  if (!(votes instanceof ManyVotes)) return without(votes, owner, fact);
  votes.unsay(owner, fact);
  return votes.size === 0 ? undefined : votes;
}

/** Statements made. */
export function voteCount(votes: Votes): number {
  if (votes instanceof ManyVotes) return votes.size;
  let count = 0;
  for (let one = votes; one !== undefined; one = one.next) count += 1;
  return count;
}

/** Of the votes for one cell the one that counts. */
export function winner(votes: Votes, column: string, entry: string): CellFact | undefined {
  let best: CellFact | undefined;
  for (let one = chainOf(votes, column, entry); one !== undefined; one = one.next) {
    const { fact } = one;
    if (fact.column === column && fact.entry === entry && (best === undefined || beats(fact, best))) best = fact;
  }
  return best;
}

/** Of every cell of the column the vote that counts. */
export function winners(votes: Votes, column: string): readonly CellFact[] {
  if (votes === undefined) return none;
  if (votes instanceof ManyVotes) return votes.winners(column);
  let found: CellFact[] | undefined;
  for (let one: Vote | undefined = votes; one !== undefined; one = one.next) {
    if (one.fact.column !== column || winner(votes, column, one.fact.entry) !== one.fact) continue;
    found ??= [];
    found.push(one.fact);
  }
  return found ?? none;
}

/** Columns that are voted on. */
export function votedColumns(votes: Votes): ReadonlySet<string> {
  if (votes instanceof ManyVotes) return votes.columns;
  const columns = new Set<string>();
  for (let one = votes; one !== undefined; one = one.next) columns.add(one.fact.column);
  return columns;
}

/** Votes that are found by a map: column → entry → who says it. */
class ManyVotes {
  readonly #columns = new Map<string, Map<string, Vote>>();
  #size = 0;

  constructor(chain: Vote) {
    for (let one: Vote | undefined = chain; one !== undefined; one = one.next) this.say(one.owner, one.fact);
  }

  get size(): number {
    return this.#size;
  }

  get columns(): ReadonlySet<string> {
    return new Set(this.#columns.keys());
  }

  of(column: string, entry: string): Vote | undefined {
    return this.#columns.get(column)?.get(entry);
  }

  say(owner: Owner, fact: CellFact): void {
    let entries = this.#columns.get(fact.column);
    if (entries === undefined) {
      entries = new Map();
      this.#columns.set(fact.column, entries);
    }
    const chain = entries.get(fact.entry);
    if (chain === undefined) entries.set(fact.entry, new Vote(owner, fact));
    if (chain === undefined || isAdded(chain, owner, fact)) this.#size += 1;
  }

  unsay(owner: Owner, fact: CellFact): void {
    const entries = this.#columns.get(fact.column);
    const before = entries?.get(fact.entry);
    if (entries === undefined || before === undefined) return;
    const count = voteCount(before);
    const after = without(before, owner, fact);
    this.#size -= count - voteCount(after);
    if (after !== undefined) entries.set(fact.entry, after);
    else entries.delete(fact.entry);
    if (entries.size === 0) this.#columns.delete(fact.column);
  }

  winners(column: string): readonly CellFact[] {
    const found: CellFact[] = [];
    for (const entry of this.#columns.get(column)?.keys() ?? none) {
      const fact = winner(this, column, entry);
      if (fact !== undefined) found.push(fact);
    }
    return found;
  }
}

/** A row with more votes than this finds them by a map. */
const fewVotes = 12;
const none: readonly never[] = [];

function chainOf(votes: Votes, column: string, entry: string): Vote | undefined {
  return votes instanceof ManyVotes ? votes.of(column, entry) : votes;
}

/** Whether the owner had not spoken of the cell before; if it had, it says this instead now. */
function isAdded(chain: Vote, owner: Owner, fact: CellFact): boolean {
  let last = chain;
  for (let one: Vote | undefined = chain; one !== undefined; one = one.next) {
    last = one;
    if (one.owner !== owner || !isSameCell(one.fact, fact)) continue;
    one.fact = fact;
    return false;
  }
  last.next = new Vote(owner, fact);
  return true;
}

function without(chain: Vote | undefined, owner: Owner, fact: CellFact): Vote | undefined {
  let before: Vote | undefined;
  for (let one = chain; one !== undefined; before = one, one = one.next) {
    if (one.owner !== owner || !isSameCell(one.fact, fact)) continue;
    if (before === undefined) return one.next;
    before.next = one.next;
    return chain;
  }
  return chain;
}

function beats(a: CellFact, b: CellFact): boolean {
  const difference = (a.precedence ?? 0) - (b.precedence ?? 0);
  return difference !== 0 ? difference > 0 : (a.value ?? '') < (b.value ?? '');
}

function isSameCell(a: CellFact, b: CellFact): boolean {
  return a.column === b.column && a.entry === b.entry;
}
