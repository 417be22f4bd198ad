/** Failures in a row → milliseconds to wait: doubling from 100 ms to 10 s, each between half and all of it (`random` in [0, 1)). */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(longestMs, shortestMs * 2 ** Math.max(0, failures - 1));
  return Math.round(ceiling * (0.5 + random / 2));
}

const shortestMs = 100;
/** An API server that comes back is found again within this. */
const longestMs = 10_000;
