import type { CellFact } from './facts.ts';

/** Who says something, by identity: a name, or the engine's ticket of a feature and a key. */
export type Owner = string | object;

/** One owner's statement about a cell, and the next one about a cell of the same row. */
interface Vote {
  readonly owner: Owner;
  readonly fact: CellFact;
}

/** Column → entry → who says it. */
type VotesByCell = Map<string, Map<string, readonly Vote[]>>;

/**
 * What all owners together say about the cells of one row. A port has a few, which are found fastest, and take the least room, in a
 * list without slack; a port group has one for every member.
 */
export class Votes {
  #votes: readonly Vote[] | VotesByCell = none;
  #size = 0;

  /** Statements made. */
  get size(): number {
    return this.#size;
  }

  /** What the owner said before about the same cell is replaced. */
  say(owner: Owner, fact: CellFact): void {
    if (isList(this.#votes) && this.#votes.length >= fewVotes) this.#votes = byCell(this.#votes);
    if (isList(this.#votes)) {
      const list = withVote(this.#votes, owner, fact);
      this.#size = list.length;
      this.#votes = list;
      return;
    }
    const entries = this.#votes.get(fact.column) ?? new Map<string, readonly Vote[]>();
    const before = entries.get(fact.entry) ?? none;
    const after = withVote(before, owner, fact);
    this.#size += after.length - before.length;
    this.#votes.set(fact.column, entries.set(fact.entry, after));
  }

  unsay(owner: Owner, fact: CellFact): void {
    if (isList(this.#votes)) {
      this.#votes = withoutVote(this.#votes, owner, fact);
      this.#size = this.#votes.length;
      return;
    }
    const entries = this.#votes.get(fact.column);
    const before = entries?.get(fact.entry);
    if (entries === undefined || before === undefined) return;
    const after = withoutVote(before, owner, fact);
    this.#size -= before.length - after.length;
    if (after.length > 0) entries.set(fact.entry, after);
    else entries.delete(fact.entry);
    if (entries.size === 0) this.#votes.delete(fact.column);
  }

  /** Of the votes for one cell the one that counts. */
  winner(column: string, entry: string): CellFact | undefined {
    const votes = isList(this.#votes) ? this.#votes : (this.#votes.get(column)?.get(entry) ?? none);
    let winner: CellFact | undefined;
    for (const { fact } of votes) {
      if (fact.column !== column || fact.entry !== entry) continue;
      if (winner === undefined || beats(fact, winner)) winner = fact;
    }
    return winner;
  }

  /** Columns that are voted on. */
  columns(): ReadonlySet<string> {
    return new Set(isList(this.#votes) ? this.#votes.map(({ fact }) => fact.column) : this.#votes.keys());
  }

  /** Of every cell of the column the vote that counts. */
  winners(column: string): readonly CellFact[] {
    let winners: CellFact[] | undefined;
    if (isList(this.#votes)) {
      for (const { fact } of this.#votes) {
        if (fact.column !== column || this.winner(column, fact.entry) !== fact) continue;
        winners ??= [];
        winners.push(fact);
      }
    } else {
      for (const entry of this.#votes.get(column)?.keys() ?? none) {
        const winner = this.winner(column, entry);
        if (winner === undefined) continue;
        winners ??= [];
        winners.push(winner);
      }
    }
    return winners ?? none;
  }
}

const none: readonly never[] = [];
/** A row with more votes than this finds them by a map. */
const fewVotes = 12;

function isList(votes: readonly Vote[] | VotesByCell): votes is readonly Vote[] {
  return Array.isArray(votes);
}

function byCell(votes: readonly Vote[]): VotesByCell {
  const columns: VotesByCell = new Map();
  for (const vote of votes) {
    const { column, entry } = vote.fact;
    const entries = columns.get(column) ?? new Map<string, readonly Vote[]>();
    columns.set(column, entries.set(entry, [...(entries.get(entry) ?? none), vote]));
  }
  return columns;
}

function withVote(votes: readonly Vote[], owner: Owner, fact: CellFact): readonly Vote[] {
  const at = votes.findIndex((one) => one.owner === owner && isSameCell(one.fact, fact));
  return at === -1 ? votes.concat({ owner, fact }) : votes.with(at, { owner, fact });
}

function withoutVote(votes: readonly Vote[], owner: Owner, fact: CellFact): readonly Vote[] {
  return votes.filter((one) => one.owner !== owner || !isSameCell(one.fact, fact));
}

function beats(a: CellFact, b: CellFact): boolean {
  const difference = (a.precedence ?? 0) - (b.precedence ?? 0);
  return difference !== 0 ? difference > 0 : (a.value ?? '') < (b.value ?? '');
}

function isSameCell(a: CellFact, b: CellFact): boolean {
  return a.column === b.column && a.entry === b.entry;
}
