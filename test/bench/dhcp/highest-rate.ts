import type { BenchedServer, Exchanges, Rig } from './rig.ts';

/** What a server showed between the lowest rate of a ladder and the highest it passes. */
export interface HighestRate {
  /** Highest rate with less than 1 % drops, 1/s; 0 when not even the lowest passed. */
  readonly highestRate: number;
  /** Rate → server's processor time per exchange, µs, of the rates that passed. */
  readonly cpuUs: ReadonlyMap<number, number>;
  /** Present when it ended below the top, with perfdhcp's core busy and the server's not: the rate perfdhcp could not reach. */
  readonly perfdhcpEndedAt?: number;
}

const tryOfSeconds = 3;
/** A core is fully used from here on, 0 to 1. */
const allBusy = 0.95;
/** A rate whose exchanges complete to less than this is not tried again: more than chance is missing. */
const hopeless = 0.8;

/**
 * The lowest rate of the ladder, then whichever halves what is left of it. What does not pass is tried once more before it counts as
 * failed; a server passes all rates below the highest it passes.
 */
export async function highestRate(
  rig: Rig,
  server: BenchedServer,
  family: 4 | 6,
  ladder: readonly number[],
  log: (line: string) => void,
): Promise<HighestRate> {
  const cpuUs = new Map<number, number>();
  let perfdhcpEndedAt: number | undefined;
  let passed = -1;
  let failed = ladder.length;
  for (let next = 0; passed + 1 < failed; next = (passed + failed) >> 1) {
    const rate = ladder[next] ?? 0;
    const last = await tryTwice(rig, server, family, rate, log);
    if (last.passed) {
      passed = next;
      cpuUs.set(rate, last.cpuUs);
    } else {
      failed = next;
      perfdhcpEndedAt = last.perfdhcpBusy >= allBusy && last.serverBusy < allBusy ? rate : undefined;
    }
  }
  return { highestRate: ladder[passed] ?? 0, cpuUs, ...(perfdhcpEndedAt !== undefined && { perfdhcpEndedAt }) };
}

interface Try extends Exchanges {
  readonly passed: boolean;
  readonly cpuUs: number;
  readonly serverBusy: number;
}

async function tryTwice(
  rig: Rig,
  server: BenchedServer,
  family: 4 | 6,
  rate: number,
  log: (line: string) => void,
): Promise<Try> {
  const tryIt = async (): Promise<Try> => {
    const before = server.cpuMs();
    const exchanges = await rig.perfdhcp(family, rate, tryOfSeconds);
    const usedMs = server.cpuMs() - before;
    const { completed, dropRatio, meanMs, perfdhcpBusy } = exchanges;
    const serverBusy = usedMs / 1000 / tryOfSeconds;
    const busy = `server ${percent(serverBusy)} busy, perfdhcp ${percent(perfdhcpBusy)}`;
    log(`  ${rate}/s: ${completed} done, ${percent(dropRatio)} dropped, mean ${meanMs.toFixed(3)} ms, ${busy}`);
    return {
      ...exchanges,
      passed: dropRatio < 0.01 && completed >= rate * tryOfSeconds * 0.95,
      cpuUs: (usedMs * 1000) / Math.max(1, completed),
      serverBusy,
    };
  };
  const first = await tryIt();
  return first.passed || first.completed < rate * tryOfSeconds * hopeless ? first : await tryIt();
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio < 0.1 ? 2 : 0)} %`;
}
