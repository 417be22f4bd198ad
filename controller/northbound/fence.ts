import type { Operation } from '#ovsdb/transaction/operation.ts';

/**
 * What makes a deposed leader's transactions fail (docs/decisions/leader-fence.md): every transaction begins with `operations()`,
 * which fail unless this controller is still the one that the database knows as the leader.
 */
export interface Fence {
  operations(): readonly Operation[];
  /** After it failed: becomes the leader the database knows, unless another one has a better right. Rejects with the weather. */
  raise(): Promise<'raised' | 'deposed'>;
}
