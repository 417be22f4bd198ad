import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one run of a client, and in it the script the client calls with what it was told. */
export interface ToldScript extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  /** What the client said when it called the script for `reason`: variable → value. Undefined when it did not. */
  told(reason: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** @param reason what names the occasion, in shell: udhcpc gives it as `$1`, others as `$reason`. */
export async function toldScript(reason: string): Promise<ToldScript> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-client-'));
  const path = join(folder, 'script');
  await writeFile(path, `#!/bin/sh\nenv > ${folder}/.part && mv ${folder}/.part "${folder}/told.${reason}"\nexit 0\n`);
  await chmod(path, 0o755);
  return {
    folder,
    path,
    async told(name) {
      const text = await readFile(join(folder, `told.${name}`), 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      const lines = text.split('\n').map((line) => line.split('='));
      return Object.fromEntries(lines.map(([variable = '', ...value]) => [variable, value.join('=')]));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
