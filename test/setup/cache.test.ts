import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cachedFolder, cacheFolder } from './cache.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hawser-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

const buildFile = async (folder: string) => writeFile(join(folder, 'file'), 'built\n');

test('the cache is outside the tree, where the user wants caches', () => {
  expect(cacheFolder()).toBe(join(home, 'hawser'));
  vi.stubEnv('XDG_CACHE_HOME', '');
  expect(cacheFolder()).toBe(join(homedir(), '.cache/hawser'));
});

test('a folder is built once, also when several ask for it at the same time', async () => {
  const build = vi.fn(buildFile);
  const folders = await Promise.all([1, 2, 3].map(() => cachedFolder('debian/thing_1.0', build)));
  expect(new Set(folders)).toEqual(new Set([join(home, 'hawser/debian/thing_1.0')]));
  expect(build).toHaveBeenCalledOnce();
  expect(await readFile(join(folders[0] ?? '', 'file'), 'utf8')).toBe('built\n');
});

test('a build that fails leaves nothing that could be taken for a result', async () => {
  await expect(
    cachedFolder('thing', async (folder) => {
      await buildFile(folder);
      throw new Error('no network');
    }),
  ).rejects.toThrow('no network');
  expect(await readdir(join(home, 'hawser'))).toEqual(['thing.lock']);
});

test('what a killed build left is swept up by the next', async () => {
  await mkdir(join(home, 'hawser/.thing~abc123'), { recursive: true });
  await cachedFolder('thing', buildFile);
  expect((await readdir(join(home, 'hawser'))).toSorted()).toEqual(['thing', 'thing.lock']);
});
