import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { pluginType } from './install.ts';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/**
 * Bundles the plugin into one executable script of 2 kB, which `install.ts` puts into `/opt/cni/bin`
 * (docs/decisions/plugin-executable.md).
 * @returns its path.
 */
export async function buildPlugin(): Promise<string> {
  const outfile = `${dist}/${pluginType}`;
  await mkdir(dist, { recursive: true });
  // Below a package of modules a file without an ending would be taken for one; it is CommonJS, here as in /opt/cni/bin.
  await writeFile(`${dist}/package.json`, '{ "type": "commonjs" }\n');
  await build({
    entryPoints: [fileURLToPath(new URL('plugin.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    banner: { js: '#!/usr/bin/env node' },
  });
  await chmod(outfile, 0o755);
  return outfile;
}
