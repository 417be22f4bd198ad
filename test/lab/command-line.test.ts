import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { FlagError, parseFlags } from '#test/lab/flags.ts';
import { run } from '#test/lab/topology/command.ts';
import { labsFolder } from '#test/lab/topology/lab-folder.ts';

test('flags have defaults, and a wrong one is answered with what can be meant', () => {
  expect(parseFlags([])).toEqual({
    nodes: 3,
    vms: 2,
    realKube: false,
    cluster: false,
    scenarios: ['precopy', 'failed', 'cancelled', 'postcopy', 'stop-start'],
    keep: false,
    down: false,
  });
  expect(parseFlags(['--scenario', 'failed,precopy', '--nodes', '2', '--json', 'x.json'])).toMatchObject({
    nodes: 2,
    scenarios: ['failed', 'precopy'],
    json: 'x.json',
  });
  expect(() => parseFlags(['--scenario', 'flying'])).toThrow(FlagError);
  expect(() => parseFlags(['--nodes', '1'])).toThrow('--nodes takes a whole number from 2 to 20, not "1"');
  expect(() => parseFlags(['--fast'])).toThrow('usage: npm run lab');
});

test('Ctrl-C in the middle of a run leaves nothing behind', async () => {
  const id = `cli${process.pid}`;
  const env = { ...process.env, HAWSER_LAB_ID: id };
  const lab = spawn(process.execPath, ['test/lab/main.ts', '--vms', '1', '--nodes', '2'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: lab.stdout })) if (line.includes('boots on')) break;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  lab.once('exit', () => resolve());
  lab.kill('SIGINT');
  await ended;
  await expect.poll(() => existsSync(`${labsFolder}/${id}`), { timeout: 20_000 }).toBe(false);
  expect(await run('ip', ['netns', 'list'])).not.toContain(`hawser-${id}-`);
});
