import { chmod, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { putWhole } from '../put-whole.ts';
import { pluginType } from './install.ts';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/**
 * Bundles the plugin into one executable script of 2 kB, which `install.ts` puts into `/opt/cni/bin`
 * (docs/decisions/plugin-executable.md). One that is being executed is replaced whole.
 * @returns its path.
 */
export async function buildPlugin(): Promise<string> {
  const outfile = `${dist}/${pluginType}`;
  // Below a package of modules a file without an ending would be taken for one; it is CommonJS, here as in /opt/cni/bin.
  await putWhole(`${dist}/package.json`, (path) => writeFile(path, '{ "type": "commonjs" }\n'));
  await putWhole(outfile, async (path) => {
    await build({
      entryPoints: [fileURLToPath(new URL('plugin.ts', import.meta.url))],
      outfile: path,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node24',
      minify: true,
      banner: { js: '#!/usr/bin/env node' },
    });
    await chmod(path, 0o755);
  });
  return outfile;
}
