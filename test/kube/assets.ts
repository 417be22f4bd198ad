import { join } from 'node:path';
import { SetUpError } from '#test/setup/set-up-error.ts';
import { builtPrograms, canBuild, type ProgramGroup } from './go-build.ts';
import { isProgram, onPath } from './programs.ts';

/** Paths of the programs a control plane is made of, and of the `kubectl` of the same release. */
export interface KubeAssets {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubeScheduler: string;
  readonly kubectl: string;
}

/** What a real node needs of the same release, and what the suites run on it. */
export interface NodeAssets {
  readonly kubelet: string;
  /** The test image's one program. */
  readonly agnhost: string;
}

/**
 * Each program from `$KUBEBUILDER_ASSETS` where it is there (the convention of envtest), else built from Go modules; etcd, else, from
 * the PATH.
 *
 * @throws SetUpError with one line that says what is missing: Go, etcd, or the modules.
 */
export async function kubeAssets(log: (line: string) => void): Promise<KubeAssets> {
  const etcd = given('etcd') ?? onPath('etcd');
  if (etcd === undefined) throw new SetUpError('etcd is not installed: apt-get install etcd-server');
  const find = await finder(controlPlane, log);
  return {
    etcd,
    kubeApiserver: find('kube-apiserver'),
    kubeControllerManager: find('kube-controller-manager'),
    kubeScheduler: find('kube-scheduler'),
    kubectl: find('kubectl'),
  };
}

/** As `kubeAssets`. */
export async function nodeAssets(log: (line: string) => void): Promise<NodeAssets> {
  const find = await finder(node, log);
  return { kubelet: find('kubelet'), agnhost: find('agnhost') };
}

/** As `kubeAssets`: the upstream suite, `e2e.test`. */
export async function upstreamSuite(log: (line: string) => void): Promise<string> {
  return (await finder(conformance, log))('e2e.test');
}

/** As `kubeAssets`: Multus, which calls other plugins for a pod's further NICs. */
export async function multusPlugin(log: (line: string) => void): Promise<string> {
  return (await finder(multus, log))('multus');
}

/** Why the suites against real Kubernetes cannot run here; undefined when they can. Builds nothing. */
export function whyNoKube(): string | undefined {
  if (given('etcd') === undefined && onPath('etcd') === undefined) {
    return 'etcd is not installed (apt-get install etcd-server)';
  }
  if (namesOf(controlPlane).every(given) || canBuild(controlPlane)) return undefined;
  return 'neither Go nor $KUBEBUILDER_ASSETS with kube-apiserver, kube-controller-manager, kube-scheduler and kubectl is there';
}

/** The same for real nodes, and the upstream suite on them. */
export function whyNoNodes(): string | undefined {
  const why = whyNoKube();
  if (why !== undefined) return why;
  if ([node, conformance, multus].every((group) => namesOf(group).every(given) || canBuild(group))) return undefined;
  return 'neither Go nor $KUBEBUILDER_ASSETS with kubelet, agnhost, e2e.test and multus is there';
}

const controlPlane: ProgramGroup = {
  name: 'control-plane',
  packages: [
    'k8s.io/kubernetes/cmd/kube-apiserver',
    'k8s.io/kubernetes/cmd/kube-controller-manager',
    'k8s.io/kubernetes/cmd/kube-scheduler',
    'k8s.io/kubernetes/cmd/kubectl',
  ],
};
const node: ProgramGroup = {
  name: 'node',
  packages: ['k8s.io/kubernetes/cmd/kubelet', 'k8s.io/kubernetes/test/images/agnhost'],
};
const conformance: ProgramGroup = { name: 'conformance', packages: ['k8s.io/kubernetes/test/e2e'], ofTests: true };

const multus: ProgramGroup = {
  name: 'multus',
  packages: ['gopkg.in/k8snetworkplumbingwg/multus-cni.v4/cmd/multus'],
  folder: 'multus',
};

async function finder(group: ProgramGroup, log: (line: string) => void): Promise<(name: string) => string> {
  const areGiven = namesOf(group).every(given);
  const folder = areGiven ? '' : await builtPrograms(group, log);
  return (name) => given(name) ?? join(folder, name);
}

function namesOf({ packages, ofTests }: ProgramGroup): readonly string[] {
  return packages.map((path) => path.slice(path.lastIndexOf('/') + 1) + (ofTests ? '.test' : ''));
}

function given(name: string): string | undefined {
  const folder = process.env.KUBEBUILDER_ASSETS;
  const path = folder === undefined ? '' : join(folder, name);
  return path !== '' && isProgram(path) ? path : undefined;
}
