import { spawnSync } from 'node:child_process';

// `npm test`: lint, types, then every test. Arguments go to vitest: `npm test -- test/ovsdb`.
const steps: [name: string, command: string, ...args: string[]][] = [
  ['lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['types', 'tsc', '--noEmit'],
  ['tests', 'vitest', 'run', ...process.argv.slice(2)],
];

for (const [name, command, ...args] of steps) {
  console.log(`${name}: ${command} ${args.join(' ')}`);
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`hawser: ${name} failed${signal ? ` (${signal})` : ''}.`);
    process.exit(1);
  }
}
