import type { Reply } from '../connection/message.ts';
import type { ResultSink } from '../connection/session.ts';
import { OvsdbError } from '../errors.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema, Tables, Value } from '../schema.ts';
import { type Decode, decoderOf, exactIfNeeded } from '../value/decode.ts';
import { parseExactly } from '../value/exact-integers.ts';
import { parseJson } from '../wire/json-text.ts';
import { type AnyOperation, tableOf } from './encode-operations.ts';
import { type OperationResult, operationError, type TransactionOutcome } from './outcome.ts';

/**
 * Reads the reply to `transact` (RFC 7047 section 4.1.3): one result per operation; or results, one error and nulls; or all results and
 * one error more when the commit itself failed; or an error in place of them all. Of a long reply the results, and the rows of a select,
 * come one by one before the rest.
 */
export class OutcomeReader implements ResultSink {
  readonly #schema: DatabaseSchema<Tables>;
  readonly #operations: readonly AnyOperation[];
  #results: OperationResult[] = [];
  #selected: object[] = [];
  #failure: TransactionOutcome | undefined;

  constructor(schema: DatabaseSchema<Tables>, operations: readonly AnyOperation[]) {
    this.#schema = schema;
    this.#operations = operations;
  }

  result(operationIndex: number, text: string): void {
    this.#take(parseJson(text), operationIndex);
  }

  selectedRow(operationIndex: number, text: string): void {
    exactIfNeeded((isExact) =>
      this.#selected.push(this.#row(isExact ? parseExactly(text) : parseJson(text), operationIndex)),
    );
  }

  /** How the transaction ended, once all of the reply is here. */
  outcome(reply: Reply): TransactionOutcome {
    if (reply.kind === 'error')
      return { status: 'refused', error: operationError(reply.error, reply.details, undefined) };
    if (!Array.isArray(reply.result)) return refused('internal error', 'the reply is not a list', undefined);
    const before = this.#results;
    exactIfNeeded((isExact) => {
      const elements: unknown = isExact ? reply.reparse() : reply.result;
      this.#results = before.slice();
      if (!Array.isArray(elements)) return;
      for (let index = 0; index < elements.length; index++) this.#take(elements[index], index);
    });
    if (this.#failure) return this.#failure;
    if (this.#results.length < this.#operations.length) {
      const counts = `${this.#results.length} results to ${this.#operations.length} operations`;
      return refused('internal error', counts, undefined);
    }
    return { status: 'committed', results: this.#results };
  }

  #take(element: unknown, index: number): void {
    if (isError(element)) {
      const details = typeof element.details === 'string' ? element.details : '';
      this.#failure ??= refused(element.error, details, index < this.#operations.length ? index : undefined);
    } else if (element !== null) this.#results.push(this.#result(element, index));
  }

  #result(wire: unknown, index: number): OperationResult {
    const result: Readonly<Partial<Record<'uuid' | 'rows' | 'count', unknown>>> =
      typeof wire === 'object' && wire !== null ? wire : {};
    switch (this.#operations[index]?.op) {
      case 'insert':
        return { uuid: Array.isArray(result.uuid) ? String(result.uuid[1]) : '' };
      case 'select': {
        const rows = this.#selected;
        this.#selected = [];
        for (const row of Array.isArray(result.rows) ? result.rows : []) rows.push(this.#row(row, index));
        return { rows };
      }
      case 'update':
      case 'mutate':
      case 'delete':
        return { count: Number(result.count ?? 0) };
      default:
        return {};
    }
  }

  #row(wire: unknown, index: number): object {
    const operation = this.#operations[index];
    if (operation?.op !== 'select') throw new OvsdbError('protocol', `rows for operation ${index}, which selects none`);
    return decodeRow(tableOf(this.#schema, operation.table), typeof wire === 'object' && wire !== null ? wire : {});
  }
}

function decodeRow(table: TableSchema, wire: object): Readonly<Record<string, Value>> {
  const row: Record<string, Value> = {};
  for (const [name, value] of Object.entries(wire)) {
    const column = table.columns[name];
    if (column) row[name] = selectDecoder(column)(value);
    else if ((name === '_uuid' || name === '_version') && Array.isArray(value)) row[name] = String(value[1]);
  }
  return row;
}

const selectDecoders = new WeakMap<ColumnSchema, Decode>();

/** Integers beyond 2^53 of a select are bigints. */
function selectDecoder(column: ColumnSchema): Decode {
  const known = selectDecoders.get(column);
  if (known) return known;
  let isInexact = false;
  const decode = decoderOf(column, { onInexact: () => (isInexact = true) });
  const decodeExact = decoderOf(column, { bigint: true });
  const decoder = (wire: unknown) => {
    isInexact = false;
    const value = decode(wire);
    return isInexact ? decodeExact(wire) : value;
  };
  selectDecoders.set(column, decoder);
  return decoder;
}

const isError = (element: unknown): element is { readonly error: string; readonly details?: unknown } =>
  typeof element === 'object' && element !== null && 'error' in element && typeof element.error === 'string';

const refused = (error: string, details: string, index: number | undefined): TransactionOutcome => ({
  status: 'refused',
  error: operationError(error, details, index),
});
