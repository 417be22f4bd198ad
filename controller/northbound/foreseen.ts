import type { Actual, ActualRow, Plan } from './plan.ts';
import type { Reference } from './set-index.ts';

/**
 * The northbound database as it is when the transaction in flight has taken place, as far as other rows than those in it need to know:
 * which rows there are. What is planned on it is only to be sent when that has come true.
 */
export class Foreseen implements Actual {
  readonly #actual: Actual;
  readonly #coming: Plan;

  constructor(actual: Actual, coming: Plan) {
    this.#actual = actual;
    this.#coming = coming;
  }

  row(table: string, uuid: string): ActualRow | undefined {
    if (this.#coming.leaving.has(uuid)) return undefined;
    return this.#actual.row(table, uuid) ?? (this.#coming.inserted.has(uuid) ? justThere : undefined);
  }

  rows(table: string): ReadonlyMap<string, ActualRow> {
    return this.#actual.rows(table);
  }

  has(table: string, column: string): boolean {
    return this.#actual.has(table, column);
  }

  referencesTo(uuid: string): readonly Reference[] {
    return this.#actual.referencesTo(uuid);
  }

  contains(set: Reference, entry: string): boolean {
    return this.#actual.contains(set, entry);
  }
}

const justThere: ActualRow = {};
