/**
 * When to ask a silent server whether it lives, and when to give it up. Decided from timestamps alone, so that nothing the
 * session waits for can hold a probe up. Any byte received is a sign of life.
 */
export interface ProbeState {
  readonly lastReceivedMs: number;
  /** When the outstanding probe was sent. */
  readonly probedMs: number | undefined;
  /** A monitor request is outstanding: a single-threaded server says nothing while it prepares a large database. */
  readonly isDumpDue: boolean;
}

export interface ProbeLimits {
  /** Silence before a probe, and then before the end. 0: never probe. */
  readonly probeMs: number;
  /** Silence before the end while a dump is due. */
  readonly dumpSilenceMs: number;
}

export type ProbeStep =
  | { readonly do: 'wait'; readonly forMs: number }
  | { readonly do: 'probe' }
  | { readonly do: 'give up'; readonly silentMs: number };

export function nextProbeStep(state: ProbeState, limits: ProbeLimits, nowMs: number): ProbeStep {
  const silentMs = nowMs - state.lastReceivedMs;
  if (silentMs < limits.probeMs) return { do: 'wait', forMs: limits.probeMs - silentMs };
  const isProbed = state.probedMs !== undefined && state.probedMs >= state.lastReceivedMs;
  if (!isProbed) return { do: 'probe' };
  const deadlineMs = state.isDumpDue
    ? state.lastReceivedMs + limits.dumpSilenceMs
    : (state.probedMs ?? nowMs) + limits.probeMs;
  return nowMs < deadlineMs ? { do: 'wait', forMs: deadlineMs - nowMs } : { do: 'give up', silentMs };
}
