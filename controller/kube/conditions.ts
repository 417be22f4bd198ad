/** A `metav1.Condition`. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One CamelCase word. */
  readonly reason: string;
  /** A sentence the user can act on. */
  readonly message: string;
  /** RFC 3339. When `status` last changed. */
  readonly lastTransitionTime: string;
  /** `metadata.generation` this was judged on. */
  readonly observedGeneration?: number;
}

/** `next` with the transition time of the condition of its type in `before`, if the status is the same. */
export function withTransitionTimes(
  before: readonly Condition[],
  next: readonly Omit<Condition, 'lastTransitionTime'>[],
  nowMs: number,
): readonly Condition[] {
  return next.map((condition) => {
    const earlier = before.find(({ type }) => type === condition.type);
    const lastTransitionTime =
      earlier?.status === condition.status
        ? earlier.lastTransitionTime
        : `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
    return { ...condition, lastTransitionTime };
  });
}
