import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBridgedHosts } from '#test/lab/qemu/bridged-hosts.ts';
import { run } from '#test/lab/topology/command.ts';
import { AgentRefused, attachDirectTap } from '#test/lab/virt/attachments/direct-tap.ts';
import { attachManagedTap } from '#test/lab/virt/attachments/managed-tap.ts';
import type { Node, Pod } from '#test/lab/virt/objects.ts';
import { nodeFor } from '#test/lab/virt/scheduler.ts';

test('managedTap puts the NIC and a tap in one bridge and leaves a silent device in its place, as netpod does', async () => {
  await using hosts = await startBridgedHosts(['a']);
  const netns = hosts.netnsOf('pod');
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-batch', '-'], {
    netns,
    input: [
      'link add eth0 type veth peer name peer',
      'link set eth0 address 02:48:57:00:00:07 mtu 1400 up',
      'addr add 10.244.0.7/16 dev eth0',
    ].join('\n'),
  });

  expect(await attachManagedTap(netns)).toMatchObject({ tap: 'tap0', netns, mac: '02:48:57:00:00:07' });

  const links = JSON.parse(await run('ip', ['-json', '-details', 'addr', 'show'], { netns }));
  const link = (name: string) => links.find(({ ifname }: { ifname: string }) => ifname === name);
  expect(link('k6t-eth0')).toMatchObject({ flags: expect.arrayContaining(['UP']), linkinfo: { info_kind: 'bridge' } });
  expect(link('eth0-nic')).toMatchObject({
    ...{ mtu: 1400, master: 'k6t-eth0', addr_info: [] },
    ...{ flags: expect.arrayContaining(['UP']), linkinfo: { info_slave_data: { learning: false } } },
  });
  // The bridge must not take the guest's frames for its own.
  expect(link('eth0-nic').address).not.toBe('02:48:57:00:00:07');
  expect(link('k6t-eth0').address).not.toBe('02:48:57:00:00:07');
  expect(link('tap0')).toMatchObject({
    ...{ mtu: 1400, master: 'k6t-eth0', flags: expect.arrayContaining(['UP']) },
    linkinfo: { info_data: { type: 'tap', vnet_hdr: true } },
  });
  expect(link('eth0')).toMatchObject({
    ...{ address: '02:48:57:00:00:07', mtu: 1400, operstate: 'DOWN' },
    addr_info: [{ local: '10.244.0.7', prefixlen: 16 }],
  });
});

test('a direct tap is asked of the node agent by the name of its logical switch port, and given back', async () => {
  await using agent = await startAgent((method) =>
    method === 'PUT' ? [200, '{"tap": "hwt1", "mac": "02:48:57:00:00:08", "mtuBytes": 1400}'] : [204, ''],
  );
  const attachment = await attachDirectTap(agent.socket, 'vm/default/db', 'node-a');
  expect(attachment).toMatchObject({ tap: 'hwt1', mac: '02:48:57:00:00:08', netns: 'node-a' });
  await attachment.detach();
  expect(agent.requests).toEqual(['PUT /ports/vm%2Fdefault%2Fdb', 'DELETE /ports/vm%2Fdefault%2Fdb']);
});

test("an agent's refusal is told in its own words", async () => {
  await using agent = await startAgent(() => [503, '{"error": "not yet requested for this node"}']);
  const refused = attachDirectTap(agent.socket, 'vm/default/db', 'node-a');
  await expect(refused).rejects.toThrow(AgentRefused);
  await expect(refused).rejects.toThrow(/not yet requested/);
});

test('a pod goes where its selector and its anti-affinity let it, to the emptiest node', () => {
  const nodes = [node('a', { zone: '1' }), node('b', { zone: '1' }), node('c', { zone: '2' })];
  const onA = pod('one', { app: 'db' }, { nodeName: 'a' });
  expect(nodeFor(pod('two', {}, {}), nodes, [onA])).toBe('b');
  expect(nodeFor(pod('two', {}, { nodeSelector: { zone: '2' } }), nodes, [onA])).toBe('c');
  expect(nodeFor(pod('two', {}, { nodeSelector: { 'kubernetes.io/hostname': 'a' } }), nodes, [onA])).toBe('a');
  const apart = { affinity: awayFrom({ app: 'db' }), nodeSelector: { 'kubernetes.io/hostname': 'a' } };
  expect(nodeFor(pod('two', {}, apart), nodes, [onA])).toBeUndefined();
  const ended = { ...onA, status: { phase: 'Succeeded' as const } };
  expect(nodeFor(pod('two', {}, apart), nodes, [ended])).toBe('a');
});

function awayFrom(matchLabels: Record<string, string>): NonNullable<Pod['spec']['affinity']> {
  const term = { labelSelector: { matchLabels }, topologyKey: 'kubernetes.io/hostname' };
  return { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
}

function node(name: string, labels: Record<string, string>): Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { ...metadata(name), labels } };
}

function pod(name: string, labels: Record<string, string>, spec: Partial<Pod['spec']>): Pod {
  const containers = [{ name: 'compute' }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata(name), labels }, spec: { containers, ...spec } };
}

function metadata(name: string): Pod['metadata'] {
  return { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: '2026-11-21T05:21:56Z' };
}

async function startAgent(answer: (method: string) => [number, string]) {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-agent-'));
  const socket = join(folder, 'agent');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const [status, body] = answer(request.method ?? '');
    response.writeHead(status).end(body);
  }).listen(socket);
  await once(server, 'listening');
  return {
    socket,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}
