import { expect, test } from 'vitest';
import * as kinds from '#controller/kube/kinds.ts';
import { type Kind, pathOf } from '#controller/kube/kinds.ts';

const meta = { name: 'a', namespace: 'default', uid: 'u', resourceVersion: '1' };

test('a node is Ready by its condition and known by its internal addresses', () => {
  const node = kinds.nodes.trim({
    metadata: { name: 'n', uid: 'u', annotations: { 'hawser.dev/chassis': 'n', 'other.io/x': 'y' } },
    status: {
      conditions: [
        { type: 'MemoryPressure', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
      addresses: [
        { type: 'Hostname', address: 'n' },
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'InternalIP', address: 'fd00::1' },
      ],
    },
  });
  expect(node).toEqual({
    name: 'n',
    uid: 'u',
    ready: true,
    internalIps: ['10.0.0.1', 'fd00::1'],
    annotations: { 'hawser.dev/chassis': 'n' },
  });
});

test('a pod that nothing was said of yet is Pending, unbound and not on the host network', () => {
  expect(kinds.pods.trim({ metadata: { ...meta, creationTimestamp: '2026-11-21T05:00:00Z' }, spec: {} })).toEqual({
    namespace: 'default',
    name: 'a',
    uid: 'u',
    labels: {},
    annotations: {},
    hostNetwork: false,
    phase: 'Pending',
    podIps: [],
    creationTimestamp: Date.parse('2026-11-21T05:00:00Z'),
    finished: false,
  });
});

test('an attachment pod has no annotations at all, and a networks annotation may be empty', () => {
  expect(kinds.pods.trim({ metadata: { ...meta, annotations: null } }).annotations).toEqual({});
  const unplugged = kinds.pods.trim({ metadata: { ...meta, annotations: { 'k8s.v1.cni.cncf.io/networks': '' } } });
  expect(unplugged.annotations).toEqual({ 'k8s.v1.cni.cncf.io/networks': '' });
});

test('the interface bindings KubeVirt has, and none meaning bridge', () => {
  const interfaces = [
    { name: 'a' },
    { name: 'b', bridge: {} },
    { name: 'c', masquerade: {} },
    { name: 'd', sriov: {} },
    { name: 'e', passtBinding: {} },
    { name: 'f', binding: { name: 'hawser' }, state: 'absent', macAddress: '02:00:00:00:00:01' },
  ];
  const vmi = kinds.virtualMachineInstances.trim({
    metadata: meta,
    spec: {
      domain: { devices: { interfaces } },
      networks: [
        { name: 'a', pod: {} },
        { name: 'f', multus: { networkName: 'ns/blue', default: true } },
      ],
    },
  });
  expect(vmi.interfaces.map(({ binding }) => binding)).toEqual([
    { kind: 'bridge' },
    { kind: 'bridge' },
    { kind: 'masquerade' },
    { kind: 'sriov' },
    { kind: 'passt' },
    { kind: 'plugin', name: 'hawser' },
  ]);
  expect(vmi.interfaces.at(-1)).toMatchObject({ state: 'absent', macAddress: '02:00:00:00:00:01' });
  expect(vmi.networks).toEqual([
    { name: 'a', pod: true },
    { name: 'f', multus: { networkName: 'ns/blue', default: true } },
  ]);
});

test('a decentralised migration is read on both of its sides, whose UID fields are spelt differently', () => {
  const vmi = kinds.virtualMachineInstances.trim({
    metadata: { ...meta, annotations: { 'kubevirt.io/create-migration-target': 'true' } },
    spec: {},
    status: {
      phase: 'WaitingForSync',
      migrationState: {
        migrationUid: 'm2',
        sourceState: { migrationUID: 'm1', domainNamespace: 'east', node: 'node-a' },
        targetState: { migrationUID: 'm2', domainNamespace: 'west', pod: 'virt-launcher-db', domainDetected: true },
      },
    },
  });
  expect(vmi).toMatchObject({
    isMigrationTarget: true,
    migrationState: {
      migrationUid: 'm2',
      sourceState: { migrationUid: 'm1', domainNamespace: 'east', node: 'node-a', domainDetected: false },
      targetState: { migrationUid: 'm2', domainNamespace: 'west', pod: 'virt-launcher-db', domainDetected: true },
    },
  });
  const receive = kinds.virtualMachineInstanceMigrations.trim({
    metadata: meta,
    spec: { vmiName: 'db', receive: { migrationID: 'shared' } },
  });
  expect(receive).toMatchObject({ receive: 'shared', phase: '' });
});

test('a network has its defaults filled in, and its guest settings as the user wrote them', () => {
  const network = kinds.networks.trim({
    metadata: { ...meta, generation: 3 },
    spec: { topology: 'overlay', subnets: ['10.0.0.0/16'], guest: { mtu: 1400 } },
  });
  expect(network).toEqual({
    namespace: 'default',
    name: 'a',
    uid: 'u',
    generation: 3,
    deleting: false,
    spec: {
      topology: 'overlay',
      subnets: ['10.0.0.0/16'],
      excludeIPs: [],
      gateway: [],
      role: 'primary',
      guest: { mtu: 1400 },
    },
  });
});

test('a claim keeps its owner, its finalizers and the addresses with their prefix length', () => {
  const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'db', uid: 'vm-uid', controller: true };
  const claim = kinds.ipamClaims.trim({
    metadata: { ...meta, ownerReferences: [owner], finalizers: ['hawser.dev/addresses'], deletionTimestamp: 'x' },
    spec: { network: 'default', interface: 'eth0' },
    status: { ips: ['10.0.0.5/16', 'fd00::5/64'], ownerPod: '' },
  });
  expect(claim).toMatchObject({
    owner: { kind: 'VirtualMachine', name: 'db', uid: 'vm-uid' },
    finalizers: ['hawser.dev/addresses'],
    deleting: true,
    ips: ['10.0.0.5/16', 'fd00::5/64'],
  });
});

const poisoned: [sentence: string, kind: Kind<unknown>, json: unknown][] = [
  ['object should be an object, not "text"', kinds.pods, 'text'],
  ['metadata should be an object, not absent', kinds.pods, {}],
  ['metadata.uid should be a string, not absent', kinds.nodes, { metadata: { name: 'n' } }],
  ['metadata.labels[a] should be a string, not 1', kinds.namespaces, { metadata: { ...meta, labels: { a: 1 } } }],
  ['spec.nodeName should be a string, not ["n"]', kinds.pods, { metadata: meta, spec: { nodeName: ['n'] } }],
  [
    'status.podIPs[1].ip should be a string, not absent',
    kinds.pods,
    { metadata: meta, status: { podIPs: [{ ip: '1.2.3.4' }, {}] } },
  ],
  [
    'metadata.creationTimestamp should be an RFC 3339 time, not "soon"',
    kinds.pods,
    { metadata: { ...meta, creationTimestamp: 'soon' } },
  ],
  ['spec should be an object, not absent', kinds.virtualMachines, { metadata: meta }],
  [
    'status.migrationState.completed should be true or false, not "yes"',
    kinds.virtualMachineInstances,
    { metadata: meta, spec: {}, status: { migrationState: { completed: 'yes' } } },
  ],
  [
    'spec.topology should be one of overlay, underlay, not "mesh"',
    kinds.clusterNetworks,
    { metadata: meta, spec: { topology: 'mesh' } },
  ],
  [
    'spec.subnets should be a list, not "10.0.0.0/8"',
    kinds.clusterNetworks,
    { metadata: meta, spec: { topology: 'overlay', subnets: '10.0.0.0/8' } },
  ],
];

for (const [sentence, kind, json] of poisoned) {
  test(`${kind.kind}: ${sentence}`, () => {
    expect(() => kind.trim(json)).toThrow(expect.objectContaining({ name: 'MalformedField', message: sentence }));
  });
}

test('paths of collections, objects and subresources', () => {
  expect(pathOf(kinds.pods)).toBe('/api/v1/pods');
  expect(pathOf(kinds.pods, { namespace: 'default', name: 'db', subresource: 'status' })).toBe(
    '/api/v1/namespaces/default/pods/db/status',
  );
  expect(pathOf(kinds.clusterNetworks, { name: 'default' })).toBe('/apis/hawser.dev/v1alpha1/clusternetworks/default');
});
