import { describe, expect, test } from 'vitest';
import { Core } from '#controller/core.ts';
import { trimClusterNetwork } from '#controller/kube/objects/network.ts';
import { trimPod } from '#controller/kube/objects/pod.ts';
import { freshReplay } from '../recordings.ts';
import { addresses, asking, type Json, network, pod, put, remove, sentences, vm, vmi } from './objects.ts';

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

  test('that asks for an address outside the network gets what it asks for when the network has grown around it', async () => {
    const replay = freshReplay();
    put(replay, 'Pod', pod('web'));
    put(replay, 'VirtualMachine', vm('db', { 'network.kubevirt.io/addresses': '{"default":["10.245.0.9"]}' }));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    const before = await addresses(replay);
    put(
      replay,
      'ClusterNetwork',
      network('default', '10.244.0.0/16', 'fd00:10:244::/64', '10.245.0.0/16', 'fd00:10:245::/64'),
    );
    expect(await addresses(replay)).toEqual({
      ...before,
      'vm/default/db': ['0a:58:0a:f5:00:09 10.245.0.9 fd00:10:245::2'],
    });
    expect(await sentences(replay)).toEqual([]);
  });

  test('whose request cannot be understood is given nothing, and is given what it meant when that is mended', async () => {
    const replay = freshReplay();
    put(replay, 'VirtualMachine', vm('db', { 'network.kubevirt.io/addresses': '{"default":["10.244.0.300"]}' }));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    expect(await addresses(replay)).toEqual({});
    expect(await sentences(replay)).toEqual([
      'network.kubevirt.io/addresses[default] should be IP addresses, not "10.244.0.300"',
    ]);
    put(replay, 'VirtualMachine', vm('db', { 'network.kubevirt.io/addresses': '{"default":["10.244.0.30"]}' }));
    expect(await addresses(replay)).toHaveProperty(
      ['vm/default/db', 0],
      '0a:58:0a:f4:00:1e 10.244.0.30 fd00:10:244::2',
    );
    expect(await sentences(replay)).toEqual([]);
  });

  test('has what the NetworkSelectionElement of its template asks for, and what KubeVirt has words of its own for comes first', async () => {
    const replay = freshReplay();
    const annotations = asking({ ips: ['10.244.9.9/16', 'fd00:10:244::99'], mac: '02:00:00:00:00:AA' });
    put(replay, 'VirtualMachineInstance', vmi('first', { annotations }));
    put(replay, 'VirtualMachine', vm('second', { 'network.kubevirt.io/addresses': '{"default":["10.244.9.8"]}' }));
    put(replay, 'VirtualMachineInstance', vmi('second', { annotations, macAddress: '02:00:00:00:00:bb' }));
    expect(await addresses(replay)).toEqual({
      'vm/default/first': ['02:00:00:00:00:aa 10.244.9.9 fd00:10:244::99'],
      'vm/default/second': ['02:00:00:00:00:bb 10.244.9.8 fd00:10:244::2'],
    });
  });

  test('whose claim has an address of another claim has no port until that one has gone', async () => {
    const replay = freshReplay();
    put(replay, 'VirtualMachine', vm('db'));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    put(replay, 'Pod', pod('web'));
    const before = await addresses(replay);
    const [claim] = replay.core.tables.claims.rows().values();
    if (claim === undefined) throw new Error('the VM has no claim');
    const copy = { ...claim, name: 'copy.default', owner: { kind: 'VirtualMachine', name: 'copy', uid: 'vm-copy' } };
    replay.core.tables.claims.put('default/copy.default', copy);
    put(replay, 'VirtualMachine', vm('copy'));
    put(replay, 'VirtualMachineInstance', vmi('copy'));
    expect(await addresses(replay)).toEqual(before);
    expect(await sentences(replay)).toEqual([
      '10.244.0.3/20 and fd00:10:244::3/68 of IPAMClaim default/copy.default: 10.244.0.3 is taken by IPAMClaim default/db.default',
    ]);
    remove(replay, 'VirtualMachineInstance', vmi('db'));
    remove(replay, 'VirtualMachine', vm('db'));
    expect(await addresses(replay)).toEqual({
      'pod/default/web': before['pod/default/web'],
      'vm/default/copy': before['vm/default/db'],
    });
    expect(await sentences(replay)).toEqual([]);
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

describe('a pod', () => {
  test('has the addresses and the MAC its NetworkSelectionElement asks for, and keeps them when it is edited', async () => {
    const replay = freshReplay();
    const element = { ips: ['10.244.7.7'], mac: '02-00-00-00-00-07' };
    put(replay, 'Pod', pod('web', 'uid-web', asking(element)));
    const asked = await addresses(replay);
    expect(asked).toEqual({ 'pod/default/web': ['02:00:00:00:00:07 10.244.7.7 fd00:10:244::2'] });
    put(replay, 'Pod', pod('web', 'uid-web', asking({ ...element, ips: ['10.244.8.8'] })));
    expect(await addresses(replay)).toEqual(asked);
  });

  test.each([
    [{ ips: ['10.244.0.2'] }, 'the requested address 10.244.0.2 is taken by pod/default/first'],
    [{ ips: ['10.244.0.0'] }, 'the requested address 10.244.0.0 is taken by the address of the subnet itself'],
    [{ ips: ['10.244.0.1'] }, "the requested address 10.244.0.1 is taken by the network's gateway"],
    [{ ips: ['192.168.0.1'] }, 'the requested address 192.168.0.1 is not in the network'],
    [
      { ips: ['10.244.0.5', '10.244.0.6'] },
      'v1.multus-cni.io/default-network: ips should be at most one address of each family, not ["10.244.0.5","10.244.0.6"]',
    ],
    [
      { mac: '01:00:5e:00:00:01' },
      'v1.multus-cni.io/default-network: mac should be a unicast MAC such as 02:00:00:00:00:01, not "01:00:5e:00:00:01"',
    ],
  ])('that asks for %j is told why it cannot have it, and harms nobody', async (element, sentence) => {
    const replay = freshReplay();
    put(replay, 'Pod', pod('first'));
    const before = await addresses(replay);
    put(replay, 'Pod', pod('web', 'uid-web', asking(element)));
    expect(await addresses(replay)).toEqual(before);
    expect(await sentences(replay)).toEqual([sentence]);
    put(replay, 'Pod', pod('web'));
    expect(Object.keys(await addresses(replay))).toEqual(['pod/default/first', 'pod/default/web']);
    expect(await sentences(replay)).toEqual([]);
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

test('an address goes to whoever still waits for it when the first in the queue has gone to another network', async () => {
  const replay = freshReplay();
  put(replay, 'ClusterNetwork', network('default', '10.244.0.0/30'));
  const elsewhere = (name: string): Json => ({
    metadata: { namespace: 'other', name, uid: `uid-${name}` },
    spec: { nodeName: 'node-a' },
  });
  for (const name of ['a', 'b']) put(replay, 'Pod', pod(name));
  put(replay, 'Pod', elsewhere('c'));
  expect(Object.keys(await addresses(replay))).toEqual(['pod/default/a']);
  const own = { ...network('blue', '192.168.7.0/24'), metadata: { namespace: 'default', name: 'blue', uid: 'blue' } };
  put(replay, 'Network', own);
  expect(await addresses(replay)).toEqual({
    'pod/default/a': ['0a:58:c0:a8:07:02 192.168.7.2'],
    'pod/default/b': ['0a:58:c0:a8:07:03 192.168.7.3'],
    'pod/other/c': ['0a:58:0a:f4:00:02 10.244.0.2'],
  });
});

test('a MAC is of one NIC of a network: the next one is told who has it, and has it when that one has gone', async () => {
  const replay = freshReplay();
  const macAddress = '02:00:00:00:00:01';
  put(replay, 'VirtualMachineInstance', vmi('first', { macAddress }));
  await addresses(replay);
  put(replay, 'Pod', pod('web', 'uid-web', asking({ mac: macAddress })));
  put(replay, 'Pod', pod('thief', 'uid-thief', asking({ mac: '0a:58:0a:f4:00:02' })));
  const before = Object.keys(await addresses(replay));
  expect(before).toEqual(['vm/default/first']);
  expect([...(await sentences(replay))].sort()).toEqual([
    'the MAC 02:00:00:00:00:01 is taken by vm/default/first',
    'the MAC 0a:58:0a:f4:00:02 is one that Hawser makes of another address of the network; ask for one that does not begin with 0a:58 or 0a:59',
  ]);
  remove(replay, 'VirtualMachineInstance', vmi('first', { macAddress }));
  expect(Object.keys(await addresses(replay))).toEqual(['pod/default/web']);
});

test('nothing is given away before claims and the northbound database have been read', async () => {
  const core = new Core({ networkDefaults: { mtu: 1400 }, bindingPlugins: {} });
  core.tables.clusterNetworks.put('default', trimClusterNetwork(network('default', '10.244.0.0/16')));
  core.tables.pods.put('default/web', trimPod(pod('web')));
  await core.settle();
  expect(core.tables.podLeases.size).toBe(0);
  core.allocator.start(new Map());
  await core.settle();
  expect(core.tables.podLeases.size).toBe(1);
});

test('whoever is on a network that changes is looked at one after the other, however little time there is', async () => {
  const core = new Core({ networkDefaults: { mtu: 1400 }, bindingPlugins: {} });
  const { clusterNetworks, pods, podLeases } = core.tables;
  const names = ['a', 'b', 'c', 'd', 'e'];
  clusterNetworks.put('default', trimClusterNetwork(network('default', '10.244.0.0/16')));
  for (const name of names) pods.put(`default/${name}`, trimPod(pod(name)));
  core.allocator.start(new Map());
  await core.settle();
  clusterNetworks.put('default', trimClusterNetwork(network('default', '10.245.0.0/16')));
  await core.engine.run();
  let steps = 0;
  for (; !core.allocator.isSettled; steps += 1) {
    core.allocator.settle(() => true);
    await core.engine.run();
  }
  expect(steps).toBeGreaterThan(names.length);
  const leases = [...podLeases.rows().values()].flatMap(({ ips }) => ips);
  expect(leases.filter((ip) => ip.startsWith('10.245.'))).toHaveLength(names.length);
});
