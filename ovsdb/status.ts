import type { OvsdbError } from './errors.ts';
import type { Discrepancy } from './replica/audit.ts';

/**
 * What happens to the connection and the replicas, for the application to log or count: the library does neither.
 *
 * `kind` tells them apart; `remote` is as it was given to `connect`.
 */
export type Status =
  | { readonly kind: 'connecting'; readonly remote: string }
  /** A server that serves what is asked for: transactions and monitors go. */
  | { readonly kind: 'connected'; readonly remote: string }
  /** The attempt or the connection ended. The next remote is tried after `retryMs`. */
  | { readonly kind: 'disconnected'; readonly remote: string; readonly cause: Error; readonly retryMs: number }
  /** A server that will not do: another one is tried. */
  | { readonly kind: 'unsuitable'; readonly remote: string; readonly database: string; readonly reason: Unsuitable }
  /** A replica is current: after its first dump, a dump compared with what it had, or a difference since. */
  | {
      readonly kind: 'synced';
      readonly database: string;
      readonly how: 'initial' | 'resync' | 'resume';
      readonly method: 'monitor_cond_since' | 'monitor_cond' | 'monitor';
    }
  /** The server's schema was converted or its database removed; the replica starts over. */
  | { readonly kind: 'monitorCanceled'; readonly database: string }
  /** The server refuses the monitor: the replica is closed. */
  | { readonly kind: 'monitorRefused'; readonly database: string; readonly error: OvsdbError }
  /** Rows that differ from the server's, found by `audit`: the replica starts over. */
  | { readonly kind: 'auditFailed'; readonly database: string; readonly rows: readonly Discrepancy[] }
  /** An integer beyond 2^53 in a column replicated as numbers: it reads as NaN. */
  | {
      readonly kind: 'inexactInteger';
      readonly database: string;
      readonly table: string;
      readonly uuid: string;
      readonly column: string;
      readonly value: bigint;
    }
  | { readonly kind: 'locked' | 'lockLost'; readonly lock: string };

/** Why a server is not suitable for a database. */
export type Unsuitable =
  | 'noSuchDatabase'
  | 'notLeader'
  /** A cluster member or relay that is cut off from the rest. */
  | 'notConnected'
  /** It serves another cluster than the one first connected to. */
  | 'otherCluster'
  /** It is behind what has been seen. */
  | 'stale';
