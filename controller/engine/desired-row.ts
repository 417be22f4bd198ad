import { Claims } from './claims.ts';
import type { CellFact, ColumnValue, RowFact } from './facts.ts';
import type { Key } from './table.ts';
import { type Owner, Votes } from './votes.ts';

/** What all owners together say about one northbound row. */
export class DesiredRow {
  readonly table: string;
  readonly key: Key;
  readonly #claims = new Claims<RowFact>();
  readonly #votes = new Votes();

  constructor(table: string, key: Key) {
    this.table = table;
    this.key = key;
  }

  get isSilent(): boolean {
    return this.#claims.isEmpty && this.#votes.size === 0;
  }

  /** Statements about cells. */
  get cellCount(): number {
    return this.#votes.size;
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
    this.#votes.say(owner, fact);
  }

  unvote(owner: Owner, fact: CellFact): void {
    this.#votes.unsay(owner, fact);
  }

  /** The winning value of a map entry, `true` for a set entry, undefined when nobody says it. */
  entry(column: string, entry: string): string | true | undefined {
    const voted = this.#votes.winner(column, entry);
    if (voted !== undefined) return voted.value ?? true;
    const value = this.fact?.columns[column];
    if (Array.isArray(value)) return value.includes(entry) ? true : undefined;
    if (isRecord(value)) return Object.hasOwn(value, entry) ? value[entry] : undefined;
    return undefined;
  }

  column(column: string): ColumnValue | undefined {
    return this.all()[column];
  }

  /** All columns any fact speaks of: what the claim says with the cells added. */
  all(): Readonly<Record<string, ColumnValue>> {
    const said = this.fact?.columns;
    const all: Record<string, ColumnValue> = { ...said };
    // The claim's own lists and records are not touched: a column with cells is a copy.
    const sets: Record<string, string[]> = {};
    const maps: Record<string, Record<string, string>> = {};
    for (const { column, entry, value } of this.#votes.winners()) {
      const base = said?.[column];
      if (value === undefined) {
        const set = sets[column] ?? (Array.isArray(base) ? [...base] : []);
        sets[column] = set;
        // Every cell has one winner, so only the claim can have said it too.
        if (base === undefined || !(Array.isArray(base) && base.includes(entry))) set.push(entry);
      } else {
        const map = maps[column] ?? (isRecord(base) ? { ...base } : {});
        maps[column] = map;
        map[entry] = value;
      }
    }
    return Object.assign(all, sets, maps);
  }
}

function isRecord(value: ColumnValue | undefined): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && !Array.isArray(value);
}
