import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, startBed } from './bed.ts';
import { addressesOf, type HandWrittenPort, makePort } from './lab-ports.ts';

let bed: Bed;

beforeAll(async () => {
  bed = await startBed(2, { portTimeoutSeconds: 3 });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

let host = 100;
const vm = (name: string, on: readonly string[]): HandWrittenPort => ({
  name: `vm/default/${name}`,
  uid: randomUUID(),
  attach: 'tap',
  on,
  host: host++,
});

const put = async (node: string, port: string, body?: object) => {
  const answer = await bed.agent(node).send('PUT', `/ports/${port}`, body);
  return { status: answer.status, body: JSON.parse(answer.body) };
};
const del = (node: string, port: string) => bed.agent(node).send('DELETE', `/ports/${port}`);
const tapOn = async (node: string, tap: string) =>
  JSON.parse(await bed.topology.node(node).exec('ip', ['-json', '-details', 'link', 'show', 'dev', tap]))[0];

/** As `ip` shows it: by name where the machine has one for it. */
const nameOfUser = (uid: number) =>
  run('id', ['-nu', String(uid)]).then(
    (name) => name.trim(),
    () => uid,
  );

test('a direct tap is persistent, owned by qemu, with virtio headers, and forwards when PUT answers', async () => {
  const db = vm('db', ['node-a']);
  await makePort(bed.topology, db);
  const answer = await put('node-a', db.name);
  const { mac, ipv4, ipv6 } = addressesOf(db);
  expect(answer).toEqual({
    status: 200,
    body: {
      tap: expect.stringMatching(/^ht[0-9a-f]{12}$/),
      mac,
      mtuBytes: 1400,
      multiQueue: false,
      vnetHdr: true,
      checksumOffload: false,
      addresses: [`${ipv4}/16`, `${ipv6}/64`],
    },
  });
  expect(await tapOn('node-a', answer.body.tap)).toMatchObject({
    mtu: 1400,
    flags: expect.arrayContaining(['UP']),
    linkinfo: {
      info_data: { type: 'tap', vnet_hdr: true, multi_queue: false, persist: true, user: await nameOfUser(107) },
    },
  });
  const installed = await bed.topology
    .node('node-a')
    .vsctl('get', 'Interface', answer.body.tap, 'external_ids:ovn-installed');
  expect(installed.trim()).toBe('"true"');
});

test('source and target of a migration have a tap of one name; each DELETE takes only its own', async () => {
  const moving = vm('moving', ['node-a', 'node-b']);
  await makePort(bed.topology, moving);
  const [source, target] = [await put('node-a', moving.name), await put('node-b', moving.name)];
  expect(target).toEqual(source);
  await bed.topology.nbctl('lsp-set-options', moving.name, 'requested-chassis=node-b');
  expect((await del('node-a', moving.name)).status).toBe(204);
  expect((await del('node-a', moving.name)).status).toBe(204);
  expect(await bed.devices('node-a')).not.toContain(source.body.tap);
  expect(await bed.interfacesFor('node-a', moving.name)).toEqual([]);
  expect(await bed.devices('node-b')).toContain(target.body.tap);
  expect(await bed.interfacesFor('node-b', moving.name)).toEqual([target.body.tap]);
});

test('a repeated PUT changes nothing; with other flags the idle tap is made anew', async () => {
  const queues = vm('queues', ['node-a']);
  await makePort(bed.topology, queues);
  const first = await put('node-a', queues.name);
  const { ifindex } = await tapOn('node-a', first.body.tap);
  expect(await put('node-a', queues.name)).toEqual(first);
  expect((await tapOn('node-a', first.body.tap)).ifindex).toBe(ifindex);
  expect((await put('node-a', queues.name, { multiQueue: true })).body.multiQueue).toBe(true);
  expect((await tapOn('node-a', first.body.tap)).linkinfo.info_data.multi_queue).toBe(true);
});

test('a tap that was lost, as in a reboot, is made and plugged anew by the next PUT', async () => {
  const lost = vm('lost', ['node-a']);
  await makePort(bed.topology, lost);
  const { body } = await put('node-a', lost.name);
  const row = () => bed.topology.node('node-a').vsctl('get', 'Interface', body.tap, '_uuid');
  const before = await row();
  await bed.topology.node('node-a').exec('ip', ['link', 'delete', 'dev', body.tap]);
  expect(await put('node-a', lost.name)).toMatchObject({ status: 200, body: { tap: body.tap } });
  expect(await row()).not.toBe(before);
  expect(await bed.devices('node-a')).toContain(body.tap);
});

test('a port whose name is percent-encoded, or further NIC of a VM, is a port like any other', async () => {
  const blue = { ...vm('two', ['node-a']), name: `vm/default/${'a-long-name.'.repeat(20)}two/blue` };
  await makePort(bed.topology, blue);
  expect((await put('node-a', encodeURIComponent(blue.name))).status).toBe(200);
  expect((await del('node-a', encodeURIComponent(blue.name))).status).toBe(204);
  expect(await bed.interfacesFor('node-a', blue.name)).toEqual([]);
});

test('a port that is not requested here, or not as a tap, is refused with a sentence', async () => {
  const elsewhere = vm('elsewhere', ['node-b']);
  await makePort(bed.topology, elsewhere);
  expect(await put('node-a', elsewhere.name)).toEqual({
    status: 503,
    body: {
      error:
        'port vm/default/elsewhere not yet requested for this node: is its VM to run here, and is the controller running?',
    },
  });
  const managed: HandWrittenPort = { ...vm('managed', ['node-a']), attach: 'managedTap' };
  await makePort(bed.topology, managed);
  expect(await put('node-a', managed.name)).toEqual({
    status: 409,
    body: { error: 'port vm/default/managed is attached as "managedTap", which is made by CNI ADD of its pod' },
  });
  expect((await put('node-b', elsewhere.name, { queues: 4 })).status).toBe(400);
});
