import type { Row } from './row-shape.ts';

/** What one message of the server changed: one transaction, or several whole ones if the client had fallen behind. */
export interface ChangeBatch<C extends Change = Change> {
  readonly changes: readonly C[];
  readonly cause: ChangeCause;
}

/**
 * - `initial`: the first content.
 * - `update`: a transaction took place.
 * - `resync`: what differs after the server had to send everything again.
 * - `condition`: rows that came into or went out of a condition; nothing was inserted or deleted.
 */
export type ChangeCause = 'initial' | 'update' | 'resync' | 'condition';

/** One row as it was and as it is: inserted if `before` is undefined, deleted if `after` is. */
export interface Change<N extends string = string, R = Row> {
  readonly table: N;
  readonly uuid: string;
  readonly before: R | undefined;
  readonly after: R | undefined;
}
