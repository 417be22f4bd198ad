import { writeFile } from 'node:fs/promises';
import { prepare } from '#test/setup/prepare.ts';
import { SetUpError } from '#test/setup/set-up-error.ts';
import { inBackground, isInBackground, leaveForeground } from './background.ts';
import { startCluster } from './cluster/cluster.ts';
import { howToUse } from './cluster/how-to-use.ts';
import { FlagError, type Flags, parseFlags } from './flags.ts';
import { guestText } from './guest-text.ts';
import { realKubernetes } from './kubernetes/real.ts';
import { standInKubernetes } from './kubernetes/stand-in.ts';
import { startLab } from './lab.ts';
import { howToLookAround } from './look-around.ts';
import { identityTable, precopyOverheadMs, resultTable } from './results.ts';
import { runLab } from './run.ts';
import { down } from './topology/clean-up.ts';

/** There is one lab of this name on a machine; tests have others beside it. */
const labId = process.env.HAWSER_LAB_ID ?? 'lab';
const began = performance.now();
const log = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);

try {
  const flags = parseFlags(process.argv.slice(2));
  if (isInBackground()) {
    process.exitCode = await labRun(flags);
  } else {
    await prepare({ log, ...(flags.ovn !== undefined && { ovn: flags.ovn }) });
    // What a lab left that was killed, or was kept.
    await down(labId);
    if (flags.down) log('nothing of the lab is left');
    else if (flags.cluster) await clusterRun(flags);
    else process.exitCode = flags.keep ? await inBackground(labId) : await labRun(flags);
  }
} catch (error) {
  if (!(error instanceof FlagError || error instanceof SetUpError)) throw error;
  console.error(`hawser: ${error.message}`);
  process.exitCode = 1;
}

/** All of a cluster is processes of their own, so they can stay when this one has ended. */
async function clusterRun({ nodes, ovn }: Flags): Promise<never> {
  const cluster = await startCluster({ id: labId, nodes, log, ...(ovn !== undefined && { ovn }) });
  console.log(howToUse(cluster));
  await cluster.topology.keep();
  process.exit(0);
}

/** Returns the exit status: 0 only if all held. */
async function labRun({ nodes, vms, ovn, realKube, scenarios, json, keep }: Flags): Promise<number> {
  log(`a cluster of ${nodes} nodes comes up, OVN ${ovn ?? "of this machine's Debian"}`);
  const lab = await startLab({
    id: labId,
    nodes,
    log,
    startKubernetes: realKube ? realKubernetes : standInKubernetes,
    ...(ovn !== undefined && { ovn }),
  });
  await using stack = new AsyncDisposableStack();
  stack.use(lab);
  log('it is up');
  const onGuest = (guest: Parameters<typeof guestText>[0]) => console.log(guestText(guest));
  const result = await runLab(lab, { vms, scenarios, log, onGuest, keep });
  console.log(`\n${resultTable(result.migrations)}\n\n${identityTable(result.migrations)}\n`);
  const overhead = precopyOverheadMs(result.migrations);
  if (overhead !== undefined) {
    const [v4, v6] = [overhead.v4.toFixed(0), overhead.v6.toFixed(0)];
    console.log(`Pre-copy, longest gap less QEMU's downtime, median: ${v4} ms on IPv4, ${v6} ms on IPv6.`);
  }
  for (const { vm, problems } of [...result.guests, ...result.migrations]) {
    for (const sentence of problems) console.log(`${vm}: ${sentence}`);
  }
  for (const sentence of result.problems) console.log(sentence);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(result, undefined, 2)}\n`);
  log(result.ok ? 'all held' : 'NOT all held');
  if (keep) {
    console.log(howToLookAround(lab));
    await lab.topology.keep();
    stack.move();
    leaveForeground(result.ok ? 0 : 1);
  }
  return result.ok ? 0 : 1;
}
