import { parseArgs } from 'node:util';
import { FuzzFinding, fuzzTarget } from './run.ts';
import { fuzzTargetNames } from './targets.ts';

// `node test/dhcp/fuzz/main.ts [--inputs N] [--seed S] [--target NAME]`: as long as one likes; N is for each target.

const { values } = parseArgs({
  options: { inputs: { type: 'string' }, seed: { type: 'string' }, target: { type: 'string' } },
});
const inputs = Number(values.inputs ?? 10_000_000);
const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
for (const target of fuzzTargetNames) {
  if (values.target !== undefined && values.target !== target) continue;
  console.log(`${target}: ${inputs} inputs, seed ${seed}`);
  try {
    console.log(await fuzzTarget(target, { inputs, seed }));
  } catch (error) {
    if (!(error instanceof FuzzFinding)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
