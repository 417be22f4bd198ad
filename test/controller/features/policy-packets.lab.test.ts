import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import { connect } from '#ovsdb/client.ts';
import { run } from '#test/lab/topology/command.ts';
import type { TopologyNode } from '#test/lab/topology/node.ts';
import { startTopology, type Topology } from '#test/lab/topology/topology.ts';
import { startInNamespace } from '#test/node-agent/in-namespace.ts';
import { freshReplay } from '../recordings.ts';

type Json = Readonly<Record<string, unknown>>;

const namespace = (name: string): Json => ({ metadata: { name, uid: name, labels: { team: name } } });

const pod = (space: string, name: string, app: string, nodeName: string): Json => ({
  metadata: { namespace: space, name, uid: `${space}-${name}`, labels: { app } },
  spec: { nodeName },
});

const vmi = (space: string, name: string, app: string, nodeName: string): Json => ({
  metadata: { namespace: space, name, uid: `${space}-${name}`, labels: { app } },
  spec: {
    networks: [{ name: 'default', pod: {} }],
    domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] } },
  },
  status: { phase: 'Running', nodeName },
});

const policy = (name: string, app: string, ingress: readonly Json[]): Json => ({
  metadata: { namespace: 'shop', name, uid: name },
  spec: { podSelector: { matchLabels: { app } }, ingress },
});

test('real connections: what a policy allows passes with its replies, to a pod and to a VM, and nothing else does but for their own node', async () => {
  await using topology = await startTopology({ nodes: 2 });
  await Promise.all(topology.nodes.map((node) => makeChassis(topology, node)));
  const replay = freshReplay();
  const put = (kind: string, object: Json) => replay.apply({ type: 'MODIFIED', kind, object });
  for (const name of ['shop', 'other']) put('Namespace', namespace(name));
  for (const { name } of topology.nodes) put('Node', { metadata: { name, uid: name } });
  put('Pod', pod('shop', 'front', 'front', 'node-a'));
  put('Pod', pod('shop', 'stranger', 'stranger', 'node-a'));
  put('Pod', pod('other', 'front', 'front', 'node-a'));
  put('Pod', pod('shop', 'web', 'web', 'node-b'));
  put('VirtualMachineInstance', vmi('shop', 'db', 'web', 'node-b'));
  const front = {
    namespaceSelector: { matchLabels: { team: 'shop' } },
    podSelector: { matchLabels: { app: 'front' } },
  };
  put('NetworkPolicy', policy('web', 'web', [{ from: [front], ports: [{ port: 80 }] }]));
  // Nothing at all gets in here but the replies to what it asks.
  put('NetworkPolicy', policy('front', 'front', []));
  await replay.core.settle();

  await using client = await connect({ remotes: [`unix:${join(topology.folder, 'central', 'nb.sock')}`] });
  const northbound = await replicateNorthbound(client, AbortSignal.timeout(20_000));
  const writer = new NorthboundWriter(replay.core.engine.board, northbound, { sleep: pause });
  await writer.start();
  await writer.idle();

  const hosts = new Map<string, Host>();
  for (const [port, { mac, ips }] of replay.core.tables.addresses.rows()) {
    const node = topology.node(onNodeB.has(port) ? 'node-b' : 'node-a');
    hosts.set(port, await plug(topology, node, `host${hosts.size}`, { port, mac, ips }));
  }
  await topology.nbctl('--wait=hv', 'sync');
  const at = (port: string): Host => {
    const host = hosts.get(port);
    if (host === undefined) throw new Error(`there is no ${port}`);
    return host;
  };
  await using _servers = await listenOn([...hosts.values()].map(({ netns }) => netns));

  const families = ['IPv4', 'IPv6'] as const;
  const open = async (from: string, to: string) => {
    const targets = families.flatMap((family, i) =>
      [80, 81].map((port) => [family, at(to).ips[i] ?? '', port] as const),
    );
    return [`${from} → ${to}`, await connections(at(from).netns, targets)] as const;
  };
  const found = await Promise.all([
    open('pod/shop/front', 'pod/shop/web'),
    open('pod/shop/front', 'vm/shop/db'),
    open('pod/shop/stranger', 'pod/shop/web'),
    open('pod/shop/stranger', 'vm/shop/db'),
    open('pod/other/front', 'pod/shop/web'),
    open('pod/other/front', 'vm/shop/db'),
    open('pod/shop/web', 'pod/shop/front'),
    open('vm/shop/db', 'pod/shop/stranger'),
    open('node/node-b', 'pod/shop/web'),
    open('node/node-b', 'vm/shop/db'),
    open('node/node-a', 'pod/shop/front'),
    open('node/node-a', 'pod/shop/web'),
  ]);
  const all = ['IPv4 80', 'IPv4 81', 'IPv6 80', 'IPv6 81'];
  expect(Object.fromEntries(found)).toEqual({
    'pod/shop/front → pod/shop/web': ['IPv4 80', 'IPv6 80'],
    'pod/shop/front → vm/shop/db': ['IPv4 80', 'IPv6 80'],
    'pod/shop/stranger → pod/shop/web': [],
    'pod/shop/stranger → vm/shop/db': [],
    'pod/other/front → pod/shop/web': [],
    'pod/other/front → vm/shop/db': [],
    'pod/shop/web → pod/shop/front': [],
    'vm/shop/db → pod/shop/stranger': all,
    'node/node-b → pod/shop/web': all,
    'node/node-b → vm/shop/db': all,
    'node/node-a → pod/shop/front': all,
    'node/node-a → pod/shop/web': [],
  });
  await writer.close();
}, 120_000);

const onNodeB: ReadonlySet<string> = new Set(['pod/shop/web', 'vm/shop/db', 'node/node-b']);

interface Host {
  readonly netns: string;
  readonly ips: readonly string[];
}

async function makeChassis(topology: Topology, node: TopologyNode): Promise<void> {
  await node.vsctl(
    ...['--may-exist', 'add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev', 'fail-mode=secure'],
    ...['--', 'set', 'Open_vSwitch', '.', `external_ids:system-id=${node.name}`, `external_ids:hostname=${node.name}`],
    ...[`external_ids:ovn-remote="${topology.central.sbTcp}"`, 'external_ids:ovn-encap-type=geneve'],
    `external_ids:ovn-encap-ip=${node.encapIp}`,
  );
}

/** A host behind a logical switch port that the controller has written. */
async function plug(
  topology: Topology,
  node: TopologyNode,
  name: string,
  { port, mac, ips }: { readonly port: string; readonly mac: string; readonly ips: readonly string[] },
): Promise<Host> {
  const netns = await topology.addNamespace(name);
  await node.exec(
    'ip',
    ['-batch', '-'],
    `link add name ${name} type veth peer name eth0 address ${mac} netns ${netns}\nlink set ${name} up\n`,
  );
  const [ipv4, ipv6] = ips;
  await run('ip', ['-batch', '-'], {
    netns,
    input: `addr add ${ipv4}/20 dev eth0\naddr add ${ipv6}/68 dev eth0 nodad\nlink set eth0 mtu 1400\nlink set eth0 up\n`,
  });
  await run('ethtool', ['-K', 'eth0', 'tx', 'off'], { netns });
  await node.vsctl('add-port', 'br-int', name, '--', 'set', 'Interface', name, `external_ids:iface-id="${port}"`);
  return { netns, ips };
}

/** In each namespace a server on ports 80 and 81 that says a word to whoever connects. */
async function listenOn(namespaces: readonly string[]): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const program = `
    const { createServer } = require('node:net');
    let left = 2;
    for (const port of [80, 81]) {
      createServer((socket) => socket.on('error', () => {}).end('hello')).listen(port, '::', () => {
        left -= 1;
        if (left === 0) console.log('listening');
      });
    }
  `;
  await Promise.all(
    namespaces.map(async (netns) => {
      const server = stack.use(await startInNamespace(netns, program));
      await server.said('listening');
    }),
  );
  return stack;
}

/** Which targets answer a connection, its reply's content included. */
async function connections(
  netns: string,
  targets: readonly (readonly [family: string, ip: string, port: number])[],
): Promise<readonly string[]> {
  const program = `
    const { connect } = require('node:net');
    const open = [];
    for (const [family, host, port] of ${JSON.stringify(targets)}) {
      const socket = connect({ host, port });
      socket.on('data', () => open.push(family + ' ' + port));
      socket.on('error', () => {});
    }
    setTimeout(() => {
      console.log(JSON.stringify(open.sort()));
      process.exit();
    }, 4000);
  `;
  const open: readonly string[] = JSON.parse(await run(process.execPath, ['-e', program], { netns }));
  return open;
}
