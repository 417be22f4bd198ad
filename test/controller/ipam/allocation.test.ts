import { describe, expect, test } from 'vitest';
import { Core } from '#controller/core.ts';
import { trimClusterNetwork } from '#controller/kube/objects/network.ts';
import { trimPod } from '#controller/kube/objects/pod.ts';
import type { Replay } from '#controller/replay/replay.ts';
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

const pod = (name: string, uid = `uid-${name}`, annotations: Json = {}): Json => ({
  metadata: { namespace: 'default', name, uid, annotations },
  spec: { nodeName: 'node-a' },
});

const vm = (name: string, annotations: Json = {}, uid = `vm-${name}`): Json => ({
  metadata: { namespace: 'default', name, uid, annotations },
  spec: { template: { spec: { domain: { devices: {} } } } },
});

/** A NetworkSelectionElement for the pod network. */
const asking = (element: Json): Json => ({
  'v1.multus-cni.io/default-network': JSON.stringify([{ name: 'default', ...element }]),
});

const vmi = (
  name: string,
  { vmUid = `vm-${name}`, macAddress = undefined as string | undefined, annotations = {} } = {},
): Json => ({
  metadata: {
    namespace: 'default',
    name,
    annotations,
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

test('an address that has been excluded since stays with the pod that has it, at a restart as well as without', async () => {
  const replay = freshReplay();
  const former = { uid: 'uid-web', ips: ['10.244.0.2', 'fd00:10:244::2'] };
  replay.core.allocator.start(new Map([['pod/default/web', former]]));
  const spec = { topology: 'overlay', role: 'primary', subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] };
  const metadata = { name: 'default', uid: 'net-default' };
  put(replay, 'ClusterNetwork', { metadata, spec: { ...spec, excludeIPs: ['10.244.0.2-10.244.0.4'] } });
  put(replay, 'Pod', pod('web'));
  put(replay, 'Pod', pod('new'));
  expect(await addresses(replay)).toEqual({
    'pod/default/new': ['0a:58:0a:f4:00:05 10.244.0.5 fd00:10:244::3'],
    'pod/default/web': ['0a:58:0a:f4:00:02 10.244.0.2 fd00:10:244::2'],
  });
});

test.each([
  ['10.244.0.9/16', 'fd00:10:244::9/64'],
  ['fd00:10:244::9/64', '10.244.0.9/16'],
])('a port is the same in whichever order its claim has the addresses: %s, %s', async (...ips) => {
  const replay = freshReplay();
  put(replay, 'IPAMClaim', {
    metadata: {
      ...{ namespace: 'default', name: 'db.default', uid: 'claim' },
      ownerReferences: [{ kind: 'VirtualMachine', name: 'db', uid: 'vm-db', controller: true }],
    },
    spec: { network: 'default', interface: 'eth0' },
    status: { ips },
  });
  put(replay, 'VirtualMachine', vm('db'));
  put(replay, 'VirtualMachineInstance', vmi('db'));
  expect(await addresses(replay)).toEqual({ 'vm/default/db': ['0a:58:0a:f4:00:09 10.244.0.9 fd00:10:244::9'] });
});

test('a MAC is not kept by a VM that has no address in the network', async () => {
  const replay = freshReplay();
  const macAddress = '02:00:00:00:00:01';
  for (const name of ['first', 'second']) {
    put(replay, 'VirtualMachine', vm(name));
    put(replay, 'VirtualMachineInstance', vmi(name, { macAddress }));
    await replay.rows();
  }
  expect(await sentences(replay)).toEqual([`the MAC ${macAddress} is taken by vm/default/first`]);
  const claim = replay.core.tables.claims.get('default/first.default');
  if (claim === undefined) throw new Error('the VM has no claim');
  replay.core.tables.claims.put('default/first.default', { ...claim, network: 'elsewhere' });
  expect(Object.keys(await addresses(replay))).toEqual(['vm/default/second']);
});

test('nor by one whose address the network has no more', async () => {
  const replay = freshReplay();
  const macAddress = '02:00:00:00:00:01';
  put(replay, 'VirtualMachine', vm('first', { 'network.kubevirt.io/addresses': '{"default":["10.244.0.9"]}' }));
  put(replay, 'VirtualMachineInstance', vmi('first', { macAddress }));
  await replay.rows();
  put(replay, 'VirtualMachine', vm('second', { 'network.kubevirt.io/addresses': '{"default":["10.244.0.2"]}' }));
  put(replay, 'VirtualMachineInstance', vmi('second', { macAddress }));
  await replay.rows();
  expect(await sentences(replay)).toEqual([`the MAC ${macAddress} is taken by vm/default/first`]);
  put(replay, 'ClusterNetwork', network('default', '10.244.0.0/30'));
  expect(await addresses(replay)).toEqual({ 'vm/default/second': [`${macAddress} 10.244.0.2`] });
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

describe('what a guest has it keeps', () => {
  test('when its network gets another family, which only new ones are given', async () => {
    const replay = freshReplay();
    put(replay, 'ClusterNetwork', network('default', '10.244.0.0/16'));
    put(replay, 'VirtualMachine', vm('db'));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    put(replay, 'Pod', pod('web'));
    const before = await addresses(replay);
    put(replay, 'ClusterNetwork', network('default', '10.244.0.0/16', 'fd00:10:244::/64'));
    put(replay, 'Pod', pod('new'));
    expect(await addresses(replay)).toEqual({
      ...before,
      'pod/default/new': ['0a:58:0a:f4:00:04 10.244.0.4 fd00:10:244::2'],
    });
    expect(await sentences(replay)).toEqual([]);
  });

  test('of the family that is left when its network loses one', async () => {
    const replay = freshReplay();
    put(replay, 'VirtualMachine', vm('db'));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    await addresses(replay);
    put(replay, 'Pod', pod('web'));
    await addresses(replay);
    put(replay, 'ClusterNetwork', network('default', '10.244.0.0/16'));
    const left = {
      'vm/default/db': ['0a:58:0a:f4:00:02 10.244.0.2'],
      'pod/default/web': ['0a:58:0a:f4:00:03 10.244.0.3'],
    };
    expect(await addresses(replay)).toEqual(left);
  });

  test('when a claim that nobody uses names it too, at a restart as well as without', async () => {
    const replay = freshReplay();
    const former = { uid: 'uid-web', ips: ['10.244.0.2', 'fd00:10:244::2'] };
    replay.core.allocator.start(new Map([['pod/default/web', former]]));
    put(replay, 'IPAMClaim', {
      metadata: { namespace: 'default', name: 'old.default', uid: 'old' },
      spec: { network: 'default', interface: 'eth0' },
      status: { ips: ['10.244.0.2/20', 'fd00:10:244::2/68'] },
    });
    put(replay, 'Pod', pod('web'));
    expect(await addresses(replay)).toEqual({
      'pod/default/web': ['0a:58:0a:f4:00:02 10.244.0.2 fd00:10:244::2'],
    });
    expect(replay.core.tables.claimConflicts.get('default/old.default')).toBe('10.244.0.2 is taken by pod/default/web');
  });

  test('until the gateway is moved to it, which is told of a VM, and of which a pod is given another', async () => {
    const replay = freshReplay();
    put(replay, 'VirtualMachine', vm('db'));
    put(replay, 'VirtualMachineInstance', vmi('db'));
    const before = await addresses(replay);
    const at = (gateway: string): Json => {
      const { metadata, spec } = network('default', '10.244.0.0/16', 'fd00:10:244::/64');
      return { metadata, spec: { ...Object(spec), gateway: [gateway] } };
    };
    put(replay, 'ClusterNetwork', at('10.244.0.2'));
    expect(await addresses(replay)).toEqual({});
    expect(await sentences(replay)).toEqual([expect.stringContaining("10.244.0.2 is taken by the network's gateway")]);
    put(replay, 'ClusterNetwork', at('10.244.0.9'));
    expect(await addresses(replay)).toEqual(before);
    put(replay, 'Pod', pod('web'));
    await addresses(replay);
    put(replay, 'ClusterNetwork', at('10.244.0.3'));
    expect(await addresses(replay)).toEqual({
      ...before,
      'pod/default/web': ['0a:58:0a:f4:00:01 10.244.0.1 fd00:10:244::3'],
    });
  });
});

describe('the MAC of a pod that runs', () => {
  const first = '02:00:00:00:00:01';
  const second = '02:00:00:00:00:02';
  const seenAs = (mac: string) => ({ 'pod/default/web': [`${mac} 10.244.0.2 fd00:10:244::2`] });
  const told = (kept: string, asked: string) => [
    `the NIC keeps the MAC ${kept}: a request counts when it is new, and ${asked} is asked for since`,
  ];

  test.each([
    ['is asked to be another one', asking({ mac: second }), told(first, second)],
    ['is asked for no more', {}, []],
  ])('stays when it %s, at a restart as well as without', async (_what, annotations, sentencesToldOf) => {
    const replay = freshReplay();
    put(replay, 'Pod', pod('web', 'uid-web', asking({ mac: first })));
    expect(await addresses(replay)).toEqual(seenAs(first));
    put(replay, 'Pod', pod('web', 'uid-web', annotations));
    expect(await addresses(replay)).toEqual(seenAs(first));
    expect(await sentences(replay)).toEqual(sentencesToldOf);

    const again = freshReplay();
    const former = { uid: 'uid-web', mac: first, ips: ['10.244.0.2', 'fd00:10:244::2'] };
    again.core.allocator.start(new Map([['pod/default/web', former]]));
    put(again, 'Pod', pod('web', 'uid-web', annotations));
    expect(await addresses(again)).toEqual(seenAs(first));
    expect(await sentences(again)).toEqual(sentencesToldOf);
  });

  test('stays when it asks for one that somebody else has, who keeps it too; the next pod of its name has what it asks for', async () => {
    const replay = freshReplay();
    const made = '0a:58:0a:f4:00:02';
    put(replay, 'Pod', pod('web'));
    expect(await addresses(replay)).toEqual(seenAs(made));
    put(replay, 'Pod', pod('other', 'uid-other', asking({ mac: first })));
    const before = await addresses(replay);
    put(replay, 'Pod', pod('web', 'uid-web', asking({ mac: first })));
    expect(await addresses(replay)).toEqual(before);
    expect(await sentences(replay)).toEqual(told(made, first));
    put(replay, 'Pod', pod('web', 'uid-web', asking({ mac: made })));
    expect(await addresses(replay)).toEqual(before);
    expect(await sentences(replay)).toEqual([]);
    put(replay, 'Pod', pod('web', 'another', asking({ mac: second })));
    expect(await addresses(replay)).toHaveProperty(['pod/default/web', 0], expect.stringContaining(second));
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
