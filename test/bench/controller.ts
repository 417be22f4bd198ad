import { fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFlagsAsDeployed } from './as-deployed.ts';
import type { Burst, ChildResult, Request } from './controller/child.ts';
import { nbctlPortsPerSecond } from './controller/nbctl-peer.ts';
import { median } from './controller/percentiles.ts';
import { RawLimit } from './controller/raw-limit.ts';
import { northboundServer } from './controller/server.ts';
import { type Figure, mustBeAtLeast, mustBeAtMost, shown } from './figures.ts';

const burstPorts = 10_000;
/** Bursts, and runs of what they are compared with, one after the other: what else the machine does meets both. */
const burstRounds = 3;
const nodeFlags = await nodeFlagsAsDeployed({ manifest: 'controller.yaml', container: 'controller' });

/** The controller's core against a real ovsdb-server, with 1,000 policies on 100 namespaces. */
export async function bench({
  sizes = [1_000, 10_000, 100_000],
}: {
  readonly sizes?: readonly number[];
} = {}): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const p50s: number[] = [];
  let worstStallMs = 0;
  for (const size of sizes) {
    await using server = await northboundServer();
    const isLargest = size === Math.max(...sizes);
    const of = `${size.toLocaleString('en')} ports`;
    using starting = startProcess(server.remote, size, 'cold');
    const cold = await starting.ask<ChildResult>();
    if (cold.problems > 0) throw new Error(`${cold.problems} problems at the cold start`);
    const before = join(server.folder, 'before.db');
    await copyFile(server.database, before);
    using restarted = startProcess(server.remote, size, 'changes');
    const bursts = isLargest ? [await burstsAgainstRawLimit(restarted, before)] : [];
    if (!isLargest) await restarted.ask<Burst>('burst');
    const warm = await restarted.ask<ChildResult>('end');
    const { changes } = warm;
    if (changes === undefined) throw new Error('the measuring process measured nothing');
    p50s.push(changes.p50);
    worstStallMs = Math.max(worstStallMs, cold.worstStallMs, warm.worstStallMs);
    figures.push(
      { ...atMost(`cold start, ${of}`, 's', cold.startMs / 1000, isLargest ? 10 : undefined), note: partsOf(cold) },
      atMost(`processor time of the cold start, ${of}`, 's', cold.startCpuMs / 1000, undefined),
      atMost(`peak RSS of the cold start, ${of}`, 'MiB', cold.peakRss / 2 ** 20, isLargest ? 1024 : undefined),
      {
        ...atMost(`restart with nothing changed, ${of}`, 's', warm.startMs / 1000, isLargest ? 8 : undefined),
        note: partsOf(warm),
      },
      atMost(`processor time of that restart, ${of}`, 's', warm.startCpuMs / 1000, undefined),
      atMost(`peak RSS of that restart, changes and bursts, ${of}`, 'MiB', warm.peakRss / 2 ** 20, undefined),
      atMost(`operations of that restart, ${of}`, 'operations', warm.operations, 0),
      {
        ...atMost(`one change, event to transaction, p50, ${of}`, 'ms', changes.p50, 0.3),
        note: kindsOf(changes.p50s),
      },
      atMost(`one change, event to transaction, p99, ${of}`, 'ms', changes.p99, 5),
      atMost(`worst event-loop stall, ${of}`, 'ms', Math.max(cold.worstStallMs, warm.worstStallMs), 25),
    );
    figures.push(...bursts);
  }
  const [smallest = Number.NaN] = p50s;
  const largest = p50s.at(-1) ?? Number.NaN;
  figures.push(atMost('p50 of one change at the largest size, by that at the smallest', '', largest / smallest, 1.5));
  return figures;
}

function atMost(figure: string, unit: string, ours: number, bar: number | undefined): Figure {
  return { figure, unit, ours, peers: {}, ...(bar !== undefined && mustBeAtMost(ours, bar, unit)) };
}

/** What a start was spent on, in seconds. */
function partsOf({ parts }: ChildResult): string {
  return Object.entries(parts)
    .map(([part, milliseconds]) => `${part} ${shown(milliseconds / 1000)} s`)
    .join(', ');
}

/** The p50 of each kind of change, in milliseconds. */
function kindsOf(p50s: Readonly<Record<string, number>>): string {
  return Object.entries(p50s)
    .map(([kind, p50]) => `${kind} ${shown(p50)} ms`)
    .join(', ');
}

async function burstsAgainstRawLimit(restarted: MeasuringProcess, before: string): Promise<Figure> {
  const rates: number[] = [];
  let raw: RawLimit | undefined;
  try {
    for (let round = 0; round < burstRounds; round += 1) {
      const { milliseconds, operations } = await restarted.ask<Burst>(
        raw === undefined ? 'burst with its operations' : 'burst',
      );
      rates.push((burstPorts / milliseconds) * 1000);
      raw ??= await RawLimit.on(before, operations);
      await raw.run();
      await restarted.ask('clear');
    }
  } finally {
    await raw?.[Symbol.asyncDispose]();
  }
  const ours = median(rates);
  const limit = raw?.best ?? Number.NaN;
  const ofBatches = [...(raw?.rates ?? [])].map(([batch, rate]): [string, number] => [
    `ovsdb-server, pipelined hand-written JSON, ${batch} ${batch === 1 ? 'port' : 'ports'} a transaction`,
    rate,
  ]);
  const nbctl = await nbctlPortsPerSecond(before);
  return {
    figure: `burst of ${burstPorts.toLocaleString('en')} ports`,
    unit: 'ports/s',
    ours,
    peers: { ...Object.fromEntries(ofBatches), 'ovn-nbctl --daemon, 50 ports a command': nbctl },
    limit,
    ...mustBeAtLeast(ours, 0.7 * limit, 'ports/s', '70 % of the raw limit, at the batch size that is best for it'),
  };
}

interface MeasuringProcess extends Disposable {
  /** What it says next, after it has been told what to do. */
  ask<Answer>(request?: Request): Promise<Answer>;
}

/** A process of its own for each start, so that memory and pauses are of it alone. */
function startProcess(remote: string, size: number, phase: 'cold' | 'changes'): MeasuringProcess {
  const args = ['--remote', remote, '--size', String(size), '--phase', phase, '--burst', String(burstPorts)];
  const started = fork(join(import.meta.dirname, 'controller/child.ts'), args, {
    execArgv: ['--expose-gc', ...nodeFlags],
    serialization: 'advanced',
  });
  const ended = new AbortController();
  started.once('exit', (code, signal) => ended.abort(new Error(`the measuring process ended with ${code ?? signal}`)));
  return {
    async ask(request) {
      if (request !== undefined) started.send(request);
      const [answer] = await once(started, 'message', { signal: ended.signal });
      return answer;
    },
    [Symbol.dispose]: () => started.kill(),
  };
}
