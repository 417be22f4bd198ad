import type { CellFact, ColumnValue, DerivedFact, Fact, ProblemFact, RowFact } from './facts.ts';
import type { Key } from './table.ts';

/** Is told what on the board may have changed. Telling twice, or of something that changed back, is harmless. */
export interface BoardListener {
  rowChanged(table: string, row: Key): void;
  cellChanged(table: string, row: Key, column: string, entry: string): void;
  problemChanged(problem: ProblemFact): void;
}

/**
 * The noticeboard: who says what about which northbound row. It counts owners, so that a fact is there while anybody says it,
 * and resolves differences in a way that does not depend on the order in which things were said.
 */
export class Board {
  readonly listeners = new Set<BoardListener>();
  readonly #rows = new Map<string, Map<Key, DesiredRow>>();
  readonly #derived = new Map<string, Map<string, DerivedFact>>();
  readonly #problems = new Map<string, { fact: ProblemFact; owners: Set<string> }>();

  /** The row as it is wanted, or undefined when nobody says that it exists. */
  row(table: string, key: Key): DesiredRow | undefined {
    const found = this.#rows.get(table)?.get(key);
    return found?.fact === undefined ? undefined : found;
  }

  /** All wanted rows of a table. */
  *rows(table: string): Iterable<DesiredRow> {
    for (const row of this.#rows.get(table)?.values() ?? []) if (row.fact !== undefined) yield row;
  }

  tables(): Iterable<string> {
    return this.#rows.keys();
  }

  *problems(): Iterable<ProblemFact> {
    for (const { fact } of this.#problems.values()) yield fact;
  }

  say(owner: string, fact: Fact): void {
    switch (fact.kind) {
      case 'row':
        this.#desired(fact.table, fact.row).claims.set(owner, fact);
        this.#rowChanged(fact.table, fact.row);
        break;
      case 'cell':
        vote(this.#desired(fact.table, fact.row), owner, fact);
        this.#cellChanged(fact);
        break;
      case 'derived':
        getOrMake(this.#derived, `${fact.table}\n${fact.row}`, () => new Map<string, DerivedFact>()).set(owner, fact);
        this.#settleDerived(fact);
        break;
      case 'problem': {
        getOrMake(this.#problems, problemKey(fact), () => ({ fact, owners: new Set<string>() })).owners.add(owner);
        for (const listener of this.listeners) listener.problemChanged(fact);
        break;
      }
    }
  }

  unsay(owner: string, fact: Fact): void {
    switch (fact.kind) {
      case 'row': {
        const desired = this.#desired(fact.table, fact.row);
        desired.claims.delete(owner);
        this.#drop(desired);
        this.#rowChanged(fact.table, fact.row);
        break;
      }
      case 'cell': {
        const desired = this.#desired(fact.table, fact.row);
        unvote(desired, owner, fact);
        this.#drop(desired);
        this.#cellChanged(fact);
        break;
      }
      case 'derived':
        this.#derived.get(`${fact.table}\n${fact.row}`)?.delete(owner);
        this.#settleDerived(fact);
        break;
      case 'problem': {
        const said = this.#problems.get(problemKey(fact));
        said?.owners.delete(owner);
        if (said?.owners.size === 0) this.#problems.delete(problemKey(fact));
        for (const listener of this.listeners) listener.problemChanged(fact);
        break;
      }
    }
  }

  #desired(table: string, key: Key): DesiredRow {
    const rows = getOrMake(this.#rows, table, () => new Map<Key, DesiredRow>());
    return getOrMake(rows, key, () => new DesiredRow(table, key));
  }

  #drop(desired: DesiredRow): void {
    if (desired.claims.size === 0 && desired.cells.size === 0) this.#rows.get(desired.table)?.delete(desired.key);
  }

  #rowChanged(table: string, row: Key): void {
    for (const listener of this.listeners) listener.rowChanged(table, row);
  }

  #cellChanged({ table, row, column, entry }: CellFact): void {
    for (const listener of this.listeners) listener.cellChanged(table, row, column, entry);
  }

  /** One owner is the rule; while a row passes from one to another the smallest name speaks, whoever came first. */
  #settleDerived(fact: DerivedFact): void {
    const id = `${fact.table}\n${fact.row}`;
    const speaker = smallest(this.#derived.get(id) ?? new Map<string, DerivedFact>());
    if (speaker === undefined) {
      this.#derived.delete(id);
      fact.remove();
    } else speaker.put();
  }
}

/** What all owners together say about one row. */
export class DesiredRow {
  readonly table: string;
  readonly key: Key;
  readonly claims = new Map<string, RowFact>();
  /** column → entry → who says so. */
  readonly cells = new Map<string, Map<string, Map<string, CellFact>>>();

  constructor(table: string, key: Key) {
    this.table = table;
    this.key = key;
  }

  /** The claim that counts; undefined when only cells are said, which then wait for their row. */
  get fact(): RowFact | undefined {
    return smallest(this.claims);
  }

  /** Columns any fact speaks of. */
  columns(): Set<string> {
    return new Set([...Object.keys(this.fact?.columns ?? {}), ...this.cells.keys()]);
  }

  /** The winning value of a map entry, `true` for a set entry, undefined when nobody says it. */
  entry(column: string, entry: string): string | true | undefined {
    const voted = this.#vote(column, entry);
    if (voted !== undefined) return voted;
    const value = this.fact?.columns[column];
    if (Array.isArray(value)) return value.includes(entry) ? true : undefined;
    if (isRecord(value)) return Object.hasOwn(value, entry) ? value[entry] : undefined;
    return undefined;
  }

  /** The whole column: what the claim says with the cells added. */
  column(column: string): ColumnValue | undefined {
    const base = this.fact?.columns[column];
    const cells = this.cells.get(column);
    if (cells === undefined) return base;
    const isMap = isRecord(base) || (base === undefined && [...cells.values()].some(hasValue));
    if (isMap) {
      const merged: Record<string, string> = { ...(isRecord(base) ? base : {}) };
      for (const entry of cells.keys()) {
        const value = this.#vote(column, entry);
        if (typeof value === 'string') merged[entry] = value;
      }
      return merged;
    }
    return [...new Set([...(Array.isArray(base) ? base : []), ...cells.keys()])];
  }

  #vote(column: string, entry: string): string | true | undefined {
    let winner: CellFact | undefined;
    for (const fact of this.cells.get(column)?.get(entry)?.values() ?? []) {
      if (winner === undefined || beats(fact, winner)) winner = fact;
    }
    return winner === undefined ? undefined : (winner.value ?? true);
  }
}

function beats(a: CellFact, b: CellFact): boolean {
  const difference = (a.precedence ?? 0) - (b.precedence ?? 0);
  return difference !== 0 ? difference > 0 : (a.value ?? '') < (b.value ?? '');
}

function hasValue(facts: ReadonlyMap<string, CellFact>): boolean {
  for (const fact of facts.values()) return fact.value !== undefined;
  return false;
}

function vote(desired: DesiredRow, owner: string, fact: CellFact): void {
  const entries = getOrMake(desired.cells, fact.column, () => new Map<string, Map<string, CellFact>>());
  getOrMake(entries, fact.entry, () => new Map<string, CellFact>()).set(owner, fact);
}

function unvote(desired: DesiredRow, owner: string, fact: CellFact): void {
  const entries = desired.cells.get(fact.column);
  const owners = entries?.get(fact.entry);
  owners?.delete(owner);
  if (owners?.size === 0) entries?.delete(fact.entry);
  if (entries?.size === 0) desired.cells.delete(fact.column);
}

function smallest<T>(claims: ReadonlyMap<string, T>): T | undefined {
  if (claims.size <= 1) return claims.values().next().value;
  let winner: string | undefined;
  for (const owner of claims.keys()) if (winner === undefined || owner < winner) winner = owner;
  return winner === undefined ? undefined : claims.get(winner);
}

function isRecord(value: ColumnValue | undefined): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && !Array.isArray(value);
}

function problemKey({ object, condition, sentence }: ProblemFact): string {
  return [object.kind, object.namespace ?? '', object.name, object.uid, condition, sentence].join('\n');
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
