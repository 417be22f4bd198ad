import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '#test/lab/topology/command.ts';
import type { Topology } from '#test/lab/topology/topology.ts';
import { type Bed, type BedPod, startBed } from './bed.ts';
import { startInNamespace } from './in-namespace.ts';
import { addressesOf, type HandWrittenPort, makePort } from './lab-ports.ts';

let bed: Bed;
let pod: BedPod;

const nodePort = (node: string, host: number): HandWrittenPort => ({
  name: `node/${node}`,
  uid: node,
  attach: 'management',
  on: [node],
  host,
  externalIds: { 'hawser:routes': '10.245.0.0/16,10.244.0.1 fd00:10:245::/64,fd00:10:244::1' },
});

/** As the controller writes it: no port security, and the node's own address routed to the port. */
async function makeNodePort(topology: Topology, node: string, host: number): Promise<void> {
  const port = nodePort(node, host);
  await makePort(topology, port);
  await topology.nbctl('--', 'lsp-set-port-security', port.name);
  await topology.nbctl('lr-route-add', 'router', `${topology.node(node).encapIp}/32`, addressesOf(port).ipv4);
}

beforeAll(async () => {
  bed = await startBed(2, { managementPort: 'hawser0' }, async (topology) => {
    await makeNodePort(topology, 'node-a', 3);
    await makeNodePort(topology, 'node-b', 4);
  });
  pod = await bed.pod('node-b');
  await makePort(bed.topology, pod.port);
  await pod.sandbox.add();
});
afterAll(() => bed?.[Symbol.asyncDispose]());

const patient = { timeout: 30_000 };
const ping = (netns: string, address: string, count = 3) =>
  run('ping', ['-q', '-c', String(count), '-i', '0.02', '-W', '1', address], { netns });
const nodeNetns = (name: string) => bed.topology.node(name).netns;
const shown = async (node: string): Promise<string> =>
  await bed.topology
    .node(node)
    .exec('ip', ['-br', 'address', 'show', 'dev', 'hawser0'])
    .catch(() => 'no device');

test('a node reaches pods of its own and of other nodes on v4 and v6, as kubelet does for its probes', async () => {
  for (const node of ['node-a', 'node-b']) {
    expect(await ping(nodeNetns(node), pod.ipv4)).toContain(' 0% packet loss');
    expect(await ping(nodeNetns(node), pod.ipv6)).toContain(' 0% packet loss');
  }
});

test("pods reach their node and others at the nodes' own addresses, without translation", async () => {
  for (const node of ['node-a', 'node-b']) {
    expect(await ping(pod.sandbox.netns, bed.topology.node(node).encapIp)).toContain(' 0% packet loss');
  }
  const program = `require('net').createServer((c) => c.end(c.remoteAddress)).listen(9, '::', () => console.log('listening'))`;
  await using server = await startInNamespace(nodeNetns('node-a'), program);
  await server.said('listening');
  const client = `require('net').connect(9, '${bed.topology.node('node-a').encapIp}').pipe(process.stdout)`;
  expect(await run(process.execPath, ['-e', client], { netns: pod.sandbox.netns })).toBe(`::ffff:${pod.ipv4}`);
});

test('the rest of the network is routed through the port, and nothing else', async () => {
  const routes = await bed.topology.node('node-a').exec('ip', ['route', 'show', 'dev', 'hawser0']);
  expect(routes.trim().split(/\s*\n/)).toEqual([
    '10.244.0.0/16 proto kernel scope link src 10.244.0.3',
    '10.245.0.0/16 via 10.244.0.1',
  ]);
  expect(await bed.topology.node('node-a').exec('ip', ['-6', 'route', 'show', 'dev', 'hawser0'])).toMatch(
    /^fd00:10:245::\/64 via fd00:10:244::1 /m,
  );
});

test('no packet between node and pod is lost while the agent is killed and started again', async () => {
  const pinging = ping(nodeNetns('node-a'), pod.ipv4, 150);
  await bed.agent('node-a').daemon.kill('SIGKILL');
  await bed.agent('node-a').daemon.start();
  expect(await pinging).toContain('150 received, 0% packet loss');
});

test('a port that somebody deleted is made again', async () => {
  await bed.topology.node('node-a').exec('ip', ['link', 'delete', 'hawser0']);
  await expect.poll(() => shown('node-a'), patient).toContain('10.244.0.3/16');
  await expect.poll(() => ping(nodeNetns('node-a'), pod.ipv4).catch(() => ''), patient).toContain(' 0% packet loss');
});

test('another address is taken over; a node that is none any more has no port, and its agent says so', async () => {
  const moved = addressesOf({ host: 9 });
  await bed.topology.nbctl('lsp-set-addresses', 'node/node-a', `${moved.mac} ${moved.ipv4} ${moved.ipv6}`);
  await expect.poll(() => shown('node-a'), patient).toContain('10.244.0.9/16');
  expect(await shown('node-a')).not.toContain('10.244.0.3');
  await expect.poll(() => ping(nodeNetns('node-a'), pod.ipv6).catch(() => ''), patient).toContain(' 0% packet loss');

  await bed.topology.nbctl('lsp-del', 'node/node-a');
  await expect.poll(() => shown('node-a'), patient).toBe('no device');
  expect(await bed.interfacesFor('node-a', 'node/node-a')).toEqual([]);
  expect(await bed.agent('node-a').send('GET', '/healthz')).toMatchObject({
    status: 503,
    body: expect.stringContaining('management port'),
  });
});

test('the agent tells what its tunnels carry', async () => {
  // 9,000 bytes of the underlay, less 58 for Geneve over IPv4.
  const { body } = await bed.agent('node-b').send('GET', '/metrics');
  expect(body).toMatch(/^hawser_tunnel_mtu_bytes 8942$/m);
  expect(body).toMatch(/^hawser_ports_above_tunnel_mtu 0$/m);
});
