import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startCluster } from '#test/lab/cluster/cluster.ts';
import { prepare } from '#test/setup/prepare.ts';
import { SetUpError } from '#test/setup/set-up-error.ts';
import { podNetwork, probes, runUpstreamSuite } from './upstream-suite.ts';

// npm run conformance [-- --focus REGEX ...] [--skip REGEX ...] [--nodes N] [--json FILE]
const { values } = parseArgs({
  options: {
    focus: { type: 'string', multiple: true },
    skip: { type: 'string', multiple: true },
    nodes: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const began = performance.now();
const log = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);

try {
  await prepare({ log });
  await using cluster = await startCluster({ nodes: Number(values.nodes), log });
  const { focus = [...podNetwork.focus, ...probes.focus], skip = [] } = values;
  const selection = { focus, skip };
  log(`the upstream suite runs: ${selection.focus.join(' | ')}`);
  const result = await runUpstreamSuite(cluster, selection, log);
  for (const name of result.passed) console.log(`passed  ${name}`);
  for (const name of result.failed) console.log(`FAILED  ${name}`);
  log(`${result.passed.length} passed, ${result.failed.length} failed, ${result.skipped} skipped`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
  process.exitCode = result.failed.length === 0 && result.passed.length > 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(`hawser: ${error.message}`);
  process.exitCode = 1;
}
