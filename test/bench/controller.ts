import { fork } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFlagsAsDeployed } from './as-deployed.ts';
import type { ChildResult } from './controller/child.ts';
import { nbctlPortsPerSecond } from './controller/nbctl-peer.ts';
import { rawPortsPerSecond } from './controller/raw-limit.ts';
import { northboundServer } from './controller/server.ts';
import { type Figure, mustBeAtLeast, mustBeAtMost, shown } from './figures.ts';

const burstPorts = 10_000;
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
    const cold = await child(server.remote, size, 'cold');
    if (cold.problems > 0) throw new Error(`${cold.problems} problems at the cold start`);
    const before = join(server.folder, 'before.db');
    await copyFile(server.database, before);
    const warm = await child(server.remote, size, 'changes');
    const { changes, burst } = warm;
    if (changes === undefined || burst === undefined) throw new Error('the measuring process measured nothing');
    p50s.push(changes.p50);
    worstStallMs = Math.max(worstStallMs, cold.worstStallMs, warm.worstStallMs);
    figures.push(
      { ...atMost(`cold start, ${of}`, 's', cold.startMs / 1000, isLargest ? 10 : undefined), note: partsOf(cold) },
      atMost(`processor time of the cold start, ${of}`, 's', cold.startCpuMs / 1000, undefined),
      atMost(`peak RSS, ${of}`, 'MiB', Math.max(cold.peakRss, warm.peakRss) / 2 ** 20, isLargest ? 1024 : undefined),
      {
        ...atMost(`restart with nothing changed, ${of}`, 's', warm.startMs / 1000, isLargest ? 8 : undefined),
        note: partsOf(warm),
      },
      atMost(`processor time of that restart, ${of}`, 's', warm.startCpuMs / 1000, undefined),
      atMost(`operations of that restart, ${of}`, 'operations', warm.operations, 0),
      atMost(`one change, event to transaction, p50, ${of}`, 'ms', changes.p50, 0.3),
      atMost(`one change, event to transaction, p99, ${of}`, 'ms', changes.p99, 5),
      atMost(`worst event-loop stall, ${of}`, 'ms', Math.max(cold.worstStallMs, warm.worstStallMs), 25),
    );
    if (isLargest) {
      const ours = (burst.ports / burst.milliseconds) * 1000;
      const raw = await rawPortsPerSecond(before, warm.burstOperations ?? []);
      const nbctl = await nbctlPortsPerSecond(before);
      figures.push({
        figure: `burst of ${burst.ports.toLocaleString('en')} ports`,
        unit: 'ports/s',
        ours,
        peers: { 'ovsdb-server, pipelined hand-written JSON': raw, 'ovn-nbctl --daemon, 50 ports a command': nbctl },
        limit: raw,
        ...mustBeAtLeast(ours, 0.7 * raw, 'ports/s', '70 % of the raw limit'),
      });
    }
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

/** A process of its own for each start, so that memory and pauses are of it alone. */
async function child(remote: string, size: number, phase: 'cold' | 'changes'): Promise<ChildResult> {
  const args = ['--remote', remote, '--size', String(size), '--phase', phase, '--burst', String(burstPorts)];
  const started = fork(join(import.meta.dirname, 'controller/child.ts'), args, {
    execArgv: ['--expose-gc', ...nodeFlags],
    serialization: 'advanced',
  });
  const { promise, resolve, reject } = Promise.withResolvers<ChildResult>();
  started.once('message', (message: ChildResult) => resolve(message));
  started.once('exit', (code, signal) => reject(new Error(`the measuring process ended with ${code ?? signal}`)));
  try {
    return await promise;
  } finally {
    started.kill();
  }
}
