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
  await writeFile(plugin, '#!/usr/bin/env node\none');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the plugin is installed executable, replaced when it differs, and left alone when it does not', async () => {
  const installed = join(binFolder, 'hawser');
  await installPlugin({ plugin, binFolder });
  const before = await stat(installed);
  expect(before.mode & 0o777).toBe(0o755);
  await installPlugin({ plugin, binFolder });
  expect((await stat(installed)).ino).toBe(before.ino);
  await writeFile(plugin, '#!/usr/bin/env node\ntwo');
  await chmod(plugin, 0o600);
  await installPlugin({ plugin, binFolder });
  expect(await readFile(installed, 'utf8')).toBe('#!/usr/bin/env node\ntwo');
  expect(await readdir(binFolder)).toEqual(['hawser']);
});

test('a host without Node.js gets one, which the plugin names, and which is copied again only when it is another', async () => {
  const [node, interpreter] = [join(folder, 'node'), join(folder, 'opt', 'node')];
  await writeFile(node, 'node 24');
  await installPlugin({ plugin, binFolder, interpreter }, node);
  expect(await readFile(join(binFolder, 'hawser'), 'utf8')).toBe(`#!${interpreter}\none`);
  const before = await stat(interpreter);
  expect(before.mode & 0o777).toBe(0o755);
  await installPlugin({ plugin, binFolder, interpreter }, node);
  expect((await stat(interpreter)).ino).toBe(before.ino);
  await writeFile(node, 'node 26.1');
  await installPlugin({ plugin, binFolder, interpreter }, node);
  expect(await readFile(interpreter, 'utf8')).toBe('node 26.1');
});
