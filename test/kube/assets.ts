import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cachedFolder, cacheFolder } from '#test/setup/cache.ts';
import { SetUpError } from '#test/setup/set-up-error.ts';

/** Paths of the programs a control plane is made of, and of the `kubectl` of the same release. */
export interface KubeAssets {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubeScheduler: string;
  readonly kubectl: string;
}

/**
 * Each program from `$KUBEBUILDER_ASSETS` where it is there (the convention of envtest), else built from the Go modules that `go.mod`
 * beside this file names, once per content of that file, into the cache; etcd, else, from the PATH.
 *
 * @throws SetUpError with one line that says what is missing: Go, etcd, or the modules.
 */
export async function kubeAssets(log: (line: string) => void): Promise<KubeAssets> {
  const given = process.env.KUBEBUILDER_ASSETS;
  const fromGiven = (name: string): string | undefined =>
    given !== undefined && isProgram(join(given, name)) ? join(given, name) : undefined;
  const etcd = fromGiven('etcd') ?? onPath('etcd');
  if (etcd === undefined) throw new SetUpError('etcd is not installed: apt-get install etcd-server');
  const lacking = built.filter((name) => fromGiven(name) === undefined);
  const folder = lacking.length === 0 ? '' : await builtFolder(log);
  const find = (name: (typeof built)[number]): string => fromGiven(name) ?? join(folder, name);
  return {
    etcd,
    kubeApiserver: find('kube-apiserver'),
    kubeControllerManager: find('kube-controller-manager'),
    kubeScheduler: find('kube-scheduler'),
    kubectl: find('kubectl'),
  };
}

/** Why the suites against real Kubernetes cannot run here; undefined when they can. Builds nothing. */
export function whyNoKube(): string | undefined {
  const given = process.env.KUBEBUILDER_ASSETS;
  const isGiven = (name: string): boolean => given !== undefined && isProgram(join(given, name));
  if (!isGiven('etcd') && onPath('etcd') === undefined) return 'etcd is not installed (apt-get install etcd-server)';
  if (built.every(isGiven) || existsSync(join(cacheFolder(), builtKey())) || goProgram() !== undefined)
    return undefined;
  return 'neither Go nor $KUBEBUILDER_ASSETS with kube-apiserver, kube-controller-manager, kube-scheduler and kubectl is there';
}

const built = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'] as const;

async function builtFolder(log: (line: string) => void): Promise<string> {
  return cachedFolder(builtKey(), async (folder) => {
    const go = goProgram();
    if (go === undefined)
      throw new SetUpError('Go is not installed: it builds kube-apiserver (https://go.dev/doc/install)');
    const version = releaseVersion();
    log(`kube: building ${built.join(', ')} ${version} with ${go}: once, about 10 minutes on 2 cores`);
    const total = (await goOutput(go, ['list', '-deps', 'tool'], () => undefined)).split('\n').length;
    let done = 0;
    let saidAt = performance.now();
    const versionFlags = `-X k8s.io/component-base/version.gitVersion=${version} -X k8s.io/client-go/pkg/version.gitVersion=${version}`;
    // -v names each package on standard error as it is compiled.
    const flags = ['-v', '-trimpath', '-ldflags', `-s -w ${versionFlags}`, '-o', `${folder}/`];
    await goOutput(go, ['build', ...flags, 'tool'], () => {
      done += 1;
      if (performance.now() - saidAt < 15_000) return;
      saidAt = performance.now();
      log(`kube: ${done} of about ${total} packages`);
    });
    log('kube: built');
  });
}

/** Standard output of `go`, which runs beside our `go.mod`; `onLine` is called for each line of its standard error. */
async function goOutput(go: string, args: readonly string[], onLine: (line: string) => void): Promise<string> {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
  const child = spawn(go, args, { cwd: import.meta.dirname, env, stdio: ['ignore', 'pipe', 'pipe'] });
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

function builtKey(): string {
  const inputs = createHash('sha256').update(readFileSync(goModFile)).update(process.arch).digest('hex');
  return `kube/${releaseVersion()}-${inputs.slice(0, 12)}`;
}

/** `v1.36.3`. */
function releaseVersion(): string {
  const version = /^\s*(?:require\s+)?k8s\.io\/kubernetes (v\S+)/m.exec(readFileSync(goModFile, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${goModFile} does not require k8s.io/kubernetes`);
  return version;
}

const goModFile = join(import.meta.dirname, 'go.mod');

/** Go's own installer puts it into a folder that is not on everybody's PATH. */
function goProgram(): string | undefined {
  return onPath('go') ?? (isProgram('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined);
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
