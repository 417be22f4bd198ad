import type { CellFact, ColumnValue, RowFact } from './facts.ts';
import type { Key } from './table.ts';

/** Who says something: a name, or something that has one. Compared by identity, ordered by name. */
export type Owner = string | { readonly name: string };

/** One owner's statement. */
export interface Said<F> {
  readonly owner: Owner;
  readonly fact: F;
}

/** What all owners together say about one northbound row. There is one for every port, so the common few facts are kept in arrays. */
export class DesiredRow {
  readonly table: string;
  readonly key: Key;
  readonly #claims: Said<RowFact>[] = [];
  #cells: Said<CellFact>[] | Map<string, Said<CellFact>[]> = [];

  constructor(table: string, key: Key) {
    this.table = table;
    this.key = key;
  }

  get isSilent(): boolean {
    return this.#claims.length === 0 && (Array.isArray(this.#cells) ? this.#cells.length : this.#cells.size) === 0;
  }

  /** The claim that counts; undefined when only cells are said, which then wait for their row. */
  get fact(): RowFact | undefined {
    return speaker(this.#claims);
  }

  claim(owner: Owner, fact: RowFact): void {
    say(this.#claims, owner, fact, () => true);
  }

  unclaim(owner: Owner): void {
    unsay(this.#claims, owner, () => true);
  }

  vote(owner: Owner, fact: CellFact): void {
    say(this.#votesFor(fact), owner, fact, (other) => isSameCell(other, fact));
  }

  unvote(owner: Owner, fact: CellFact): void {
    if (Array.isArray(this.#cells)) {
      unsay(this.#cells, owner, (other) => isSameCell(other, fact));
      return;
    }
    const id = cellId(fact.column, fact.entry);
    const votes = this.#cells.get(id);
    if (votes === undefined) return;
    unsay(votes, owner, () => true);
    if (votes.length === 0) this.#cells.delete(id);
  }

  /** Columns any fact speaks of. */
  columns(): Set<string> {
    const columns = new Set(Object.keys(this.fact?.columns ?? {}));
    for (const { column } of this.#cellFacts()) columns.add(column);
    return columns;
  }

  /** The winning value of a map entry, `true` for a set entry, undefined when nobody says it. */
  entry(column: string, entry: string): string | true | undefined {
    const voted = this.#winner(column, entry);
    if (voted !== undefined) return voted.value ?? true;
    const value = this.fact?.columns[column];
    if (Array.isArray(value)) return value.includes(entry) ? true : undefined;
    if (isRecord(value)) return Object.hasOwn(value, entry) ? value[entry] : undefined;
    return undefined;
  }

  /** The whole column: what the claim says with the cells added. */
  column(column: string): ColumnValue | undefined {
    const base = this.fact?.columns[column];
    let map: Record<string, string> | undefined;
    let set: Set<string> | undefined;
    const winners = new Map<string, CellFact>();
    for (const fact of this.#cellFacts()) {
      if (fact.column !== column) continue;
      const winner = winners.get(fact.entry);
      if (winner === undefined || beats(fact, winner)) winners.set(fact.entry, fact);
    }
    for (const { entry, value } of winners.values()) {
      if (value === undefined) {
        set ??= new Set(Array.isArray(base) ? base : []);
        set.add(entry);
      } else {
        map ??= { ...(isRecord(base) ? base : {}) };
        map[entry] = value;
      }
    }
    return map ?? (set === undefined ? base : [...set]);
  }

  #winner(column: string, entry: string): CellFact | undefined {
    const votes = Array.isArray(this.#cells) ? this.#cells : (this.#cells.get(cellId(column, entry)) ?? []);
    let winner: CellFact | undefined;
    for (const { fact } of votes) {
      if (fact.column !== column || fact.entry !== entry) continue;
      if (winner === undefined || beats(fact, winner)) winner = fact;
    }
    return winner;
  }

  *#cellFacts(): Iterable<CellFact> {
    if (Array.isArray(this.#cells)) for (const { fact } of this.#cells) yield fact;
    else for (const votes of this.#cells.values()) for (const { fact } of votes) yield fact;
  }

  #votesFor(fact: CellFact): Said<CellFact>[] {
    if (Array.isArray(this.#cells)) {
      if (this.#cells.length < fewCells) return this.#cells;
      this.#cells = Map.groupBy(this.#cells, ({ fact: { column, entry } }) => cellId(column, entry));
    }
    const id = cellId(fact.column, fact.entry);
    let votes = this.#cells.get(id);
    if (votes === undefined) {
      votes = [];
      this.#cells.set(id, votes);
    }
    return votes;
  }
}

/** Rows with more cells than this find them by a map. */
const fewCells = 12;

/** One owner is the rule; while a row passes from one to another the smallest name speaks, whoever came first. */
export function speaker<F>(said: readonly Said<F>[]): F | undefined {
  let winner = said[0];
  for (const one of said) if (winner !== undefined && nameOf(one.owner) < nameOf(winner.owner)) winner = one;
  return winner?.fact;
}

/** What one owner said before about the same is replaced. */
export function say<F>(said: Said<F>[], owner: Owner, fact: F, isAbout: (other: F) => boolean): void {
  const at = said.findIndex((one) => one.owner === owner && isAbout(one.fact));
  if (at === -1) said.push({ owner, fact });
  else said[at] = { owner, fact };
}

export function unsay<F>(said: Said<F>[], owner: Owner, isAbout: (other: F) => boolean): void {
  const at = said.findIndex((one) => one.owner === owner && isAbout(one.fact));
  const last = said.pop();
  if (at === -1) {
    if (last !== undefined) said.push(last);
  } else if (last !== undefined && at < said.length) said[at] = last;
}

function nameOf(owner: Owner): string {
  return typeof owner === 'string' ? owner : owner.name;
}

function beats(a: CellFact, b: CellFact): boolean {
  const difference = (a.precedence ?? 0) - (b.precedence ?? 0);
  return difference !== 0 ? difference > 0 : (a.value ?? '') < (b.value ?? '');
}

function isSameCell(a: CellFact, b: CellFact): boolean {
  return a.column === b.column && a.entry === b.entry;
}

function cellId(column: string, entry: string): string {
  return `${column}\n${entry}`;
}

function isRecord(value: ColumnValue | undefined): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && !Array.isArray(value);
}
