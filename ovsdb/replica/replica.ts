import type { Atom } from '../schema.ts';
import type { AnyOf } from '../transaction/operation.ts';
import type { Discrepancy } from './audit.ts';
import type { Change, ChangeBatch } from './change.ts';
import type { ChangeStreamOptions } from './change-stream.ts';
import type { Row } from './row-shape.ts';

/** Row types of a replica, by table. */
export type Rows = Readonly<Record<string, Row<object>>>;

/** The change of a row of any of the tables, told apart by `table`. */
export type ChangeOf<R extends Rows> = { readonly [N in keyof R & string]: Change<N, R[N]> }[keyof R & string];

/**
 * One copy of some tables of a database in memory, kept equal to the server's. It lives on through reconnects: while disconnected it
 * shows the last content, and afterwards what differs arrives as changes.
 */
export interface Replica<R extends Rows, X = unknown> extends AsyncDisposable {
  readonly tables: {
    readonly [N in keyof R]: ReplicaTable<R[N], X extends { readonly [K in N]?: infer I } ? keyof I & string : string>;
  };
  /** False while disconnected or catching up: what is shown may be old. */
  readonly isCurrent: boolean;

  /**
   * Calls `listener` once per batch, at once and after all of it is applied, so that it reads one state of the database. With `initial` the
   * present content comes first, as a batch of its own. Gives the way to stop. A listener must not throw.
   */
  onChanges(listener: (batch: ChangeBatch<ChangeOf<R>>) => void, options?: { readonly initial?: boolean }): () => void;

  /** The same as a stream. A consumer that falls behind gets the batches it missed as one. Ends when the replica closes. */
  changes(options?: ChangeStreamOptions): AsyncIterableIterator<ChangeBatch<ChangeOf<R>>>;

  /**
   * Replicates other rows of a table from now on. Resolves when the content follows `where` (the rows that come and go arrive as a batch
   * with the cause `condition`), be it after a reconnect. Aborting ends the waiting, not the change.
   */
  setCondition<N extends keyof R & string>(
    table: N,
    where: AnyOf<{ row: R[N]; references: string }>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;

  /** Resolves when everything committed on the connected server before this call is here. Rejects if the connection ends. */
  barrier(options?: { readonly signal?: AbortSignal }): Promise<void>;

  /**
   * Selects all replicated rows, or those of some tables, and compares: what differs comes back. A replica with differences starts over, so that they
   * reach its listeners as a batch with the cause `resync`. Costs the server what a dump does. Rejects if the connection ends.
   */
  audit(options?: {
    readonly tables?: readonly (keyof R & string)[];
    readonly signal?: AbortSignal;
  }): Promise<readonly Discrepancy[]>;

  /** Does the connected server have this table, or this column? Missing ones read as empty and as defaults. */
  has(table: string, column?: string): boolean;

  /** Stops replicating. */
  close(): Promise<void>;
}

export interface ReplicaTable<R extends Row<object>, Index extends string = string> {
  /** Always the present content, also when kept. */
  readonly rows: ReadonlyMap<string, R>;
  get(uuid: string): R | undefined;
  /** Rows whose values for the parts of a declared index are these. */
  by(index: Index, ...values: readonly (Atom | undefined)[]): readonly R[];
}
