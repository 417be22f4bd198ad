import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cachedFolder, cacheFolder } from '#test/setup/cache.ts';
import { SetUpError } from '#test/setup/set-up-error.ts';
import { isProgram, onPath } from './programs.ts';

/** Programs that are wanted together, so built and cached together. */
export interface ProgramGroup {
  readonly name: string;
  /** Packages of the `go.mod` in `folder`; a program is called as the last part of its package. */
  readonly packages: readonly [string, ...string[]];
  /** Folder of the `go.mod`, below this file's; this file's own when absent. */
  readonly folder?: string;
  /** A package whose tests become the one program, named `<last part>.test`, instead of its `main`. */
  readonly ofTests?: boolean;
}

/**
 * The folder with the programs of `group`: built from the Go modules that its `go.mod` names, once per content of that file, into the
 * cache.
 *
 * @throws SetUpError when there is no Go, or the modules cannot be had.
 */
export async function builtPrograms(group: ProgramGroup, log: (line: string) => void): Promise<string> {
  return cachedFolder(builtKey(group), async (folder) => {
    const go = goProgram();
    if (go === undefined)
      throw new SetUpError(`Go is not installed: it builds ${group.name} (https://go.dev/doc/install)`);
    const version = releaseVersion(group);
    log(`kube: building ${group.name} ${version} with ${go}: once, minutes`);
    const total = (await goOutput(go, group, ['list', '-deps', ...group.packages], () => undefined)).split('\n').length;
    let done = 0;
    let saidAt = performance.now();
    const versionFlags = `-X k8s.io/component-base/version.gitVersion=${version} -X k8s.io/client-go/pkg/version.gitVersion=${version}`;
    // -v names each package on standard error as it is compiled.
    const flags = ['-v', '-trimpath', '-ldflags', `-s -w ${versionFlags}`, '-o', `${folder}/`];
    const verb = group.ofTests ? ['test', '-c'] : ['build'];
    await goOutput(go, group, [...verb, ...flags, ...group.packages], () => {
      done += 1;
      if (performance.now() - saidAt < 15_000) return;
      saidAt = performance.now();
      log(`kube: ${done} of about ${total} packages`);
    });
    log(`kube: ${group.name} built`);
  });
}

/** Whether `builtPrograms` has the group, or can make it. */
export function canBuild(group: ProgramGroup): boolean {
  return existsSync(join(cacheFolder(), builtKey(group))) || goProgram() !== undefined;
}

/** Standard output of `go`, which runs beside the group's `go.mod`; `onLine` is called for each line of its standard error. */
async function goOutput(
  go: string,
  group: ProgramGroup,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<string> {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
  const child = spawn(go, args, { cwd: dirname(goModFile(group)), env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const lastLines: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split('\n').filter(Boolean)) {
      lastLines.push(line);
      if (lastLines.length > 5) lastLines.shift();
      onLine(line);
    }
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new SetUpError(`go ${args[0]} failed (${status}): ${lastLines.join(' | ')}`);
  return Buffer.concat(output).toString().trim();
}

function builtKey(group: ProgramGroup): string {
  const inputs = createHash('sha256')
    .update(readFileSync(goModFile(group)))
    .update(process.arch)
    .digest('hex');
  return `kube/${releaseVersion(group)}-${inputs.slice(0, 12)}/${group.name}`;
}

/** Version of the module that has the group's packages: `v1.36.3`. */
function releaseVersion(group: ProgramGroup): string {
  const file = goModFile(group);
  for (const [, module, version] of readFileSync(file, 'utf8').matchAll(/^\s*(?:require\s+)?(\S+) (v\S+)/gm)) {
    if (version !== undefined && group.packages[0].startsWith(`${module}/`)) return version;
  }
  throw new Error(`${file} does not require the module of ${group.packages[0]}`);
}

function goModFile({ folder = '' }: ProgramGroup): string {
  return join(import.meta.dirname, folder, 'go.mod');
}

/** Go's own installer puts it into a folder that is not on everybody's PATH. */
function goProgram(): string | undefined {
  const installed = join(process.env.GOROOT || '/usr/local/go', 'bin/go');
  return onPath('go') ?? (isProgram(installed) ? installed : undefined);
}
