import { isSame } from './same.ts';
import type { Key, Table } from './table.ts';
import type { Owner } from './votes.ts';

/** A northbound column as features write it: scalars, sets as arrays, maps as string records, references as UUIDs. */
export type ColumnValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>>;
export type Columns = Readonly<Record<string, ColumnValue>>;

/** Where a non-root row hangs: the set column of the row that refers to it. OVSDB drops such a row once nothing does. */
export interface Parent {
  readonly table: string;
  readonly row: Key;
  readonly column: string;
}

/** This northbound row exists and has these columns. One owner; columns not named here are not ours. */
export interface RowFact {
  readonly kind: 'row';
  readonly table: string;
  readonly row: Key;
  readonly columns: Columns;
  readonly parent?: Parent | undefined;
  /** Whose owner is told when the database refuses the row. */
  readonly object?: ObjectReference | undefined;
}

/** What thousands of rows have in common, and how each is made of what it is about: one object for all of them. */
export interface RowForm<In> {
  readonly table: string;
  readonly parent: Parent;
  /** Pure. */
  columns(row: Key, input: In): Columns;
  object(input: In): ObjectReference;
}

/**
 * This set column contains `entry`, or this map column has `entry` = `value`. Any number of owners: a set entry is there while
 * somebody says so; of several values for one map key the highest `precedence` wins, then the smaller value.
 */
export interface CellFact {
  readonly kind: 'cell';
  readonly table: string;
  readonly row: Key;
  readonly column: string;
  readonly entry: string;
  readonly value?: string;
  readonly precedence?: number;
}

/** An in-memory row for later features. One owner. */
export interface DerivedFact<T = unknown> {
  readonly kind: 'derived';
  readonly table: string;
  readonly row: Key;
  readonly value: T;
  /** Into its table, which keeps who derives what. */
  pin(owner: Owner): void;
  unpin(owner: Owner): void;
}

/** Something is wrong with a user's object: a condition type and a sentence that person can act on. */
export interface Problem {
  readonly object: ObjectReference;
  readonly condition: string;
  readonly sentence: string;
}

export interface ProblemFact extends Problem {
  readonly kind: 'problem';
}

export interface ObjectReference {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export type Fact = RowFact | CellFact | DerivedFact | ProblemFact;

export function row(table: string, key: Key, columns: Columns, parent?: Parent, object?: ObjectReference): RowFact {
  return { kind: 'row', table, row: key, columns, ...(parent && { parent }), ...(object && { object }) };
}

/** A row whose columns are worked out when somebody looks at them: until then it takes the room of a few references. */
export function madeRow<In>(form: RowForm<In>, key: Key, input: In): RowFact {
  return new MadeRow(form, key, input);
}

export function isSameRow(a: RowFact, b: RowFact): boolean {
  if (a instanceof MadeRow && b instanceof MadeRow && a.isMadeAs(b)) return true;
  const isOne = a.table === b.table && a.row === b.row;
  return isOne && isSame(a.columns, b.columns) && isSame(a.parent, b.parent) && isSame(a.object, b.object);
}

export function setEntry(table: string, key: Key, column: string, entry: string): CellFact {
  return { kind: 'cell', table, row: key, column, entry };
}

export function mapEntry(
  table: string,
  key: Key,
  column: string,
  entry: string,
  value: string,
  precedence = 0,
): CellFact {
  return { kind: 'cell', table, row: key, column, entry, value, precedence };
}

export function derived<T, Index extends string>(into: Table<T, Index>, key: Key, value: T): DerivedFact {
  return new DerivedRow(into, key, value);
}

/** There are as many as there are rows, so what puts one into its table is a method and not a closure each. */
class DerivedRow<T, Index extends string> implements DerivedFact<T> {
  readonly row: Key;
  readonly value: T;
  readonly #into: Table<T, Index>;

  constructor(into: Table<T, Index>, key: Key, value: T) {
    this.#into = into;
    this.row = key;
    this.value = value;
  }

  get kind(): 'derived' {
    return 'derived';
  }

  get table(): string {
    return this.#into.name;
  }

  pin(owner: Owner): void {
    this.#into.derive(owner, this);
  }

  unpin(owner: Owner): void {
    this.#into.underive(owner, this.row);
  }
}

class MadeRow<In> implements RowFact {
  readonly row: Key;
  readonly #form: RowForm<In>;
  readonly #input: In;

  constructor(form: RowForm<In>, key: Key, input: In) {
    this.#form = form;
    this.row = key;
    this.#input = input;
  }

  get kind(): 'row' {
    return 'row';
  }

  get table(): string {
    return this.#form.table;
  }

  get parent(): Parent {
    return this.#form.parent;
  }

  get object(): ObjectReference {
    return this.#form.object(this.#input);
  }

  /** Whoever looks at a row looks at one column after another. */
  get columns(): Columns {
    if (lastLookedAt?.row !== this) lastLookedAt = { row: this, columns: this.#form.columns(this.row, this.#input) };
    return lastLookedAt.columns;
  }

  isMadeAs(other: MadeRow<unknown>): boolean {
    return this.#form === other.#form && this.row === other.row && isSame(this.#input, other.#input);
  }
}

let lastLookedAt: { readonly row: RowFact; readonly columns: Columns } | undefined;

export function problem(object: ObjectReference, condition: string, sentence: string): ProblemFact {
  return { kind: 'problem', object, condition, sentence };
}
