import type { BulkHead } from './bulk-head.ts';

/**
 * What the stream is cut into. A message is one text. A long one that carries rows or results is cut inside as well: each is a text of its own, and the
 * message comes last without them. So a reply of any size is decoded piece by piece, needs no string longer than a row, and its
 * reader can pause in between.
 */
export type Piece = Message | Row | Result | SelectedRow;

export interface Message {
  readonly kind: 'message';
  readonly text: string;
  /** Set if pieces of this message came before it; `text` then shows empty tables, or no results. */
  readonly head: BulkHead | undefined;
}

/** A row of a monitor's reply or of a table update. */
export interface Row {
  readonly kind: 'row';
  readonly head: BulkHead;
  readonly table: string;
  readonly uuid: string;
  readonly text: string;
}

/** What one operation of a transaction gave; of a `select`, without its rows. */
export interface Result {
  readonly kind: 'result';
  readonly head: BulkHead;
  readonly operationIndex: number;
  readonly text: string;
}

/** One row that a `select` found. Its `Result` follows the last. */
export interface SelectedRow {
  readonly kind: 'selected row';
  readonly head: BulkHead;
  readonly operationIndex: number;
  readonly text: string;
}
