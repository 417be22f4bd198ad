import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Kubelet, startKubelet } from './kubelet/kubelet.ts';
import type { Daemon } from './topology/daemon.ts';
import type { TopologyNode } from './topology/node.ts';
import type { Topology } from './topology/topology.ts';
import { untilSocketAccepts } from './topology/until-socket.ts';
import type { Transport } from './virt/kube-client.ts';

/** A node that VMs can run on, whoever its kubelet is. */
export interface LabWorker {
  readonly name: string;
  readonly node: TopologyNode;
  /** Unix socket of our agent. */
  readonly agentSocket: string;
  readonly kubelet: LabKubelet;
}

/** What virt-handler wants of the node's pods. */
export interface LabKubelet {
  /** Network namespace of a pod that runs on this node: a name under /run/netns, or a path. */
  sandboxOf(podUid: string): { readonly netns: string } | undefined;
  /** The domain of a launcher pod is gone: its container ends with this exit code. */
  launcherExited(podUid: string, exitCode: number): void;
}

/** A Kubernetes node: Open vSwitch and ovn-controller from the topology, our agent as a process, and a kubelet. */
export interface WorkerNode extends LabWorker {
  readonly agent: Daemon;
  readonly kubelet: Kubelet;
}

export async function startWorkerNode(
  topology: Topology,
  node: TopologyNode,
  options: { readonly send: Transport; readonly cniPlugin: string; readonly log: (line: string) => void },
): Promise<WorkerNode> {
  const agentSocket = join(node.runDir, 'agent.sock');
  const configFile = join(node.runDir, 'agent.json');
  const config = {
    nodeName: node.name,
    socket: agentSocket,
    openVswitch: [`unix:${node.ovsSocket}`],
    southbound: [topology.central.sbTcp],
    datapathType: 'netdev',
    encap: { type: 'geneve', ip: node.encapIp },
  };
  await writeFile(configFile, JSON.stringify(config));
  const agent = node.daemon({
    name: 'hawser-agent',
    command: process.execPath,
    args: [join(import.meta.dirname, '../../node-agent/main.ts'), '--config', configFile],
    ready: (_pid, signal) => untilSocketAccepts(agentSocket, signal),
  });
  await agent.start();
  const kubelet = await startKubelet({
    node: node.name,
    send: options.send,
    hostIPs: [node.encapIp],
    nodeNetns: node.netns,
    cniPlugin: options.cniPlugin,
    cniConf: { cniVersion: '1.1.0', name: 'hawser', type: 'hawser', socket: agentSocket },
    addNamespace: (name) => topology.addNamespace(name),
    removeNamespace: (netns) => topology.removeNamespace(netns),
    log: options.log,
  });
  return { name: node.name, node, agent, agentSocket, kubelet };
}
