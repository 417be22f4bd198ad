import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installPlugin } from '#node-agent/cni/install.ts';

let folder: string;
let plugin: string;
let binFolder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hawser-install-'));
  [plugin, binFolder] = [join(folder, 'built'), join(folder, 'bin')];
  await writeFile(plugin, '#!/bin/sh\none');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the plugin is installed executable, replaced when it differs, and left alone when it does not', async () => {
  const installed = join(binFolder, 'hawser');
  await installPlugin({ plugin, binFolder });
  const before = await stat(installed);
  expect(before.mode & 0o777).toBe(0o755);
  await installPlugin({ plugin, binFolder });
  expect((await stat(installed)).ino).toBe(before.ino);
  await writeFile(plugin, '#!/bin/sh\ntwo');
  await chmod(plugin, 0o600);
  await installPlugin({ plugin, binFolder });
  expect(await readFile(installed, 'utf8')).toBe('#!/bin/sh\ntwo');
  expect(await readdir(binFolder)).toEqual(['hawser']);
});
