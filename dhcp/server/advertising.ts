/** When to advertise: a value, advanced by the functions below. All times are milliseconds of the caller's clock. */
export interface Advertising {
  readonly nextAt: number;
  /** Unsolicited RAs still to be sent quickly after the start. */
  readonly quickOnesLeft: number;
  readonly lastSentAt: number;
}

export interface AdvertisingIntervals {
  readonly shortestMs: number;
  readonly longestMs: number;
}

/** RFC 4861 §10: MAX_INITIAL_RTR_ADVERTISEMENTS, MAX_INITIAL_RTR_ADVERT_INTERVAL, MIN_DELAY_BETWEEN_RAS, MAX_RA_DELAY_TIME. */
const quickAdvertisements = 3;
const quickIntervalMs = 16_000;
const leastBetweenMs = 3_000;
const mostDelayMs = 500;

export function startAdvertising(nowMs: number): Advertising {
  return { nextAt: nowMs, quickOnesLeft: quickAdvertisements, lastSentAt: Number.NEGATIVE_INFINITY };
}

/** After a multicast RA went out at `nowMs`; `random` is in [0, 1). */
export function advertised(
  state: Advertising,
  nowMs: number,
  random: number,
  intervals: AdvertisingIntervals,
): Advertising {
  const interval = intervals.shortestMs + random * (intervals.longestMs - intervals.shortestMs);
  const quickOnesLeft = Math.max(0, state.quickOnesLeft - 1);
  return {
    nextAt: nowMs + (quickOnesLeft > 0 ? Math.min(interval, quickIntervalMs) : interval),
    quickOnesLeft,
    lastSentAt: nowMs,
  };
}

/**
 * After a solicitation whose sender cannot be answered alone (source `::`): a multicast RA within half a second, and never
 * two within three seconds (RFC 4861 §6.2.6). Solicitations with a source get a unicast answer at once (RFC 7772).
 */
export function solicited(state: Advertising, nowMs: number, random: number): Advertising {
  const at = Math.max(nowMs + random * mostDelayMs, state.lastSentAt + leastBetweenMs);
  return at < state.nextAt ? { ...state, nextAt: at } : state;
}
