import { randomUUID } from 'node:crypto';
import { OvsdbError } from '../errors.ts';
import type { Replica, Rows } from '../replica/replica.ts';
import type { Row } from '../replica/row-shape.ts';
import type { GenericTables, Tables } from '../schema.ts';
import type { Mutation, Operation, WritableRow } from './operation.ts';
import type { TransactionOutcome } from './outcome.ts';

/**
 * A transaction being put together from what a replica shows. Nothing is sent until the callback returns; everything the callback relies on must be read
 * here or verified, so that the server refuses it if that has changed meanwhile.
 */
export interface Edit<T extends Tables, R extends Rows> {
  /** Reads a row. Columns that matter to the decision go to `verify`. */
  get<N extends keyof R & string>(table: N, uuid: string): R[N] | undefined;
  /** The transaction takes place only if these columns of the row still have these values. Not for reals, which are sent rounded. */
  verify<N extends keyof R & keyof T & string>(
    table: N,
    row: R[N],
    columns: readonly (keyof T[N]['row'] & keyof R[N] & string)[],
  ): void;
  /** Gives the UUID the row will have. Repeating the insert after `outcomeUnknown` with the same UUID cannot insert twice. */
  insert<N extends keyof T & string>(table: N, row: WritableRow<T[N]>, uuid?: string): string;
  update<N extends keyof T & string>(table: N, uuid: string, row: WritableRow<T[N]>): void;
  mutate<N extends keyof T & string>(table: N, uuid: string, mutations: readonly Mutation<T[N]>[]): void;
  delete<N extends keyof T & string>(table: N, uuid: string): void;
  comment(text: string): void;
  /** Any other operation. */
  add(operation: Operation<T>): void;
}

export interface EditOptions {
  /** Further attempts after a verified value had changed. Default 5. */
  readonly retries?: number;
  readonly signal?: AbortSignal;
}

/** What an edit ended with, and what its callback returned that time. */
export interface EditOutcome<V> {
  readonly outcome: TransactionOutcome<unknown>;
  readonly value: V;
  readonly attempts: number;
}

/** An edit whose types are forgotten. */
export type AnyEdit = Edit<GenericTables, Readonly<Record<string, Row>>>;
export type AnyReadable = Pick<Replica<Readonly<Record<string, Row>>>, 'tables' | 'barrier' | 'audit'>;

/**
 * Runs `build` against the replica and sends what it put together. If a verified value had changed, waits until the replica has caught up and runs
 * `build` again. Any other outcome is final: `outcomeUnknown` is never retried.
 */
export async function runEdit(
  send: (operations: readonly Operation[], options: { readonly signal?: AbortSignal }) => Promise<TransactionOutcome>,
  replica: AnyReadable,
  build: (edit: AnyEdit) => unknown,
  { retries = 5, signal }: EditOptions = {},
): Promise<EditOutcome<unknown>> {
  const abortable = { ...(signal && { signal }) };
  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted();
    const operations: Operation[] = [];
    const value = await build(collector(replica, operations));
    const outcome = await send(operations, abortable);
    if (outcome.status !== 'refused' || outcome.error.kind !== 'timedOut' || attempts > retries)
      return { outcome, value, attempts };
    try {
      await replica.barrier(abortable);
      const refused = operations[outcome.error.operationIndex ?? -1];
      // Refused for a value that the replica, caught up, still shows: one of the two is wrong.
      if (refused?.op === 'wait' && stillShows(replica, refused))
        await replica.audit({ tables: [refused.table], ...abortable });
    } catch (error) {
      // Nothing took place. The next attempt waits for a connection, and for the replica, before it is sent.
      if (!(error instanceof OvsdbError && error.kind === 'disconnected')) throw error;
    }
  }
}

function collector(replica: AnyReadable, operations: Operation[]): AnyEdit {
  const add = (operation: Operation) => void operations.push(operation);
  return {
    add,
    get: (table, uuid) => replica.tables[table]?.get(uuid),
    verify: (table, row, columns) => add(verification(table, row, columns)),
    insert: (table, row, uuid = randomUUID()) => {
      add({ op: 'insert', table, row, uuid });
      return uuid;
    },
    update: (table, uuid, row) => add({ op: 'update', table, where: { _uuid: uuid }, row }),
    mutate: (table, uuid, mutations) => add({ op: 'mutate', table, where: { _uuid: uuid }, mutations }),
    delete: (table, uuid) => add({ op: 'delete', table, where: { _uuid: uuid } }),
    comment: (comment) => add({ op: 'comment', comment }),
  };
}

/** Is what a verification expects what the replica has? */
function stillShows(
  replica: AnyReadable,
  { table, where, columns, rows }: Operation & { readonly op: 'wait' },
): boolean {
  const uuid = typeof where === 'object' && '_uuid' in where ? where._uuid : undefined;
  const row = typeof uuid === 'string' ? replica.tables[table]?.get(uuid) : undefined;
  const [expected] = rows;
  return row !== undefined && expected !== undefined && columns.every((name) => row[name] === expected[name]);
}

function verification(table: string, row: Row, columns: readonly string[]): Operation {
  if (columns.length === 0) throw new OvsdbError('value', 'verify needs the columns to compare');
  const seen = Object.fromEntries(columns.map((name) => [name, row[name]]));
  return { op: 'wait', table, where: { _uuid: row._uuid }, columns, until: '==', rows: [seen], timeoutMs: 0 };
}
