import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedFolder } from './cache.ts';
import { SetUpError } from './set-up-error.ts';

const execute = promisify(execFile);

/**
 * Runs `apt-get`, waiting for another one to finish first.
 *
 * @throws SetUpError with what apt-get said last.
 */
export async function apt(...args: string[]): Promise<void> {
  const quietly = ['--quiet', '-o', 'DPkg::Lock::Timeout=600', ...args];
  await aptOutput('apt-get', quietly, { saying: `apt-get ${args.join(' ')}` });
}

/**
 * Runs one of apt's and dpkg's programs and gives its output, untranslated.
 *
 * @param how.saying what an error calls the command; the whole of it when absent.
 * @throws SetUpError with the program's own reason.
 */
export async function aptOutput(
  command: string,
  args: readonly string[],
  how: { readonly cwd?: string; readonly saying?: string } = {},
): Promise<string> {
  const { cwd, saying = [command, ...args].join(' ') } = how;
  const env = { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };
  try {
    return (await execute(command, args, { env, cwd, maxBuffer: 1 << 28 })).stdout;
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const why = /^E: .*$/m.exec(stderr)?.[0] ?? stderr.trim().split('\n').at(-1);
    throw new SetUpError(`${saying} failed: ${why}`);
  }
}

/** The versions apt would install now; a package it has never heard of is missing from the map. */
export async function candidateVersions(packages: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const shown = await aptOutput('apt-cache', ['policy', ...packages]);
  return new Map(
    [...shown.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (.*)$/gm)].flatMap(([, name, version]) =>
      name === undefined || version === undefined || version === '(none)' ? [] : [[name, version] as const],
    ),
  );
}

/**
 * The .deb of a package that is wanted for its files and not to be installed, from the cache or the mirror, with the
 * version apt would install. `dpkg --extract` unpacks it.
 *
 * @throws SetUpError when apt has no such package or cannot fetch it.
 */
export async function downloadPackage(name: string): Promise<string> {
  let version = (await candidateVersions([name])).get(name);
  if (version === undefined) {
    await apt('update');
    version = (await candidateVersions([name])).get(name);
  }
  if (version === undefined) throw new SetUpError(`apt has no package ${name}; check /etc/apt/sources.list.`);
  const folder = await cachedFolder(`debian/${name}_${version.replaceAll(':', '%3a')}`, async (unfinished) => {
    await aptOutput('apt-get', ['download', `${name}=${version}`], { cwd: unfinished });
  });
  const deb = (await readdir(folder)).find((file) => file.endsWith('.deb'));
  if (deb === undefined) throw new Error(`no .deb in ${folder}`);
  return join(folder, deb);
}
