import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, startBed } from './bed.ts';
import { makePort } from './lab-ports.ts';

let bed: Bed;

beforeAll(async () => {
  bed = await startBed(1, { portTimeoutSeconds: 3 });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

test('running pods lose no packet while the agent is killed and started again, and their ports are adopted', async () => {
  const [a, b] = [await bed.pod('node-a'), await bed.pod('node-a')];
  await Promise.all([makePort(bed.topology, a.port), makePort(bed.topology, b.port)]);
  await Promise.all([a.sandbox.add(), b.sandbox.add()]);
  const pinging = run('ping', ['-q', '-i', '0.01', '-c', '150', b.ipv4], { netns: a.sandbox.netns });
  await bed.agent('node-a').daemon.kill('SIGKILL');
  await bed.agent('node-a').daemon.start();
  expect(await pinging).toContain('150 received, 0% packet loss');
  await b.sandbox.call('DEL');
  expect(await bed.interfacesFor('node-a', a.port.name)).toHaveLength(1);
  expect(await bed.interfacesFor('node-a', b.port.name)).toEqual([]);
});

test("a DEL that no agent takes succeeds, and the next agent removes the pod's port", async () => {
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  await a.sandbox.add();
  await bed.agent('node-a').daemon.kill('SIGKILL');
  await a.sandbox.call('DEL');
  await bed.topology.removeNamespace(a.sandbox.netns);
  expect(await bed.interfacesFor('node-a', a.port.name)).toHaveLength(1);
  await bed.agent('node-a').daemon.start();
  await expect.poll(() => bed.interfacesFor('node-a', a.port.name)).toEqual([]);
});

test('an agent that is away refuses ADD, CHECK and STATUS with a sentence, and starts with its old socket there', async () => {
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  await bed.agent('node-a').daemon.kill('SIGKILL');
  const sentence = expect.stringContaining('the node agent does not answer on');
  await expect(a.sandbox.call('ADD')).rejects.toMatchObject({ code: 11, message: sentence });
  await expect(a.sandbox.call('CHECK')).rejects.toMatchObject({ code: 11, message: sentence });
  await expect(a.sandbox.call('STATUS')).rejects.toMatchObject({ code: 50, message: sentence });
  await a.sandbox.call('GC', { 'cni.dev/valid-attachments': [] });
  await bed.agent('node-a').daemon.start();
  await a.sandbox.call('STATUS');
  await a.sandbox.add();
});

test('an ADD that is killed with its agent leaves nothing once its sandbox is gone', async () => {
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  // Frozen, ovn-controller leaves the ADD waiting for ovn-installed.
  const { ovnController } = bed.topology.node('node-a');
  ovnController.signal('SIGSTOP');
  const adding = expect(a.sandbox.call('ADD')).rejects.toMatchObject({ code: 11 });
  await expect.poll(() => bed.interfacesFor('node-a', a.port.name)).toHaveLength(1);
  await bed.agent('node-a').daemon.kill('SIGKILL');
  ovnController.signal('SIGCONT');
  await adding;
  await a.sandbox.call('DEL');
  await bed.topology.removeNamespace(a.sandbox.netns);
  await bed.agent('node-a').daemon.start();
  await expect.poll(() => bed.interfacesFor('node-a', a.port.name)).toEqual([]);
});

test('taps of VMs that went away while the agent was down are removed; requested ones stay', async () => {
  const ports = ['stays', 'goes'].map((name, index) => ({
    name: `vm/default/${name}`,
    uid: randomUUID(),
    attach: 'tap' as const,
    on: ['node-a'],
    host: 200 + index,
  }));
  const taps: string[] = [];
  for (const port of ports) {
    await makePort(bed.topology, port);
    taps.push(JSON.parse((await bed.agent('node-a').send('PUT', `/ports/${port.name}`)).body).tap);
  }
  await bed.agent('node-a').daemon.kill('SIGKILL');
  await bed.topology.nbctl('--wait=sb', 'lsp-del', 'vm/default/goes');
  await bed.agent('node-a').daemon.start();
  await expect.poll(() => bed.devices('node-a')).not.toContain(taps[1]);
  expect(await bed.interfacesFor('node-a', 'vm/default/goes')).toEqual([]);
  expect(await bed.interfacesFor('node-a', 'vm/default/stays')).toEqual([taps[0]]);
});

test('a DELETE that comes the moment an agent listens removes the tap', async () => {
  const agent = bed.agent('node-a');
  const port = { name: 'vm/default/early', uid: randomUUID(), attach: 'tap' as const, on: ['node-a'], host: 210 };
  await makePort(bed.topology, port);
  const { tap } = JSON.parse((await agent.send('PUT', `/ports/${port.name}`)).body);
  await agent.daemon.kill('SIGKILL');
  const starting = agent.daemon.start();
  await expect
    .poll(() => agent.send('DELETE', `/ports/${port.name}`).catch(() => undefined), { interval: 1, timeout: 20_000 })
    .toMatchObject({ status: 204 });
  expect(await bed.devices('node-a')).not.toContain(tap);
  await starting;
});

test("other people's ports on br-int are left alone by everything the agent does", async () => {
  const node = bed.topology.node('node-a');
  await node.vsctl(
    ...[
      'add-port',
      'br-int',
      'theirs',
      '--',
      'set',
      'Interface',
      'theirs',
      'type=internal',
      'external_ids:iface-id=theirs',
    ],
    ...['external_ids:"hawser:pod"=somebody', '--', 'add-port', 'br-int', 'nodevice'],
  );
  await bed.agent('node-a').daemon.kill('SIGTERM');
  await bed.agent('node-a').daemon.start();
  const a = await bed.pod('node-a');
  await a.sandbox.call('GC', { 'cni.dev/valid-attachments': [] });
  await a.sandbox.call('DEL');
  expect((await node.vsctl('list-ports', 'br-int')).split('\n')).toEqual(
    expect.arrayContaining(['theirs', 'nodevice']),
  );
});

test('a port that nobody requests is refused with the sentence that a user gets to read', async () => {
  const a = await bed.pod('node-a');
  await expect(a.sandbox.add()).rejects.toMatchObject({
    code: 100,
    message: `CNI ADD: port default/${a.sandbox.name} not yet requested for this node: is it scheduled here, and is the controller running?`,
  });
  await makePort(bed.topology, { ...a.port, externalIds: { 'hawser:mtu': 'jumbo' } });
  await expect(a.sandbox.add()).rejects.toMatchObject({
    code: 100,
    message: expect.stringContaining('hawser:mtu is "jumbo"'),
  });
  expect(await bed.interfacesFor('node-a', a.port.name)).toEqual([]);
});

test('a chassis that is made anew under the same name is followed', async () => {
  const node = bed.topology.node('node-a');
  await node.ovnController.kill('SIGTERM');
  await bed.topology.sbctl('chassis-del', 'node-a');
  await node.ovnController.start();
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  await a.sandbox.add();
  await a.sandbox.call('STATUS');
});

test('a setting of the chassis that somebody changes is put right', async () => {
  const node = bed.topology.node('node-a');
  await node.vsctl(
    'set',
    'Open_vSwitch',
    '.',
    'external_ids:ovn-encap-ip=192.0.2.250',
    '--',
    'set-fail-mode',
    'br-int',
    'standalone',
  );
  await expect.poll(() => node.vsctl('get', 'Open_vSwitch', '.', 'external_ids:ovn-encap-ip')).toContain(node.encapIp);
  expect(await node.vsctl('get-fail-mode', 'br-int')).toContain('secure');
});
