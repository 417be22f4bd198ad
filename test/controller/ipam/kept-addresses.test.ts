import { describe, expect, test } from 'vitest';
import { freshReplay } from '../recordings.ts';
import { addresses, asking, type Json, network, pod, put, sentences, vm, vmi } from './objects.ts';

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

test('a pod keeps the MAC it asked for when its namespace gets a network of its own, though it asks for it no more', async () => {
  const replay = freshReplay();
  put(replay, 'Pod', pod('web', 'uid-web', asking({ mac: '02:00:00:00:00:01' })));
  await replay.rows();
  put(replay, 'Pod', pod('web', 'uid-web'));
  await replay.rows();
  const { spec } = network('amber', '192.168.7.0/29');
  put(replay, 'Network', { metadata: { namespace: 'default', name: 'amber', uid: 'net-amber' }, spec });
  expect(await addresses(replay)).toEqual({ 'pod/default/web': ['02:00:00:00:00:01 192.168.7.2'] });
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

  test('when its network changes, though a claim that nobody uses names it too', async () => {
    const replay = freshReplay();
    put(replay, 'Pod', pod('web'));
    const before = await addresses(replay);
    put(replay, 'IPAMClaim', {
      metadata: { namespace: 'default', name: 'old.default', uid: 'old' },
      spec: { network: 'default', interface: 'eth0' },
      status: { ips: ['10.244.0.2/20', 'fd00:10:244::2/68'] },
    });
    await replay.rows();
    const { metadata, spec } = network('default', '10.244.0.0/16', 'fd00:10:244::/64');
    put(replay, 'ClusterNetwork', { metadata, spec: { ...Object(spec), excludeIPs: ['10.244.0.9'] } });
    expect(await addresses(replay)).toEqual(before);
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
