import { describe, expect, test } from 'vitest';
import type { Replay } from '#controller/replay.ts';
import { freshReplay } from '../recordings.ts';

type Json = Readonly<Record<string, unknown>>;

function put(replay: Replay, kind: string, object: Json): void {
  replay.apply({ type: 'MODIFIED', kind, object });
}

function remove(replay: Replay, kind: string, object: Json): void {
  replay.apply({ type: 'DELETED', kind, object });
}

const network = (name: string, ...subnets: string[]): Json => ({
  metadata: { name, uid: `net-${name}` },
  spec: { topology: 'overlay', role: 'primary', subnets },
});

const pod = (name: string, uid = `uid-${name}`): Json => ({
  metadata: { namespace: 'default', name, uid },
  spec: { nodeName: 'node-a' },
});

const vm = (name: string, annotations: Json = {}, uid = `vm-${name}`): Json => ({
  metadata: { namespace: 'default', name, uid, annotations },
  spec: { template: { spec: { domain: { devices: {} } } } },
});

const vmi = (name: string, { vmUid = `vm-${name}`, macAddress = undefined as string | undefined } = {}): Json => ({
  metadata: {
    namespace: 'default',
    name,
    uid: `vmi-${vmUid}`,
    ownerReferences: [{ kind: 'VirtualMachine', name, uid: vmUid, controller: true }],
  },
  spec: {
    networks: [{ name: 'default', pod: {} }],
    domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' }, macAddress }] } },
  },
  status: { phase: 'Running', nodeName: 'node-a' },
});

async function addresses(replay: Replay): Promise<Readonly<Record<string, unknown>>> {
  const ports = [...(await replay.rows())].filter(([name]) => /^Logical_Switch_Port\/(vm|pod)\//.test(name));
  return Object.fromEntries(
    ports.map(([name, { addresses }]) => [name.slice('Logical_Switch_Port/'.length), addresses]),
  );
}

async function sentences(replay: Replay): Promise<readonly string[]> {
  await replay.core.settle();
  return [...replay.core.engine.board.problems(), ...replay.core.allocator.problems].map(({ sentence }) => sentence);
}

describe('a VM', () => {
  test('keeps its addresses while it is stopped, and nobody else is given them', async () => {
    const replay = freshReplay();
    put(replay, 'VirtualMachine', vm('db'));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    const running = await addresses(replay);
    remove(replay, 'VirtualMachineInstance', vmi('db'));
    put(replay, 'Pod', pod('web'));
    expect(await addresses(replay)).toEqual({ 'pod/default/web': ['0a:58:0a:f4:00:03 10.244.0.3 fd00:10:244::3'] });
    put(replay, 'VirtualMachineInstance', vmi('db'));
    expect(await addresses(replay)).toMatchObject(running);
    expect(running).toEqual({ 'vm/default/db': ['0a:58:0a:f4:00:02 10.244.0.2 fd00:10:244::2'] });
  });

  test('gives its addresses back when it is deleted', async () => {
    const replay = freshReplay();
    put(replay, 'ClusterNetwork', network('default', '10.244.0.0/30'));
    put(replay, 'VirtualMachine', vm('db'));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    await replay.rows();
    remove(replay, 'VirtualMachineInstance', vmi('db'));
    remove(replay, 'VirtualMachine', vm('db'));
    put(replay, 'Pod', pod('web'));
    expect(await addresses(replay)).toEqual({ 'pod/default/web': ['0a:58:0a:f4:00:02 10.244.0.2'] });
  });

  test('has the MAC and the addresses its user asked for', async () => {
    const replay = freshReplay();
    const asked = { 'network.kubevirt.io/addresses': '{"default":["10.244.9.9","fd00:10:244::99"]}' };
    put(replay, 'VirtualMachine', vm('db', asked));
    put(replay, 'VirtualMachineInstance', vmi('db', { macAddress: '02:00:00:00:00:AA' }));
    expect(await addresses(replay)).toEqual({ 'vm/default/db': ['02:00:00:00:00:aa 10.244.9.9 fd00:10:244::99'] });
  });

  test('that asks for a taken address is told so, harms nobody, and gets it when it is free', async () => {
    const replay = freshReplay();
    put(replay, 'Pod', pod('web'));
    const before = await addresses(replay);
    put(replay, 'VirtualMachine', vm('db', { 'network.kubevirt.io/addresses': '{"default":["10.244.0.2"]}' }));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    expect(await addresses(replay)).toEqual(before);
    expect(await sentences(replay)).toEqual(['the requested address 10.244.0.2 is taken by pod/default/web']);
    remove(replay, 'Pod', pod('web'));
    expect(await addresses(replay)).toHaveProperty(['vm/default/db', 0], '0a:58:0a:f4:00:02 10.244.0.2 fd00:10:244::3');
    expect(await sentences(replay)).toEqual([]);
  });

  test('that asks for an address outside the network is told so', async () => {
    const replay = freshReplay();
    put(replay, 'VirtualMachine', vm('db', { 'network.kubevirt.io/addresses': '{"default":["192.168.0.2"]}' }));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    expect(await addresses(replay)).toEqual({});
    expect(await sentences(replay)).toEqual(['the requested address 192.168.0.2 is not in the network']);
  });

  test('of the same name as one deleted waits until that one has let go of its claim', async () => {
    const replay = freshReplay();
    put(replay, 'VirtualMachine', vm('db'));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    await replay.rows();
    put(replay, 'VirtualMachine', vm('db', {}, 'vm-second'));
    put(replay, 'VirtualMachineInstance', vmi('db', { vmUid: 'vm-second' }));
    expect(await addresses(replay)).toEqual({});
    expect(await sentences(replay)).toEqual([
      'IPAMClaim default/db.default belongs to VirtualMachine db (vm-db); it has to go before this VirtualMachine can have it',
    ]);
    replay.core.tables.claims.remove('default/db.default');
    expect(await addresses(replay)).toHaveProperty('vm/default/db');
    expect(await sentences(replay)).toEqual([]);
  });
});

describe('a network', () => {
  test('that is exhausted says so, and the next free address goes to whoever waits', async () => {
    const replay = freshReplay();
    put(replay, 'ClusterNetwork', network('default', '10.244.0.0/30'));
    put(replay, 'Pod', pod('a'));
    put(replay, 'Pod', pod('b'));
    expect(Object.keys(await addresses(replay))).toEqual(['pod/default/a']);
    expect(await sentences(replay)).toEqual(['network default has no free IPv4 address left']);
    remove(replay, 'Pod', pod('a'));
    expect(await addresses(replay)).toEqual({ 'pod/default/b': ['0a:58:0a:f4:00:02 10.244.0.2'] });
    expect(await sentences(replay)).toEqual([]);
  });

  test('with a bad subnet is told what is wrong and comes to life when it is mended', async () => {
    const replay = freshReplay();
    put(replay, 'ClusterNetwork', network('default', '10.244.0.0/40'));
    put(replay, 'Pod', pod('a'));
    expect(await addresses(replay)).toEqual({});
    expect(await sentences(replay)).toContain('spec.subnets: "10.244.0.0/40" is not a CIDR such as 10.244.0.0/16');
    put(replay, 'ClusterNetwork', network('default', '10.244.0.0/24'));
    expect(await addresses(replay)).toHaveProperty('pod/default/a');
    expect(await sentences(replay)).toEqual([]);
  });

  test('is that of the namespace when it has one of its own', async () => {
    const replay = freshReplay();
    const own = { ...network('blue', '192.168.7.0/24'), metadata: { namespace: 'default', name: 'blue', uid: 'blue' } };
    put(replay, 'Network', own);
    put(replay, 'Pod', pod('a'));
    expect(await addresses(replay)).toEqual({ 'pod/default/a': ['0a:58:c0:a8:07:02 192.168.7.2'] });
  });
});

test('a pod of the same name as one that is gone is given an address of its own', async () => {
  const replay = freshReplay();
  put(replay, 'Pod', pod('web'));
  await replay.rows();
  remove(replay, 'Pod', pod('web'));
  put(replay, 'Pod', pod('web', 'another'));
  expect(await addresses(replay)).toEqual({ 'pod/default/web': ['0a:58:0a:f4:00:03 10.244.0.3 fd00:10:244::3'] });
});

test('a pod found in the northbound database at the start gets the same addresses again, before anybody else', async () => {
  const replay = freshReplay();
  replay.core.allocator.start(
    new Map([['pod/default/web', { uid: 'uid-web', ips: ['10.244.0.2', 'fd00:10:244::2'] }]]),
  );
  put(replay, 'Pod', pod('a'));
  put(replay, 'Pod', pod('web'));
  expect(await addresses(replay)).toMatchObject({
    'pod/default/a': ['0a:58:0a:f4:00:03 10.244.0.3 fd00:10:244::3'],
    'pod/default/web': ['0a:58:0a:f4:00:02 10.244.0.2 fd00:10:244::2'],
  });
});
