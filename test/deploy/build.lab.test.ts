import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { buildProgram } from '../../deploy/build.ts';

test.each([
  ['node-agent', 'usage: main.ts --config FILE'],
  ['controller', 'usage: node controller/main.ts --config FILE'],
] as const)('the bundled %s needs nothing beside it', async (name, usage) => {
  const file = await buildProgram(name);
  // In a folder without packages.
  const { stderr } = spawnSync(process.execPath, [file], { cwd: '/', encoding: 'utf8' });
  expect(stderr).toContain(usage);
});
