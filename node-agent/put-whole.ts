import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Puts a file in its place in one step, its folder made if it is not there: readers see it as it was or as it is, never half.
 * @param write fills the path it is given, which is in the same folder under a name that no runtime takes for a configuration or
 * a plugin.
 */
export async function putWhole(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const unnamed = join(folder, `.${basename(path)}.${randomUUID()}`);
  await write(unnamed);
  await rename(unnamed, path);
}
