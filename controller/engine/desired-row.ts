import type { CellFact, ColumnValue, DerivedFact, RowFact } from './facts.ts';
import { isSame } from './same.ts';
import type { Key } from './table.ts';

/** Who says something, by identity: a name, or the engine's ticket of a feature and a key. */
export type Owner = string | object;

/** One owner's statement. */
interface Said<F> {
  readonly owner: Owner;
  readonly fact: F;
}

/** What all owners together say about one northbound row. There is one for every port, so the common few facts are kept in arrays. */
export class DesiredRow {
  readonly table: string;
  readonly key: Key;
  readonly #claims = new Claims<RowFact>();
  #cells: Said<CellFact>[] | Map<string, Said<CellFact>[]> = [];

  constructor(table: string, key: Key) {
    this.table = table;
    this.key = key;
  }

  get isSilent(): boolean {
    return this.#claims.isEmpty && this.cellCount === 0;
  }

  get cellCount(): number {
    return Array.isArray(this.#cells) ? this.#cells.length : this.#cells.size;
  }

  /** The claim that counts; undefined when only cells are said, which then wait for their row. */
  get fact(): RowFact | undefined {
    return this.#claims.speaker;
  }

  claim(owner: Owner, fact: RowFact): void {
    this.#claims.say(owner, fact);
  }

  unclaim(owner: Owner): void {
    this.#claims.unsay(owner);
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
    return this.all()[column];
  }

  /** All columns any fact speaks of. */
  all(): Readonly<Record<string, ColumnValue>> {
    const all: Record<string, ColumnValue> = { ...this.fact?.columns };
    const sets = new Map<string, Set<string>>();
    const maps = new Map<string, Record<string, string>>();
    for (const { column, entry, value } of this.#winners()) {
      const base = all[column];
      if (value === undefined) {
        let set = sets.get(column);
        if (set === undefined) {
          set = new Set(Array.isArray(base) ? base : []);
          sets.set(column, set);
        }
        set.add(entry);
      } else {
        let map = maps.get(column);
        if (map === undefined) {
          map = { ...(isRecord(base) ? base : {}) };
          maps.set(column, map);
        }
        map[entry] = value;
      }
    }
    for (const [column, set] of sets) all[column] = [...set];
    for (const [column, map] of maps) all[column] = map;
    return all;
  }

  /** Of every cell the vote that counts. */
  *#winners(): Iterable<CellFact> {
    if (!Array.isArray(this.#cells)) {
      for (const votes of this.#cells.values()) {
        const winner = best(votes);
        if (winner !== undefined) yield winner;
      }
      return;
    }
    for (const { fact } of this.#cells) if (this.#winner(fact.column, fact.entry) === fact) yield fact;
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

/**
 * Statements of which one counts. Some are made in the same words by everybody who needs them, so owners are filed under what
 * they say, and of different words the first in alphabetical order counts, whoever came first.
 */
export class Claims<F extends RowFact | DerivedFact> {
  readonly #contents: { readonly fact: F; owners: Owner | Set<Owner> }[] = [];

  get isEmpty(): boolean {
    return this.#contents.length === 0;
  }

  get speaker(): F | undefined {
    let winner = this.#contents[0]?.fact;
    if (this.#contents.length > 1) {
      for (const { fact } of this.#contents) if (winner && textOf(fact) < textOf(winner)) winner = fact;
    }
    return winner;
  }

  /** What the owner said before is replaced. */
  say(owner: Owner, fact: F): void {
    this.unsay(owner);
    const content = this.#contents.find((one) => isSame(contentOf(one.fact), contentOf(fact)));
    if (content === undefined) this.#contents.push({ fact, owners: owner });
    else if (content.owners instanceof Set) content.owners.add(owner);
    else content.owners = new Set([content.owners, owner]);
  }

  unsay(owner: Owner): void {
    const at = this.#contents.findIndex(({ owners }) => (owners instanceof Set ? owners.has(owner) : owners === owner));
    const content = this.#contents[at];
    if (content === undefined) return;
    if (content.owners instanceof Set && content.owners.size > 1) content.owners.delete(owner);
    else this.#contents.splice(at, 1);
  }
}

function contentOf(fact: RowFact | DerivedFact): unknown {
  return fact.kind === 'row' ? fact : fact.value;
}

function textOf(fact: RowFact | DerivedFact): string {
  return JSON.stringify(contentOf(fact), (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/** Rows with more cells than this find them by a map. */
const fewCells = 12;

/** What one owner said before about the same is replaced. */
function say<F>(said: Said<F>[], owner: Owner, fact: F, isAbout: (other: F) => boolean): void {
  const at = said.findIndex((one) => one.owner === owner && isAbout(one.fact));
  if (at === -1) said.push({ owner, fact });
  else said[at] = { owner, fact };
}

function unsay<F>(said: Said<F>[], owner: Owner, isAbout: (other: F) => boolean): void {
  const at = said.findIndex((one) => one.owner === owner && isAbout(one.fact));
  const last = said.pop();
  if (at === -1) {
    if (last !== undefined) said.push(last);
  } else if (last !== undefined && at < said.length) said[at] = last;
}

function beats(a: CellFact, b: CellFact): boolean {
  const difference = (a.precedence ?? 0) - (b.precedence ?? 0);
  return difference !== 0 ? difference > 0 : (a.value ?? '') < (b.value ?? '');
}

function best(votes: readonly Said<CellFact>[]): CellFact | undefined {
  let winner = votes[0]?.fact;
  for (const { fact } of votes) if (winner !== undefined && beats(fact, winner)) winner = fact;
  return winner;
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
