/** How long to wait before trying the next remote, as the C IDL does: 1 s, doubling to 8 s. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * Delay before the next attempt. `failures` counts attempts since a connection last proved useful. The server sending us away
 * (`isForced`: not the leader, a stale replica) costs no delay until every remote has been tried once.
 */
export function delayBefore(limits: BackoffLimits, failures: number, remotes: number, isForced: boolean): number {
  if (failures === 0 || (isForced && failures <= remotes)) return 0;
  return Math.min(limits.longestMs, limits.firstMs * 2 ** Math.min(30, failures - 1));
}
