import { type Claims, claim, speaker, unclaim } from './claims.ts';
import type { CellFact, ColumnValue, RowFact } from './facts.ts';
import type { Key } from './table.ts';
import { type Owner, unvote, type Votes, vote, voteCount, votedColumns, winner, winners } from './votes.ts';

/** What all owners together say about one northbound row. */
export class DesiredRow {
  readonly table: string;
  readonly key: Key;
  #claims: Claims<RowFact>;
  #votes: Votes;

  constructor(table: string, key: Key) {
    this.table = table;
    this.key = key;
  }

  get isSilent(): boolean {
    return this.#claims === undefined && this.#votes === undefined;
  }

  /** Statements about cells. */
  get cellCount(): number {
    return voteCount(this.#votes);
  }

  /** The claim that counts; undefined when only cells are said, which then wait for their row. */
  get fact(): RowFact | undefined {
    return speaker(this.#claims);
  }

  claim(owner: Owner, fact: RowFact): void {
    this.#claims = claim(this.#claims, owner, fact);
  }

  unclaim(owner: Owner): void {
    this.#claims = unclaim(this.#claims, owner);
  }

  vote(owner: Owner, fact: CellFact): void {
    this.#votes = vote(this.#votes, owner, fact);
  }

  unvote(owner: Owner, fact: CellFact): void {
    this.#votes = unvote(this.#votes, owner, fact);
  }

  /** The winning value of a map entry, `true` for a set entry, undefined when nobody says it. */
  entry(column: string, entry: string): string | true | undefined {
    const voted = winner(this.#votes, column, entry);
    if (voted !== undefined) return voted.value ?? true;
    const value = this.fact?.columns[column];
    if (Array.isArray(value)) return value.includes(entry) ? true : undefined;
    if (isRecord(value)) return Object.hasOwn(value, entry) ? value[entry] : undefined;
    return undefined;
  }

  /** What the claim says of the column, with the cells added; undefined when no fact speaks of it. */
  column(column: string): ColumnValue | undefined {
    const said = this.fact?.columns[column];
    const cells = winners(this.#votes, column);
    if (cells.length === 0) return said;
    // The claim's own lists and records are not touched: a column with cells is a copy.
    let set: string[] | undefined;
    let map: Record<string, string> | undefined;
    for (const { entry, value } of cells) {
      if (value === undefined) {
        set ??= Array.isArray(said) ? [...said] : [];
        // Every cell has one winner, so only the claim can have said it too.
        if (!(Array.isArray(said) && said.includes(entry))) set.push(entry);
      } else {
        map ??= isRecord(said) ? { ...said } : {};
        map[entry] = value;
      }
    }
    return map ?? set;
  }

  /** The same of a map. A `Map`, because keys such as those of pods would each make V8 a kind of object of their own. */
  map(column: string): ReadonlyMap<string, string> {
    const said = this.fact?.columns[column];
    const map = new Map(isRecord(said) ? Object.entries(said) : undefined);
    for (const { entry, value } of winners(this.#votes, column)) if (value !== undefined) map.set(entry, value);
    return map;
  }

  /** All columns any fact speaks of. */
  all(): Readonly<Record<string, ColumnValue>> {
    const all: Record<string, ColumnValue> = { ...this.fact?.columns };
    for (const column of votedColumns(this.#votes)) {
      const value = this.column(column);
      if (value !== undefined) all[column] = value;
    }
    return all;
  }
}

function isRecord(value: ColumnValue | undefined): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && !Array.isArray(value);
}
