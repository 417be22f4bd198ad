import { randomUUID } from 'node:crypto';
import { buildPlugin } from '#node-agent/cni/build.ts';
import { type LabNodeAgent, startNodeAgent } from '#test/lab/kubelet/node-agent.ts';
import { startTopology, type Topology } from '#test/lab/topology/topology.ts';
import { prepare } from '#test/setup/prepare.ts';
import { addressesOf, type HandWrittenPort, makeNetwork, TestPod } from './lab-ports.ts';

/** Real OVN with our agent on every node and a network, where ports are written by hand and pods are plugged by our plugin. */
export interface Bed extends AsyncDisposable {
  readonly topology: Topology;
  agent(node: string): LabNodeAgent;
  /** A port, not written yet, and an empty sandbox on a node. */
  pod(node: string, changes?: Partial<HandWrittenPort>): Promise<BedPod>;
  /** Names of the devices in a node's namespace. */
  devices(node: string): Promise<string[]>;
  /** Names of the interfaces on a node's switch that bind a logical port. */
  interfacesFor(node: string, logicalPort: string): Promise<string[]>;
}

export interface BedPod {
  readonly port: HandWrittenPort;
  readonly sandbox: TestPod;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/**
 * @param agentConfig changes to the agents' configuration.
 * @param beforeAgents what is to be in the databases when they start.
 */
export async function startBed(
  nodes: number,
  agentConfig: Readonly<Record<string, unknown>> = {},
  beforeAgents: (topology: Topology) => Promise<void> = async () => {},
): Promise<Bed> {
  await prepare({ log: console.log });
  const plugin = await buildPlugin();
  const topology = await startTopology({ nodes, log: console.log });
  await makeNetwork(topology);
  await beforeAgents(topology);
  const agents = new Map<string, LabNodeAgent>();
  for (const node of topology.nodes) agents.set(node.name, await startNodeAgent(topology, node, agentConfig));
  const agent = (node: string): LabNodeAgent => {
    const found = agents.get(node);
    if (!found) throw new Error(`no agent on ${node}`);
    return found;
  };
  let host = 10;
  return {
    topology,
    agent,
    pod: async (node, changes = {}) => {
      const uid = randomUUID();
      const name = `web-${host}`;
      const port: HandWrittenPort = {
        name: `pod/default/${name}`,
        uid,
        attach: 'veth',
        on: [node],
        host: host++,
        pods: [uid],
        ...changes,
      };
      const netns = await topology.addNamespace(`pod-${uid.slice(0, 8)}`);
      const sandbox = new TestPod(name, uid, netns, topology.node(node), agent(node), plugin);
      return { port, sandbox, ...addressesOf(port) };
    },
    devices: async (node) =>
      (await topology.node(node).exec('ip', ['-br', 'link'])).split('\n').map((line) => line.split(/[ @]/)[0] ?? ''),
    interfacesFor: async (node, logicalPort) =>
      (
        await topology
          .node(node)
          .vsctl('--bare', '--columns=name', 'find', 'Interface', `external_ids:iface-id=${logicalPort}`)
      )
        .split('\n')
        .filter((name) => name !== ''),
    [Symbol.asyncDispose]: () => topology[Symbol.asyncDispose](),
  };
}
