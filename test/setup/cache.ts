import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { withFileLock } from './file-lock.ts';

/** Where set-up keeps what it downloads and builds: `$XDG_CACHE_HOME/hawser`, else `~/.cache/hawser`. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hawser');
}

/**
 * The folder `<cache>/<key>`, built by `build` when it is not there yet.
 *
 * `build` fills an empty folder that gets its name only when `build` has resolved, so a folder with its final name is
 * whole. Two runs at once build it once. Put what the content depends on (a version, a hash of the inputs) into the key;
 * a key may have slashes.
 */
export async function cachedFolder(key: string, build: (folder: string) => Promise<void>): Promise<string> {
  const finished = join(cacheFolder(), key);
  const unfinishedPrefix = `.${basename(finished)}~`;
  if (existsSync(finished)) return finished;
  await mkdir(dirname(finished), { recursive: true });
  await withFileLock(`${finished}.lock`, async () => {
    if (existsSync(finished)) return;
    // With the lock held, whatever is unfinished belongs to a run that was killed.
    for (const name of await readdir(dirname(finished))) {
      if (name.startsWith(unfinishedPrefix)) await rm(join(dirname(finished), name), { recursive: true });
    }
    const unfinished = await mkdtemp(join(dirname(finished), unfinishedPrefix));
    try {
      await build(unfinished);
      await rename(unfinished, finished);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      throw error;
    }
  });
  return finished;
}
