import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { delimiter, dirname } from 'node:path';
import type { Pod } from './pod.ts';

/** A pod's sandbox: what containerd makes before any container. */
export interface Sandbox {
  readonly containerId: string;
  /** Name under `/run/netns`. */
  readonly netns: string;
  readonly netnsPath: string;
  /** What CNI ADD printed; absent for a pod in the node's own network. */
  readonly result?: CniResult;
}

export interface CniResult {
  readonly cniVersion: string;
  readonly interfaces: readonly {
    readonly name: string;
    readonly mac?: string;
    readonly mtu?: number;
    readonly sandbox?: string;
  }[];
  readonly ips: readonly { readonly address: string; readonly gateway?: string; readonly interface?: number }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
}

/** How the node's container runtime calls its network plugin. */
export interface Runtime {
  /** Network namespace of the node, where the plugin runs: a name under `/run/netns`. */
  readonly nodeNetns: string;
  /** Path of the plugin's executable. */
  readonly cniPlugin: string;
  /** The network configuration: one plugin's, with `cniVersion` and `name`. */
  readonly cniConf: Readonly<Record<string, unknown>>;
  /** What the NIC is called in the sandbox; `eth0` when absent. */
  readonly interfaceName?: string;
  /** Makes a network namespace of the lab with `lo` up, and gives its name under `/run/netns`. */
  readonly addNamespace: (name: string) => Promise<string>;
  readonly removeNamespace: (netns: string) => Promise<void>;
}

/** The plugin refused; `code` and message are the specification's. */
export class CniFailed extends Error {
  override readonly name = 'CniFailed';
  readonly code: number;

  constructor(verb: string, code: number, message: string) {
    super(`CNI ${verb}: ${message}`);
    this.code = code;
  }
}

/** Makes network namespace and NIC as containerd does: when ADD fails, DEL is called and the namespace goes. */
export async function createSandbox(runtime: Runtime, pod: Pod, signal: AbortSignal): Promise<Sandbox> {
  const containerId = randomBytes(32).toString('hex');
  const netns = await runtime.addNamespace(`pod-${containerId.slice(0, 12)}`);
  const sandbox: Sandbox = { containerId, netns, netnsPath: `/run/netns/${netns}` };
  try {
    const result: unknown = JSON.parse(await callPlugin(runtime, 'ADD', pod, sandbox, signal));
    if (!isCniResult(result)) throw new CniFailed('ADD', 0, `printed ${JSON.stringify(result)}`);
    return { ...sandbox, result };
  } catch (error) {
    await removeSandbox(runtime, pod, sandbox).catch(() => {});
    await runtime.removeNamespace(netns);
    throw error;
  }
}

export async function removeSandbox(runtime: Runtime, pod: Pod, sandbox: Sandbox): Promise<void> {
  await callPlugin(runtime, 'DEL', pod, sandbox);
  await runtime.removeNamespace(sandbox.netns);
}

/** Executes the plugin once, with the environment and standard input of the CNI specification. */
export async function callPlugin(
  runtime: Pick<Runtime, 'nodeNetns' | 'cniPlugin' | 'cniConf' | 'interfaceName'>,
  verb: string,
  { metadata }: Pick<Pod, 'metadata'>,
  { containerId, netnsPath, result }: Pick<Sandbox, 'containerId' | 'netnsPath' | 'result'>,
  signal?: AbortSignal,
): Promise<string> {
  const env = {
    PATH: process.env.PATH ?? '',
    CNI_COMMAND: verb,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netnsPath,
    CNI_IFNAME: runtime.interfaceName ?? 'eth0',
    CNI_PATH: [dirname(runtime.cniPlugin), '/opt/cni/bin'].join(delimiter),
    CNI_ARGS: [
      'IgnoreUnknown=1',
      `K8S_POD_NAMESPACE=${metadata.namespace}`,
      `K8S_POD_NAME=${metadata.name}`,
      `K8S_POD_INFRA_CONTAINER_ID=${containerId}`,
      `K8S_POD_UID=${metadata.uid}`,
    ].join(';'),
  };
  const child = spawn('nsenter', [`--net=/run/netns/${runtime.nodeNetns}`, '--', runtime.cniPlugin], {
    env,
    stdio: 'pipe',
    ...(signal && { signal }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {}); // Its exit status says what was wrong.
  child.stdin.end(JSON.stringify({ ...runtime.cniConf, ...(result && verb !== 'ADD' && { prevResult: result }) }));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const status = await promise;
  if (status === 0) return stdout;
  throw failure(verb, stdout, stderr);
}

function failure(verb: string, stdout: string, stderr: string): CniFailed {
  try {
    const answer: unknown = JSON.parse(stdout);
    if (typeof answer === 'object' && answer !== null && 'code' in answer && 'msg' in answer) {
      return new CniFailed(verb, Number(answer.code), String(answer.msg));
    }
  } catch {
    // Not even an error in the specification's form.
  }
  return new CniFailed(verb, 0, `${stdout}${stderr}`.trim());
}

function isCniResult(json: unknown): json is CniResult {
  return (
    typeof json === 'object' &&
    json !== null &&
    'ips' in json &&
    Array.isArray(json.ips) &&
    'interfaces' in json &&
    Array.isArray(json.interfaces)
  );
}
