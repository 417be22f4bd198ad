import { chmod, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { putWhole } from '../put-whole.ts';
import { pluginType } from './install.ts';
import { pluginScript } from './plugin-script.ts';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/**
 * Writes the plugin into `dist/`: one executable script, which `install.ts` puts into `/opt/cni/bin`. One that is being executed is
 * replaced whole.
 * @returns its path.
 */
export async function buildPlugin(): Promise<string> {
  const outfile = `${dist}/${pluginType}`;
  await putWhole(outfile, async (path) => {
    await writeFile(path, pluginScript());
    await chmod(path, 0o755);
  });
  return outfile;
}
