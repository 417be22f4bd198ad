import { afterAll, beforeAll, expect, test } from 'vitest';
import { startNodeAgent } from '#test/lab/kubelet/node-agent.ts';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, startBed } from './bed.ts';
import { addressesOf, type HandWrittenPort } from './lab-ports.ts';

// Beside the underlay that carries the tunnels there is a physical network: a Linux bridge in a namespace, with a NIC of node-a and a
// router that knows nothing of OVN, on VLAN 5 and untagged.

let bed: Bed;
let router: string;
const physicalNetworks = [{ name: 'lan', bridge: 'br-lan', nic: 'eth1' }];

beforeAll(async () => {
  bed = await startBed(1);
  router = await bed.topology.addNamespace('router');
  const node = bed.topology.node('node-a').netns;
  const lines = [`link add eth1 netns ${node} type veth peer name lan netns ${router}`, `-n ${router} link set lan up`];
  await run('sh', ['-c', lines.map((line) => `ip ${line}`).join(' && ')]);
  await run('sh', ['-c', 'ethtool -K lan tx off >/dev/null && ip address add 198.51.100.1/24 dev lan'], {
    netns: router,
  });
  await run(
    'sh',
    [
      '-c',
      'ethtool -K eth1 tx off >/dev/null && ip link set eth1 up && ip address add 198.51.100.7/24 dev eth1 && ip route add 203.0.113.0/24 via 198.51.100.1',
    ],
    { netns: node },
  );
});
afterAll(() => bed?.[Symbol.asyncDispose]());

async function restartAgent(changes: object): Promise<void> {
  await bed.agent('node-a').daemon.kill('SIGTERM');
  const agent = await startNodeAgent(bed.topology, bed.topology.node('node-a'), { ...changes });
  await agent.daemon.kill('SIGTERM');
  await bed.agent('node-a').daemon.start();
}

const node = () => bed.topology.node('node-a');
const shown = (device: string) => node().exec('ip', ['-br', 'address', 'show', 'dev', device]);
const routes = () => node().exec('ip', ['route', 'show', '203.0.113.0/24']);
const ping = (netns: string, address: string, count: number) =>
  run('ping', ['-q', '-c', String(count), '-i', '0.02', '-W', '1', address], { netns });

test("the NIC's bridge gets the host's addresses and routes, and the host stays within reach", async () => {
  const pinging = ping(router, '198.51.100.7', 200);
  await restartAgent({ physicalNetworks });
  const [, received = ''] = /(\d+) received/.exec(await pinging) ?? [];
  expect(Number(received)).toBeGreaterThan(190); // 20 ms each: at most a fifth of a second
  expect(await shown('br-lan')).toContain('198.51.100.7/24');
  expect(await shown('eth1')).not.toContain('198.51.100.7');
  expect(await routes()).toContain('via 198.51.100.1 dev br-lan');
  expect(await node().vsctl('get', 'Open_vSwitch', '.', 'external_ids:ovn-bridge-mappings')).toContain('lan:br-lan');
});

test('started again, the agent finds everything as it is to be', async () => {
  const before = await node().vsctl('--columns=_uuid,ports', 'list', 'Bridge', 'br-lan');
  await restartAgent({ physicalNetworks });
  expect(await node().vsctl('--columns=_uuid,ports', 'list', 'Bridge', 'br-lan')).toBe(before);
  expect(await shown('br-lan')).toContain('198.51.100.7/24');
});

test('a port of a localnet switch is on the physical network, with its VLAN', async () => {
  const port = await bed.pod('node-a');
  await bed.topology.nbctl(
    ...['ls-add', 'lan', '--', 'lsp-add', 'lan', 'lan-net', '', '5', '--', 'lsp-set-type', 'lan-net', 'localnet'],
    ...['--', 'lsp-set-addresses', 'lan-net', 'unknown', '--', 'lsp-set-options', 'lan-net', 'network_name=lan'],
  );
  await makePortOn('lan', port.port);
  await port.sandbox.add();
  const { ipv4 } = addressesOf(port.port);
  // The kernel need not have VLAN devices: what leaves the NIC says enough.
  const capture = run('timeout', ['5', 'tcpdump', '-c', '1', '-nei', 'lan', 'vlan', '5', 'and', 'arp'], {
    netns: router,
  });
  await run('ping', ['-c', '2', '-W', '1', '10.244.0.1'], { netns: port.sandbox.netns }).catch(() => '');
  expect(await capture).toMatch(new RegExp(`vlan 5.*tell ${ipv4.replaceAll('.', '\\.')}`));
});

test('when the network is not configured any more, NIC, addresses and routes are as they were', async () => {
  await restartAgent({});
  expect(await shown('eth1')).toContain('198.51.100.7/24');
  expect(await routes()).toContain('via 198.51.100.1 dev eth1');
  expect(await node().vsctl('list-br')).not.toContain('br-lan');
  expect(await ping(router, '198.51.100.7', 3)).toContain(' 0% packet loss');
  await expect
    .poll(() => node().vsctl('get', 'Open_vSwitch', '.', 'external_ids:ovn-bridge-mappings'), { timeout: 30_000 })
    .toBe('""\n');
});

async function makePortOn(logicalSwitch: string, port: HandWrittenPort): Promise<void> {
  const { mac, ipv4 } = addressesOf(port);
  const ids = {
    'hawser:owner': port.name,
    'hawser:uid': port.uid,
    'hawser:attach': port.attach,
    'hawser:gateways': '10.244.0.1/16',
    'hawser:mtu': '1400',
    ...Object.fromEntries((port.pods ?? []).map((uid) => [`hawser:pod:${uid}`, 'eth0'])),
  };
  await bed.topology.nbctl(
    ...['lsp-add', logicalSwitch, port.name, '--', 'lsp-set-addresses', port.name, `${mac} ${ipv4}`],
    ...['--', 'lsp-set-options', port.name, 'requested-chassis=node-a', '--', 'set', 'Logical_Switch_Port', port.name],
    ...Object.entries(ids).map(([key, value]) => `external_ids:${JSON.stringify(key)}=${JSON.stringify(value)}`),
  );
}
