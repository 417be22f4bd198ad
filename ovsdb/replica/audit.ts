import type { ResultSink, Session } from '../connection/session.ts';
import { OvsdbError } from '../errors.ts';
import { exactIfNeeded } from '../value/decode.ts';
import { parseExactly } from '../value/exact-integers.ts';
import { parseJson } from '../wire/json-text.ts';
import type { WireRequest } from './monitor.ts';
import type { Row } from './row-shape.ts';
import type { TableState } from './table-content.ts';

/** A row that is not the same here and on the server, or is on one side alone. */
export interface Discrepancy {
  readonly table: string;
  readonly uuid: string;
}

/**
 * Selects what a monitor asks for of one table and compares it with the replica's rows at that place of the stream, where the two are the
 * same unless one of them is wrong: updates are sent before the reply that shows them. Gives the UUIDs that differ.
 *
 * Another client's transaction may come between the select and its reply, so one look alone proves nothing: see `LiveReplica.audit`.
 */
export function differingRows(
  session: Session,
  database: string,
  table: string,
  { columns, where }: WireRequest,
  state: TableState,
): Promise<ReadonlySet<string>> {
  const reader = new SelectedRows(state);
  // Clauses of a monitor are alternatives; those of a select must all hold. `true` is no clause to an operation.
  const selects = where.map((clause) => ({
    op: 'select',
    table,
    where: clause === true ? [] : [clause],
    columns: ['_uuid', ...columns],
  }));
  return new Promise((resolve, reject) => {
    session.send({
      method: 'transact',
      params: [database, ...selects],
      results: reader,
      isDump: true,
      onReply: (reply) => {
        if (!reply) reject(new OvsdbError('disconnected', 'the connection ended during the audit'));
        else if (reply.kind === 'error')
          reject(new OvsdbError('rpc', `select of ${table}: ${reply.error}`, { details: reply.details }));
        else {
          exactIfNeeded((isExact) => reader.takeAll(isExact ? reply.reparse() : reply.result));
          if (reader.error) reject(reader.error);
          else resolve(difference(state, reader.rows));
        }
      },
    });
  });
}

class SelectedRows implements ResultSink {
  readonly rows = new Map<string, Row>();
  error: OvsdbError | undefined;
  readonly #state: TableState;

  constructor(state: TableState) {
    this.#state = state;
  }

  selectedRow(_operationIndex: number, text: string): void {
    exactIfNeeded((isExact) => this.#row(isExact ? parseExactly(text) : parseJson(text)));
  }

  result(_operationIndex: number, text: string): void {
    this.#take(parseJson(text));
  }

  /** The results of a short reply. */
  takeAll(results: unknown): void {
    for (const result of Array.isArray(results) ? results : []) this.#take(result);
  }

  #take(result: unknown): void {
    if (typeof result !== 'object' || result === null) return;
    if ('error' in result) this.error = new OvsdbError('rpc', `the audit was refused: ${result.error}`);
    if ('rows' in result && Array.isArray(result.rows)) for (const row of result.rows) this.#row(row);
  }

  #row(wire: unknown): void {
    if (typeof wire !== 'object' || wire === null || !('_uuid' in wire) || !Array.isArray(wire._uuid)) return;
    const uuid = String(wire._uuid[1]);
    this.rows.set(uuid, this.#state.shape.whole(uuid, { ...wire }));
  }
}

function difference({ content, shape }: TableState, selected: ReadonlyMap<string, Row>): ReadonlySet<string> {
  const differing = new Set<string>();
  for (const [uuid, row] of selected) {
    const mine = content.rows.get(uuid);
    if (!mine || !shape.same(mine, row)) differing.add(uuid);
  }
  for (const uuid of content.rows.keys()) if (!selected.has(uuid)) differing.add(uuid);
  return differing;
}
