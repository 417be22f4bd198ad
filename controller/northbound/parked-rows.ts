import type { OperationError } from '#ovsdb/transaction/outcome.ts';
import type { ObjectReference, Problem } from '../engine/facts.ts';
import type { Problems } from '../engine/problems.ts';
import type { DirtyRow } from './dirty-rows.ts';

interface Parked {
  readonly row: DirtyRow;
  readonly attempts: number;
  /** What is told whose object the row comes from. */
  readonly problem: Problem | undefined;
}

const firstMilliseconds = 1000;
const lastMilliseconds = 60_000;

/** Rows that the database has refused: nobody waits for them, and they are tried again ever more seldom. */
export class ParkedRows {
  readonly #rows = new Map<string, Parked>();
  readonly #problems: Problems;
  readonly #sleep: (milliseconds: number) => Promise<void>;
  readonly #onDue: (row: DirtyRow) => void;

  /** `onDue`: the row, which nothing has taken out meanwhile, is to be tried again. It stays parked until it has landed. */
  constructor(problems: Problems, sleep: (milliseconds: number) => Promise<void>, onDue: (row: DirtyRow) => void) {
    this.#problems = problems;
    this.#sleep = sleep;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#rows.size;
  }

  has(uuid: string): boolean {
    return this.#rows.has(uuid);
  }

  park(row: DirtyRow, error: OperationError, object: ObjectReference | undefined): void {
    const attempts = (this.#rows.get(row.uuid)?.attempts ?? 0) + 1;
    this.takeOut(row.uuid);
    const sentence = `the northbound database refuses it: ${error.message}`;
    const problem = object && { object, condition: 'Refused', sentence };
    this.#rows.set(row.uuid, { row, attempts, problem });
    if (problem !== undefined) this.#problems.say(row.uuid, problem);
    const delay = Math.min(firstMilliseconds * 2 ** (attempts - 1), lastMilliseconds);
    void this.#sleep(delay).then(() => {
      if (this.#rows.get(row.uuid)?.row === row) this.#onDue(row);
    });
  }

  /** It has landed, or something else is wanted of it. */
  takeOut(uuid: string): void {
    const problem = this.#rows.get(uuid)?.problem;
    this.#rows.delete(uuid);
    if (problem !== undefined) this.#problems.unsay(uuid, problem);
  }
}
