import { writeFile } from 'node:fs/promises';
import { prepare } from '#test/setup/prepare.ts';
import { SetUpError } from '#test/setup/set-up-error.ts';
import { FlagError, parseFlags } from './flags.ts';
import { guestText } from './guest-text.ts';
import { startLab } from './lab.ts';
import { howToLookAround } from './look-around.ts';
import { identityTable, resultTable } from './results.ts';
import { runLab } from './run.ts';
import { down } from './topology/clean-up.ts';

const labId = 'lab';
const began = performance.now();
const log = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);

try {
  const flags = parseFlags(process.argv.slice(2));
  await prepare({ log, ...(flags.ovn !== undefined && { ovn: flags.ovn }) });
  if (flags.down) {
    await down(labId);
    log('nothing of the lab is left');
  } else {
    // What a lab of this name left that was killed, or was kept.
    await down(labId);
    log(`a cluster of ${flags.nodes} nodes comes up, OVN ${flags.ovn ?? "of this machine's Debian"}`);
    await using lab = await startLab({ id: labId, nodes: flags.nodes, log, ...(flags.ovn && { ovn: flags.ovn }) });
    log('it is up');
    const result = await runLab(lab, {
      vms: flags.vms,
      scenarios: flags.scenarios,
      log,
      onGuest: (guest) => console.log(guestText(guest)),
      keep: flags.keep,
    });
    console.log(`\n${resultTable(result.migrations)}\n\n${identityTable(result.migrations)}\n`);
    for (const { vm, problems } of [...result.guests, ...result.migrations]) {
      for (const sentence of problems) console.log(`${vm}: ${sentence}`);
    }
    for (const sentence of result.problems) console.log(sentence);
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(result, undefined, 2)}\n`);
    log(result.ok ? 'all held' : 'NOT all held');
    if (!result.ok) process.exitCode = 1;
    if (flags.keep) {
      console.log(howToLookAround(lab));
      await lab.topology.keep();
    }
  }
} catch (error) {
  if (!(error instanceof FlagError || error instanceof SetUpError)) throw error;
  console.error(`hawser: ${error.message}`);
  process.exitCode = 1;
}
