import type { MigrationResult } from './results.ts';
import type { StepOutcome } from './scenarios/scenario.ts';

/** A guest that moves is out of reach for QEMU's own downtime and not much more; by this much, ms, and something is broken. */
const gapOverDowntimeMs = 500;
/** Longest gap allowed when a guest stays where it is, ms. */
const gapInPlaceMs = 50;
/** Two series of pings that are interrupted together may see gaps that differ by this much: the time between two pings, ms. */
const pingIntervalMs = 10;

/** What is too long of the gaps that the observer saw, in sentences. */
export function gapProblems(
  expected: StepOutcome['outcome'],
  {
    longestGapMs,
    bystanderGapMs,
    qemuDowntimeMs,
  }: Pick<MigrationResult, 'longestGapMs' | 'bystanderGapMs' | 'qemuDowntimeMs'>,
): readonly string[] {
  if (expected === 'restarted') return [];
  return (['v4', 'v6'] as const).flatMap((family) => {
    // What a guest that nothing is done to loses at the same time, it loses to the machine that all of the lab is on.
    const inPlaceMs = Math.max(gapInPlaceMs, (bystanderGapMs?.[family] ?? 0) + pingIntervalMs);
    const allowedMs = expected === 'completed' ? (qemuDowntimeMs ?? 0) + gapOverDowntimeMs : inPlaceMs;
    const gapMs = longestGapMs[family];
    const sentence = `the observer saw a gap of ${Math.round(gapMs)} ms on ${family}, over ${Math.round(allowedMs)} ms`;
    return gapMs > allowedMs ? [sentence] : [];
  });
}
