import type { GenericTables, Tables } from '../schema.ts';

/**
 * How a transaction ended.
 *
 * - `committed`: all of it took place; `results[i]` belongs to operation i.
 * - `refused`: none of it took place; `error` says why.
 * - `outcomeUnknown`: the connection ended after it was sent, before the reply. It may or may not have taken place: look, or repeat
 *   only what is idempotent (client-chosen UUIDs make inserts so).
 */
export type TransactionOutcome<R = readonly OperationResult[]> =
  | { readonly status: 'committed'; readonly results: R }
  | { readonly status: 'refused'; readonly error: OperationError }
  | { readonly status: 'outcomeUnknown'; readonly cause: Error };

/** What one operation did. */
export type OperationResult = InsertResult | SelectResult | CountResult | NoResult;
export interface InsertResult {
  readonly uuid: string;
}
export interface SelectResult<R = object> {
  readonly rows: readonly R[];
}
/** Rows matched by an update, mutate or delete. */
export interface CountResult {
  readonly count: number;
}
export type NoResult = Readonly<Record<string, never>>;

/** Results by operation, in order. */
export type ResultsOf<T extends Tables, Ops extends readonly unknown[]> = {
  readonly [I in keyof Ops]: ResultOf<T, Ops[I]>;
};
type ResultOf<T extends Tables, O> = O extends { readonly op: 'insert' }
  ? InsertResult
  : O extends { readonly op: 'select'; readonly table: infer N }
    ? SelectResult<N extends keyof T ? { readonly _uuid: string } & Partial<T[N]['row']> : object>
    : O extends { readonly op: 'update' | 'mutate' | 'delete' }
      ? CountResult
      : O extends { readonly op: string }
        ? NoResult
        : OperationResult;

/** Why a transaction was refused. `message` is for people. */
export interface OperationError {
  readonly kind: OperationErrorKind;
  readonly message: string;
  /** The server's own name for the error; `undefined` if it was refused before it was sent. */
  readonly error: string | undefined;
  readonly details: string;
  /** Which operation; `undefined` if the transaction failed as a whole, at its commit. */
  readonly operationIndex: number | undefined;
}

/** `invalid` is refused locally: no such table or column, or a value that cannot be sent. The others are the server's. */
export type OperationErrorKind = 'invalid' | (typeof serverErrors)[keyof typeof serverErrors] | 'other';

/** Error strings of ovsdb-server (RFC 7047 section 3.1, ovsdb-server(7), ovsdb/execution.c, ovsdb/transaction.c). */
export const serverErrors = {
  'syntax error': 'syntaxError',
  'unknown database': 'unknownDatabase',
  'unknown column': 'unknownColumn',
  'unknown table': 'unknownTable',
  'constraint violation': 'constraintViolation',
  'referential integrity violation': 'referentialIntegrityViolation',
  'duplicate uuid': 'duplicateUuid',
  'duplicate uuid-name': 'duplicateUuidName',
  'domain error': 'domainError',
  'range error': 'rangeError',
  'timed out': 'timedOut',
  'not owner': 'notOwner',
  aborted: 'aborted',
  canceled: 'canceled',
  'resources exhausted': 'resourcesExhausted',
  'I/O error': 'ioError',
  'not supported': 'notSupported',
  'permission error': 'permissionError',
  'not allowed': 'notAllowed',
  'ovsdb error': 'ovsdbError',
  'internal error': 'internalError',
} as const;

export function operationError(error: string, details: string, operationIndex: number | undefined): OperationError {
  const kind: OperationErrorKind = isServerError(error) ? serverErrors[error] : 'other';
  const at = operationIndex === undefined ? 'at commit' : `in operation ${operationIndex}`;
  return { kind, message: `${error} ${at}${details ? `: ${details}` : ''}`, error, details, operationIndex };
}

const isServerError = (error: string): error is keyof typeof serverErrors => Object.hasOwn(serverErrors, error);

/** The default row types, for callers without a schema. */
export type GenericResults = ResultsOf<GenericTables, readonly unknown[]>;
