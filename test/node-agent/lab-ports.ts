import { randomUUID } from 'node:crypto';
import type { AttachKind } from '#node-agent/port-request.ts';
import type { LabNodeAgent } from '#test/lab/kubelet/node-agent.ts';
import { type CniResult, callPlugin } from '#test/lab/kubelet/sandbox.ts';
import type { TopologyNode } from '#test/lab/topology/node.ts';
import type { Topology } from '#test/lab/topology/topology.ts';

/** A logical switch port as the controller would write it (docs/bus.md), written by hand. */
export interface HandWrittenPort {
  readonly name: string;
  readonly uid: string;
  readonly attach: AttachKind;
  /** Node names: the first is the main one. */
  readonly on: readonly string[];
  /** Last 16 bits of MAC and addresses, 2 to 65,000. */
  readonly host: number;
  /** UIDs of the pods that may plug it as `eth0`. */
  readonly pods?: readonly string[];
  readonly externalIds?: Readonly<Record<string, string>>;
}

export const network = { switch: 'net', gateways: '10.244.0.1/16 fd00:10:244::1/64', mtuBytes: 1400 };

export const addressesOf = ({ host }: Pick<HandWrittenPort, 'host'>) => ({
  mac: `0a:58:0a:f4:${host.toString(16).padStart(4, '0').replace(/^(..)/, '$1:')}`,
  ipv4: `10.244.${host >> 8}.${host & 255}`,
  ipv6: `fd00:10:244::${host.toString(16)}`,
});

/** A switch behind a router, as the controller makes a network. */
export async function makeNetwork(topology: Topology): Promise<void> {
  await topology.nbctl(
    ...[
      'lr-add',
      'router',
      '--',
      'lrp-add',
      'router',
      'router-net',
      '0a:58:0a:f4:00:01',
      '10.244.0.1/16',
      'fd00:10:244::1/64',
    ],
    ...[
      '--',
      'ls-add',
      network.switch,
      '--',
      'lsp-add',
      network.switch,
      'net-router',
      '--',
      'lsp-set-type',
      'net-router',
      'router',
    ],
    ...[
      '--',
      'lsp-set-addresses',
      'net-router',
      'router',
      '--',
      'lsp-set-options',
      'net-router',
      'router-port=router-net',
    ],
  );
}

export async function makePort(topology: Topology, port: HandWrittenPort): Promise<void> {
  const { mac, ipv4, ipv6 } = addressesOf(port);
  const ids = {
    'hawser:owner': port.name,
    'hawser:uid': port.uid,
    'hawser:attach': port.attach,
    'hawser:gateways': network.gateways,
    'hawser:mtu': String(network.mtuBytes),
    ...Object.fromEntries((port.pods ?? []).map((uid) => [`hawser:pod:${uid}`, 'eth0'])),
    ...(port.attach === 'outside' && { 'hawser:addresses': `${mac} ${ipv4} ${ipv6}` }),
    ...port.externalIds,
  };
  // OVN is to have no flows for a port that nobody binds.
  const own = port.attach === 'outside' ? [] : [`${mac} ${ipv4} ${ipv6}`];
  await topology.nbctl(
    ...['lsp-add', network.switch, port.name, '--', 'lsp-set-addresses', port.name, ...own],
    ...['--', 'lsp-set-port-security', port.name, ...own],
    ...[
      '--',
      'lsp-set-options',
      port.name,
      `requested-chassis=${port.on.join(',')}`,
      ...(port.on.length > 1 ? ['activation-strategy=rarp'] : []),
    ],
    ...[
      '--',
      'set',
      'Logical_Switch_Port',
      port.name,
      ...Object.entries(ids).map(([key, value]) => `external_ids:${quoted(key)}=${quoted(value)}`),
    ],
  );
}

const quoted = (text: string): string => JSON.stringify(text);

/** A pod's sandbox on a node, plugged by executing the plugin. */
export class TestPod {
  readonly uid: string;
  readonly containerId = randomUUID();
  readonly name: string;
  readonly #plugin: string;
  readonly #agent: LabNodeAgent;
  readonly #node: TopologyNode;
  readonly netns: string;

  constructor(name: string, uid: string, netns: string, node: TopologyNode, agent: LabNodeAgent, plugin: string) {
    this.name = name;
    this.uid = uid;
    this.netns = netns;
    this.#node = node;
    this.#agent = agent;
    this.#plugin = plugin;
  }

  async add(confChanges: object = {}): Promise<CniResult> {
    return JSON.parse(await this.call('ADD', confChanges));
  }

  /** Runs any verb; gives what the plugin printed. */
  async call(
    verb: string,
    confChanges: object = {},
    signal?: AbortSignal,
    interfaceName: string = 'eth0',
  ): Promise<string> {
    const cniConf = { ...this.#agent.cniConf, ...confChanges };
    return await callPlugin(
      { nodeNetns: this.#node.netns, cniPlugin: this.#plugin, cniConf, interfaceName },
      verb,
      { metadata: { name: this.name, namespace: 'default', uid: this.uid, resourceVersion: '' } },
      { containerId: this.containerId, netnsPath: `/run/netns/${this.netns}` },
      signal,
    );
  }
}
