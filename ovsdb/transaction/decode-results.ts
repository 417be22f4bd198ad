import type { Reply } from '../connection/session.ts';
import type { DatabaseSchema, TableSchema, Tables, Value } from '../schema.ts';
import { decoderOf, InexactInteger } from '../value/decode.ts';
import { type AnyOperation, tableOf } from './encode-operations.ts';
import { type OperationResult, operationError, type TransactionOutcome } from './outcome.ts';

/**
 * Reads the reply to `transact` (RFC 7047 section 4.1.3): one result per operation; or results, one error and nulls; or all results and
 * one error more when the commit itself failed; or an error in place of them all.
 */
export function decodeOutcome(
  schema: DatabaseSchema<Tables>,
  operations: readonly AnyOperation[],
  reply: Reply,
): TransactionOutcome {
  if (reply.kind === 'error')
    return { status: 'refused', error: operationError(reply.error, reply.details, undefined) };
  if (!Array.isArray(reply.result)) return refused('internal error', 'the reply is not a list', undefined);
  const elements: readonly unknown[] = reply.result;
  for (const [index, element] of elements.entries()) {
    if (isError(element)) {
      const details = typeof element.details === 'string' ? element.details : '';
      return refused(element.error, details, index < operations.length ? index : undefined);
    }
  }
  if (elements.length < operations.length || elements.includes(null)) {
    return refused('internal error', `${elements.length} results to ${operations.length} operations`, undefined);
  }
  try {
    return { status: 'committed', results: decodeAll(schema, operations, elements) };
  } catch (error) {
    if (!(error instanceof InexactInteger)) throw error;
    const exact = reply.reparse();
    return { status: 'committed', results: decodeAll(schema, operations, Array.isArray(exact) ? exact : []) };
  }
}

function decodeAll(schema: DatabaseSchema<Tables>, operations: readonly AnyOperation[], elements: readonly unknown[]) {
  return operations.map((operation, index) => decodeResult(schema, operation, elements[index]));
}

function decodeResult(schema: DatabaseSchema<Tables>, operation: AnyOperation, wire: unknown): OperationResult {
  const result: Readonly<Partial<Record<'uuid' | 'rows' | 'count', unknown>>> =
    typeof wire === 'object' && wire !== null ? wire : {};
  switch (operation.op) {
    case 'insert':
      return { uuid: Array.isArray(result.uuid) ? String(result.uuid[1]) : '' };
    case 'select': {
      const table = tableOf(schema, operation.table);
      const rows: readonly unknown[] = Array.isArray(result.rows) ? result.rows : [];
      return { rows: rows.map((row) => decodeRow(table, typeof row === 'object' && row !== null ? row : {})) };
    }
    case 'update':
    case 'mutate':
    case 'delete':
      return { count: Number(result.count ?? 0) };
    default:
      return {};
  }
}

/** Integers beyond 2^53 of a select are bigints. */
function decodeRow(table: TableSchema, wire: object): Readonly<Record<string, Value>> {
  const row: Record<string, Value> = {};
  for (const [name, value] of Object.entries(wire)) {
    const column = table.columns[name];
    if (column) row[name] = decodeExact(column, value);
    else if ((name === '_uuid' || name === '_version') && Array.isArray(value)) row[name] = String(value[1]);
  }
  return row;
}

function decodeExact(column: Parameters<typeof decoderOf>[0], wire: unknown): Value {
  let isInexact = false;
  const value = decoderOf(column, { onInexact: () => (isInexact = true) })(wire);
  return isInexact ? decoderOf(column, { bigint: true })(wire) : value;
}

const isError = (element: unknown): element is { readonly error: string; readonly details?: unknown } =>
  typeof element === 'object' && element !== null && 'error' in element && typeof element.error === 'string';

const refused = (error: string, details: string, index: number | undefined): TransactionOutcome => ({
  status: 'refused',
  error: operationError(error, details, index),
});
