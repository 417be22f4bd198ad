import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buildPlugin } from '#node-agent/cni/build.ts';
import { type LabNodeAgent, startNodeAgent } from '#test/lab/kubelet/node-agent.ts';
import { callPlugin } from '#test/lab/kubelet/sandbox.ts';
import type { TopologyNode } from '#test/lab/topology/node.ts';
import { startTopology, type Topology } from '#test/lab/topology/topology.ts';
import { makeNetwork, makePort } from '#test/node-agent/lab-ports.ts';
import { prepare } from '#test/setup/prepare.ts';
import { buildProgram } from '../../../deploy/build.ts';
import { asDeployed } from '../as-deployed.ts';

/** A sandbox that a plugin is called for, again and again. */
export interface Sandbox {
  add(): Promise<void>;
  del(): Promise<void>;
}

/** One node with OVN and the bundled agent, and ports that are requested for it already, as by a controller that is ahead of kubelet. */
export class Rig implements AsyncDisposable {
  readonly #topology: Topology;
  readonly #node: TopologyNode;
  readonly #agent: LabNodeAgent;
  readonly #plugin: string;
  #made = 0;

  constructor(topology: Topology, node: TopologyNode, agent: LabNodeAgent, plugin: string) {
    this.#topology = topology;
    this.#node = node;
    this.#agent = agent;
    this.#plugin = plugin;
  }

  static async open(log: (line: string) => void): Promise<Rig> {
    await prepare({ log });
    const [plugin, program] = [await buildPlugin(), await buildProgram('node-agent')];
    const topology = await startTopology({ nodes: 1, log });
    try {
      await makeNetwork(topology);
      const node = topology.node('node-a');
      const agent = await startNodeAgent(
        topology,
        node,
        { logLevel: 'warn' },
        await asDeployed({ manifest: 'node-agent.yaml', container: 'agent' }, program),
      );
      return new Rig(topology, node, agent, plugin);
    } catch (error) {
      await topology[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Sandboxes with a port each that northd and the agent know of already. */
  async ours(count: number): Promise<readonly Sandbox[]> {
    const sandboxes: Sandbox[] = [];
    for (let index = 0; index < count; index++) {
      const uid = randomUUID();
      const host = 10 + this.#made++;
      await makePort(this.#topology, {
        ...{ name: `pod/default/bench-${host}`, uid, attach: 'veth', on: ['node-a'], host, pods: [uid] },
      });
      sandboxes.push(await this.#sandbox(uid, this.#plugin, this.#agent.cniConf));
    }
    await this.settled();
    return sandboxes;
  }

  /** The same with Debian's `bridge` and `host-local`: a Linux bridge on the node, and addresses from a folder. */
  async bridged(count: number): Promise<readonly Sandbox[]> {
    const conf = {
      cniVersion: '1.0.0',
      name: 'bench',
      type: 'bridge',
      bridge: 'bench0',
      isGateway: true,
      ipam: {
        type: 'host-local',
        dataDir: `${this.#topology.folder}/host-local`,
        ranges: [[{ subnet: '10.250.0.0/16' }], [{ subnet: 'fd00:10:250::/64' }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    };
    const sandboxes: Sandbox[] = [];
    for (let index = 0; index < count; index++) {
      sandboxes.push(await this.#sandbox(randomUUID(), '/usr/lib/cni/bridge', conf));
    }
    return sandboxes;
  }

  /** Resolves when OVN has done all that came before: what a DEL leaves to do is not part of the next ADD. */
  async settled(): Promise<void> {
    await this.#topology.nbctl('--wait=hv', 'sync');
  }

  /** Seconds that the agent has spent in each phase of ADD so far. */
  async phaseSeconds(): Promise<ReadonlyMap<string, number>> {
    const { body } = await this.#agent.send('GET', '/metrics');
    const sums = body.matchAll(/^hawser_cni_add_phase_seconds_sum\{phase="(\w+)"\} (\S+)$/gm);
    return new Map([...sums].map(([, phase = '', seconds]) => [phase, Number(seconds)]));
  }

  async agentRssMib(): Promise<number> {
    const status = await readFile(`/proc/${this.#agent.daemon.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#topology[Symbol.asyncDispose]();
  }

  async #sandbox(uid: string, cniPlugin: string, cniConf: Readonly<Record<string, unknown>>): Promise<Sandbox> {
    const netns = await this.#topology.addNamespace(`pod-${uid.slice(0, 8)}`);
    const call = async (verb: string): Promise<void> => {
      await callPlugin(
        { nodeNetns: this.#node.netns, cniPlugin, cniConf },
        verb,
        { metadata: { name: 'bench', namespace: 'default', uid, resourceVersion: '' } },
        { containerId: uid, netnsPath: `/run/netns/${netns}` },
      );
    };
    return { add: () => call('ADD'), del: () => call('DEL') };
  }
}
