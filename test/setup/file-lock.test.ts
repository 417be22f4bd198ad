import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('only one holds the lock at a time, on a file or on a folder', async () => {
  for (const path of [join(folder, 'lock'), folder]) {
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} in`);
      await new Promise(setImmediate);
      events.push(`${name} out`);
    };
    await Promise.all(['a', 'b', 'c'].map((name) => withFileLock(path, work(name))));
    const pairs = [events.slice(0, 2), events.slice(2, 4), events.slice(4)].map((pair) => pair.join(', ')).toSorted();
    expect(pairs).toEqual(['a in, a out', 'b in, b out', 'c in, c out']);
  }
});

test('work that fails gives the lock back', async () => {
  const fail = () => Promise.reject(new Error('no'));
  await expect(withFileLock(folder, fail)).rejects.toThrow('no');
  expect(await withFileLock(folder, async () => 'held')).toBe('held');
});

test('a holder that is killed gives the lock back', async () => {
  const lock = fileURLToPath(new URL('./file-lock.ts', import.meta.url));
  const code = `
    import { withFileLock } from '${lock}';
    await withFileLock('${folder}', () => new Promise(() => console.log('held')));
  `;
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], { stdio });
  await once(holder.stdout, 'data');
  holder.kill('SIGKILL');
  expect(await withFileLock(folder, async () => 'held')).toBe('held');
});

test('a lock that cannot be had is an error', async () => {
  await expect(withFileLock(join(folder, 'no/such/folder'), async () => 'held')).rejects.toThrow('No such file');
});
