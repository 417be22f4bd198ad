import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, startBed } from './bed.ts';
import { startInNamespace } from './in-namespace.ts';
import { makePort } from './lab-ports.ts';

let bed: Bed;

beforeAll(async () => {
  bed = await startBed(2);
});
afterAll(() => bed?.[Symbol.asyncDispose]());

const ping = (netns: string, address: string) => run('ping', ['-c', '3', '-i', '0.01', '-W', '1', address], { netns });

test('pods on two nodes reach each other on v4 and v6 from their first packet, with checksums that TCP accepts', async () => {
  const [a, b] = [await bed.pod('node-a'), await bed.pod('node-b')];
  await Promise.all([makePort(bed.topology, a.port), makePort(bed.topology, b.port)]);
  const [result] = await Promise.all([a.sandbox.add(), b.sandbox.add()]);
  expect(result).toMatchObject({
    cniVersion: '1.1.0',
    ips: [{ address: `${a.ipv4}/16` }, { address: `${a.ipv6}/64` }],
    interfaces: [{}, { name: 'eth0', mac: a.mac, mtu: 1400 }],
  });
  expect(await ping(a.sandbox.netns, b.ipv4)).toContain(' 0% packet loss');
  expect(await ping(a.sandbox.netns, b.ipv6)).toContain(' 0% packet loss');
  expect(await tcpGreeting(b.sandbox.netns, a.sandbox.netns, b.ipv4)).toBe('a'.repeat(50_000));
  expect(await tcpGreeting(b.sandbox.netns, a.sandbox.netns, b.ipv6)).toBe('a'.repeat(50_000));
});

test('ADD waits for a port that is not requested yet, and is answered by its row', async () => {
  const a = await bed.pod('node-a');
  const adding = a.sandbox.add();
  await makePort(bed.topology, a.port);
  expect((await adding).ips.map(({ address }) => address)).toEqual([`${a.ipv4}/16`, `${a.ipv6}/64`]);
});

test.each(['managedTap', 'podTap'] as const)(
  "a launcher pod's NIC never says a word before the guest does: %s",
  async (attach) => {
    const vm = await bed.pod('node-a', { name: `vm/default/mute-${attach.toLowerCase()}`, attach });
    const observer = await bed.pod('node-b');
    await Promise.all([makePort(bed.topology, vm.port), makePort(bed.topology, observer.port)]);
    const [result] = await Promise.all([vm.sandbox.add(), observer.sandbox.add()]);
    expect(result.ips.map(({ address }) => address)).toEqual([`${vm.ipv4}/16`, `${vm.ipv6}/64`]);

    // Two seconds of being asked: longer than DAD, MLD reports and router solicitations take to come.
    const asked = (address: string) =>
      run('ping', ['-c', '20', '-i', '0.1', '-W', '0.1', address], { netns: observer.sandbox.netns }).catch(() => {});
    await Promise.all([asked(vm.ipv4), asked(vm.ipv6)]);
    expect(await packetsFrom('node-a', result.interfaces[0]?.name ?? '')).toBe(0);
    const nic = await run('ip', ['-n', vm.sandbox.netns, '-json', 'address', 'show', 'eth0']).then(JSON.parse);
    expect(nic).toMatchObject([
      { address: vm.mac, mtu: 1400, flags: expect.arrayContaining(['NOARP', 'UP']), addr_info: [] },
    ]);
  },
);

test('the launcher of a VM in masquerade or passt has the address on its NIC, and the target of a migration has the same', async () => {
  const source = await bed.pod('node-a', { name: 'vm/default/masqueraded' });
  const [target, observer] = [await bed.pod('node-b'), await bed.pod('node-b')];
  await makePort(bed.topology, { ...source.port, pods: [source.sandbox.uid, target.sandbox.uid] });
  await makePort(bed.topology, observer.port);
  const [before] = await Promise.all([source.sandbox.add(), observer.sandbox.add()]);
  expect(await ping(observer.sandbox.netns, source.ipv4)).toContain(' 0% packet loss');
  await bed.topology.nbctl('lsp-set-options', source.port.name, 'requested-chassis=node-a,node-b');
  const after = await target.sandbox.add();
  expect([after.ips, after.interfaces[1]?.mac]).toEqual([before.ips, before.interfaces[1]?.mac]);
  await bed.topology.nbctl('--wait=hv', 'lsp-set-options', source.port.name, 'requested-chassis=node-b');
  await source.sandbox.call('DEL');
  // OVN moves the port at its own time, and a packet may meet that.
  for (const address of [source.ipv4, source.ipv6]) {
    await expect.poll(() => ping(observer.sandbox.netns, address).catch(String)).toContain(' 0% packet loss');
  }
});

test('unplugging a podTap takes its tap along while the sandbox goes on', async () => {
  const vm = await bed.pod('node-a', { name: 'vm/default/tapped', attach: 'podTap' });
  await makePort(bed.topology, vm.port);
  await vm.sandbox.add();
  await vm.sandbox.add();
  expect(await run('ip', ['-br', 'link'], { netns: vm.sandbox.netns })).toMatch(/^tap0 /m);
  await vm.sandbox.call('DEL');
  expect(await run('ip', ['-br', 'link'], { netns: vm.sandbox.netns })).not.toMatch(/tap0|eth0/);
});

test('DEL removes what ADD made, succeeds when repeated, and leaves the port requested', async () => {
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  const { interfaces } = await a.sandbox.add();
  const hostDevice = interfaces[0]?.name ?? '';
  expect(await bed.devices('node-a')).toContain(hostDevice);
  expect(await bed.interfacesFor('node-a', a.port.name)).toEqual([hostDevice]);
  await a.sandbox.call('DEL');
  await a.sandbox.call('DEL');
  expect(await bed.devices('node-a')).not.toContain(hostDevice);
  expect(await bed.interfacesFor('node-a', a.port.name)).toEqual([]);
  expect((await a.sandbox.add()).interfaces[0]?.name).toBe(hostDevice);
});

test('a DEL of an old sandbox leaves alone what a new one of the same VM has plugged', async () => {
  const first = await bed.pod('node-a', { name: 'vm/default/restarted', attach: 'managedTap' });
  const second = await bed.pod('node-a');
  await makePort(bed.topology, { ...first.port, pods: [first.sandbox.uid, second.sandbox.uid] });
  await first.sandbox.add();
  const { interfaces } = await second.sandbox.add();
  expect(await bed.interfacesFor('node-a', 'vm/default/restarted')).toEqual([interfaces[0]?.name]);
  await first.sandbox.call('DEL');
  expect(await bed.interfacesFor('node-a', 'vm/default/restarted')).toEqual([interfaces[0]?.name]);
});

test('ADD repeated for the same sandbox ends as the first did, and forwards', async () => {
  const [a, b] = [await bed.pod('node-a'), await bed.pod('node-b')];
  await makePort(bed.topology, a.port);
  await makePort(bed.topology, b.port);
  await b.sandbox.add();
  for (const result of [await a.sandbox.add(), await a.sandbox.add(), await a.sandbox.add()]) {
    expect(result.ips[0]?.address).toBe(`${a.ipv4}/16`);
  }
  // The other chassis hears that the port left and came back; until it has done both, it may forward and then not.
  await expect
    .poll(() => ping(a.sandbox.netns, b.ipv4).catch(() => ''), { timeout: 30_000 })
    .toContain(' 0% packet loss');
  expect(await bed.interfacesFor('node-a', a.port.name)).toHaveLength(1);
  await a.sandbox.call('CHECK', { prevResult: await a.sandbox.add() });
});

test('CHECK names what is not as ADD left it', async () => {
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  const prevResult = await a.sandbox.add();
  await a.sandbox.call('CHECK', { prevResult });
  await run('ip', ['-n', a.sandbox.netns, 'address', 'del', `${a.ipv4}/16`, 'dev', 'eth0']);
  await expect(a.sandbox.call('CHECK', { prevResult })).rejects.toMatchObject({
    code: 103,
    message: expect.stringContaining(`address ${a.ipv4}/16 is missing`),
  });
  await a.sandbox.call('DEL');
  await expect(a.sandbox.call('CHECK', { prevResult })).rejects.toMatchObject({ code: 103 });
});

test('GC removes the attachments the runtime no longer knows, of its own network only', async () => {
  const [kept, lost, foreign] = [await bed.pod('node-a'), await bed.pod('node-a'), await bed.pod('node-a')];
  for (const { port } of [kept, lost, foreign]) await makePort(bed.topology, port);
  await Promise.all([kept.sandbox.add({ name: 'gc' }), lost.sandbox.add({ name: 'gc' }), foreign.sandbox.add()]);
  const valid = [{ containerID: kept.sandbox.containerId, ifname: 'eth0' }];
  await kept.sandbox.call('GC', { name: 'gc', 'cni.dev/valid-attachments': valid });
  expect(await bed.interfacesFor('node-a', kept.port.name)).toHaveLength(1);
  expect(await bed.interfacesFor('node-a', lost.port.name)).toHaveLength(0);
  expect(await bed.interfacesFor('node-a', foreign.port.name)).toHaveLength(1);
});

test('twenty ADDs at once are all served, none waiting for a port that is not requested', async () => {
  const waiting = await bed.pod('node-a');
  const unserved = waiting.sandbox.add();
  const pods = [];
  for (let index = 0; index < 20; index++) pods.push(await bed.pod('node-a'));
  for (const { port } of pods) await makePort(bed.topology, port);
  const results = await Promise.all(pods.map(({ sandbox }) => sandbox.add()));
  expect(results.map(({ ips }) => ips[0]?.address)).toEqual(pods.map(({ ipv4 }) => `${ipv4}/16`));
  await makePort(bed.topology, waiting.port);
  await unserved;
});

test('an interface name that is taken is refused, and nothing is left behind', async () => {
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  await run('ip', ['-n', a.sandbox.netns, 'link', 'add', 'eth0', 'type', 'bridge']);
  const before = await bed.devices('node-a');
  await expect(a.sandbox.add()).rejects.toMatchObject({ code: 4, message: expect.stringContaining('CNI_IFNAME') });
  expect(await bed.devices('node-a')).toEqual(before);
  expect(await bed.interfacesFor('node-a', a.port.name)).toEqual([]);
  expect(await run('ip', ['-n', a.sandbox.netns, '-d', 'link', 'show', 'eth0'])).toContain('bridge');
});

test('a network namespace that is gone is an unknown container', async () => {
  const a = await bed.pod('node-a');
  await makePort(bed.topology, a.port);
  await bed.topology.removeNamespace(a.sandbox.netns);
  await expect(a.sandbox.add()).rejects.toMatchObject({ code: 3, message: expect.stringContaining(a.sandbox.netns) });
  await a.sandbox.call('DEL');
});

/** What a client in one namespace gets over TCP from a server in another. */
async function tcpGreeting(serverNetns: string, clientNetns: string, address: string): Promise<string> {
  const server = `require('net').createServer((c) => c.end('a'.repeat(50000))).listen(7, '::', () => console.log('listening'))`;
  const client = `setTimeout(() => process.exit(1), 5000).unref(); require('net').connect(7, '${address}').pipe(process.stdout)`;
  await using running = await startInNamespace(serverNetns, server);
  await running.said('listening');
  return await run(process.execPath, ['-e', client], { netns: clientNetns });
}

/** How many packets a node's end of a veth pair received: what the pod sent. */
async function packetsFrom(node: string, device: string): Promise<number> {
  const shown = await bed.topology.node(node).exec('ip', ['-json', '-statistics', 'link', 'show', 'dev', device]);
  return JSON.parse(shown)[0].stats64.rx.packets;
}
