import type { ClusterView } from './virt/cluster-view.ts';

/** Something did not come to pass in time; `what` says what was waited for. */
export class NotInTime extends Error {
  override readonly name = 'NotInTime';
}

/** Resolves with what `look` finds, as soon as an object changes so that it finds something. The limit is for a machine that is busy with more. */
export async function until<T>(
  view: ClusterView,
  what: string,
  look: () => T | undefined | false,
  timeoutMs = 180_000,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let isOver = false;
  const attempt = () => {
    if (isOver) return;
    const found = look();
    if (found !== undefined && found !== false) {
      isOver = true;
      resolve(found);
    }
  };
  const timer = setTimeout(() => {
    isOver = true;
    reject(new NotInTime(`${what}: not within ${timeoutMs / 1000} s`));
  }, timeoutMs);
  view.onChange(attempt);
  attempt();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
