/**
 * What the library throws or rejects with. Outcomes of transactions are values, not errors: see `TransactionOutcome`.
 *
 * - `remote`: a remote or an option cannot be understood (the caller's input).
 * - `schema`: a schema, table or column does not exist or cannot be read.
 * - `value`: a value does not fit its column, or would make the server drop the connection.
 * - `protocol`: the server sent what is not OVSDB.
 * - `disconnected`: the connection ended while this waited for it.
 * - `rpc`: the server refused a request as a whole; `details` is what it said.
 * - `closed`: the client, replica or lock was closed by its owner.
 */
export class OvsdbError extends Error {
  override readonly name = 'OvsdbError';
  readonly kind: OvsdbErrorKind;
  readonly details: string | undefined;

  constructor(kind: OvsdbErrorKind, message: string, options: { details?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.details = options.details;
  }
}

export type OvsdbErrorKind = 'remote' | 'schema' | 'value' | 'protocol' | 'disconnected' | 'rpc' | 'closed';
