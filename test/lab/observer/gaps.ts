/** A stretch of time: milliseconds since the epoch, as `Date.now()` and packet timestamps count. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The longest time without an arrival that overlaps `span`, in ms.
 *
 * Nothing is subtracted, not the sending interval either: arrivals every 10 ms make a gap of 10. A gap that begins before
 * the span or ends after it counts whole. Silence from the last arrival on counts up to the end of the span, and without
 * any arrival before its end the span is one gap.
 *
 * @param arrivals ascending.
 */
export function longestGapMs(arrivals: readonly number[], { from, to }: Span): number {
  let longest = 0;
  let previous: number | undefined;
  for (const arrival of arrivals) {
    const begin = previous ?? from;
    if (arrival >= from) longest = Math.max(longest, arrival - begin);
    previous = arrival;
    if (arrival >= to) return longest;
  }
  return Math.max(longest, to - (previous ?? from));
}
