import type { BenchedServer, Exchanges, Rig } from './rig.ts';

/** A server on its way up a ladder of rates. */
export interface Climbed {
  /** Highest rate with less than 1 % drops, 1/s; 0 when not even the first rung passed. */
  readonly highestRate: number;
  /** Rate → server's processor time per exchange, µs, of the rungs that passed. */
  readonly cpuUs: ReadonlyMap<number, number>;
  /** Present when it ended below the top, with perfdhcp's core busy and the server's not: the rate perfdhcp could not reach. */
  readonly perfdhcpEndedAt?: number;
}

const rungSeconds = 3;
/** A core is fully used from here on, 0 to 1. */
const allBusy = 0.95;

/** Climbs until a rung fails twice. */
export async function climb(
  rig: Rig,
  server: BenchedServer,
  family: 4 | 6,
  rungs: readonly number[],
  log: (line: string) => void,
): Promise<Climbed> {
  const cpuUs = new Map<number, number>();
  let highestRate = 0;
  for (const rate of rungs) {
    let last: Rung | undefined;
    for (let attempt = 0; attempt < 2 && last?.passed !== true; attempt++) {
      last = await tryRung(rig, server, family, rate);
      const { completed, dropRatio, meanMs, perfdhcpBusy, serverBusy } = last;
      const busy = `server ${percent(serverBusy)} busy, perfdhcp ${percent(perfdhcpBusy)}`;
      log(`  ${rate}/s: ${completed} done, ${percent(dropRatio)} dropped, mean ${meanMs.toFixed(3)} ms, ${busy}`);
    }
    if (last?.passed !== true) {
      const isPerfdhcps = last !== undefined && last.perfdhcpBusy >= allBusy && last.serverBusy < allBusy;
      return { highestRate, cpuUs, ...(isPerfdhcps && { perfdhcpEndedAt: rate }) };
    }
    highestRate = rate;
    cpuUs.set(rate, last.cpuUs);
  }
  return { highestRate, cpuUs };
}

interface Rung extends Exchanges {
  readonly passed: boolean;
  readonly cpuUs: number;
  readonly serverBusy: number;
}

async function tryRung(rig: Rig, server: BenchedServer, family: 4 | 6, rate: number): Promise<Rung> {
  const before = server.cpuMs();
  const exchanges = await rig.perfdhcp(family, rate, rungSeconds);
  const usedMs = server.cpuMs() - before;
  return {
    ...exchanges,
    passed: exchanges.dropRatio < 0.01 && exchanges.completed >= rate * rungSeconds * 0.95,
    cpuUs: (usedMs * 1000) / Math.max(1, exchanges.completed),
    serverBusy: usedMs / 1000 / rungSeconds,
  };
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio < 0.1 ? 2 : 0)} %`;
}
