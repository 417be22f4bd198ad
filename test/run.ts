import { spawnSync } from 'node:child_process';

// `npm test`: lint, types, then every test. Arguments go to vitest: `npm test -- test/ovsdb`.
type Step = [name: string, command: string, ...args: string[]];
const arguments_ = process.argv.slice(2);
const buildKubernetes: Step = ['kubernetes', 'node', 'test/kube/build-all.ts'];
const steps: Step[] = [
  ['lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['types', 'tsc', '--noEmit'],
  // Once on a machine it takes minutes, in which no test could be held to its time.
  ...(arguments_.length === 0 ? [buildKubernetes] : []),
  ['tests', 'vitest', 'run', ...arguments_],
];

for (const [name, command, ...args] of steps) {
  console.log(`${name}: ${command} ${args.join(' ')}`);
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`hawser: ${name} failed${signal ? ` (${signal})` : ''}.`);
    process.exit(1);
  }
}
