import { join } from 'node:path';
import { kubeAssets, nodeAssets } from '#test/kube/assets.ts';
import { crds } from '#test/kube/cluster.ts';
import { type ControlPlane, startControlPlane } from '#test/kube/control-plane.ts';
import { networkYaml } from '#test/lab/manifests.ts';
import { labCgroup } from '#test/lab/topology/cgroups.ts';
import type { Daemon } from '#test/lab/topology/daemon.ts';
import type { TopologyNode } from '#test/lab/topology/node.ts';
import { startTopology, type Topology } from '#test/lab/topology/topology.ts';
import { startContainerRuntime } from './container-runtime.ts';
import { makeImages } from './images.ts';
import { installHawser } from './install-hawser.ts';
import { type Machine, startMachine } from './machine.ts';
import { startRealKubelet } from './real-kubelet.ts';

/** A node with a real container runtime and a real kubelet. */
export interface ClusterNode {
  readonly name: string;
  readonly node: TopologyNode;
  readonly machine: Machine;
  readonly containerd: Daemon;
  readonly kubelet: Daemon;
}

/** A real Kubernetes cluster on this machine, with Hawser as its only CNI, installed by `deploy/`. */
export interface Cluster extends AsyncDisposable {
  readonly topology: Topology;
  readonly plane: ControlPlane;
  readonly nodes: readonly ClusterNode[];
  readonly kubectlPath: string;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Starts a kubelet under another name, one of `laterNames`, on a node whose own has ended. */
  joinAs(node: ClusterNode, name: string): Promise<void>;
}

export interface ClusterOptions {
  readonly id?: string;
  readonly nodes: number;
  /** Names under which nodes may join later. */
  readonly laterNames?: readonly string[];
  readonly ovn?: string;
  readonly log: (line: string) => void;
}

/** Resolves when every node is Ready. Disposing takes everything down. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { log, laterNames = [] } = options;
  const [programs, onNodes] = [await kubeAssets(log), await nodeAssets(log)];
  await using stack = new AsyncDisposableStack();
  const topology = stack.use(await startTopology(options));
  const { folder, central } = topology;
  const names = topology.nodes.map(({ name }) => name);
  const imagesMade = makeImages(join(folder, 'images'), onNodes);
  const [plane, runtimes] = await Promise.all([
    startControlPlane({
      assets: programs,
      folder: join(folder, 'kube'),
      env: topology.env,
      crds,
      at: { netns: central.netns, address: central.ip },
      nodes: [...names, ...laterNames],
    }),
    Promise.all(
      topology.nodes.map(async (node) => {
        const machine = await startMachine(node);
        return { machine, containerd: await startContainerRuntime(machine, imagesMade) };
      }),
    ),
  ]);
  stack.use(plane);
  log('the control plane and the container runtimes are up');
  const kubeletOn = (machine: Machine, name: string) =>
    startRealKubelet(machine, {
      name,
      kubelet: onNodes.kubelet,
      kubeconfig: plane.kubeletKubeconfigs.get(name) ?? '',
      clientAuthority: plane.kubeletClientAuthority ?? '',
      cgroup: join(labCgroup(topology.id), machine.node.name),
    });
  const [nodes] = await Promise.all([
    Promise.all(
      runtimes.map(async ({ machine, containerd }): Promise<ClusterNode> => {
        const { node } = machine;
        return { name: node.name, node, machine, containerd, kubelet: await kubeletOn(machine, node.name) };
      }),
    ),
    installHawser(topology, plane),
  ]);
  await plane.kubectl(['apply', '-f', '-'], networkYaml);
  log('Hawser is installed');
  await plane.kubectl(['wait', '--for=create', ...names.map((name) => `node/${name}`), '--timeout=120s']);
  await plane.kubectl(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=180s']);
  log('every node is Ready');
  const whole = stack.move();
  return {
    topology,
    plane,
    nodes,
    kubectlPath: programs.kubectl,
    kubectl: plane.kubectl,
    joinAs: async ({ machine }, name) => {
      await kubeletOn(machine, name);
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}
