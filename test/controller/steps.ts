import fc from 'fast-check';
import type { Step } from './history.ts';

type Json = Readonly<Record<string, unknown>>;

const names = fc.constantFrom('a', 'b', 'c');
const nodes = fc.constantFrom('node-a', 'node-b');
const apps = fc.constantFrom('web', 'db');
/** What is there under the same name may be another object than before. */
const generation = fc.constantFrom('1', '1', '1', '2');
const namespace = 'default';

/** A third of what is put is removed again, and every fourth change is followed by the next before anybody has looked at it. */
const change = (kind: string, object: fc.Arbitrary<Json>): fc.Arbitrary<Step> =>
  fc.record({
    do: fc.constantFrom('put' as const, 'put' as const, 'remove' as const),
    kind: fc.constant(kind),
    object,
    isHurried: fc.constantFrom(false, false, false, true),
  });

const podOf = (
  name: string,
  node: string,
  app: string,
  uid: string,
  phase: string,
  asked?: string,
  further?: string,
): Json => ({
  metadata: {
    namespace,
    name,
    uid: `pod-${name}-${uid}`,
    labels: { app },
    annotations: {
      ...(asked !== undefined && { 'v1.multus-cni.io/default-network': asked }),
      ...(further !== undefined && { 'k8s.v1.cni.cncf.io/networks': further }),
    },
  },
  spec: { nodeName: node },
  status: { phase },
});

const pod = fc
  .tuple(
    names,
    nodes,
    apps,
    fc.constantFrom('1', '2'),
    fc.constantFrom('Running', 'Running', 'Succeeded'),
    fc.constantFrom(
      undefined,
      undefined,
      undefined,
      undefined,
      '[{"name":"default","ips":["10.244.0.4/16"]}]',
      '{"name":"default","mac":"02:00:00:00:00:01","ips":["10.244.0.5"]}',
      '[{"name":"default","ips":["192.168.99.9"]}]',
      '[{"name":"default","ips":["10.244.0.300"]}]',
    ),
    fc.constantFrom(
      undefined,
      undefined,
      undefined,
      'blue',
      'other,default/blue',
      '[{"name":"blue","ips":["10.9.0.3"]},{"name":"blue","interface":"x1"}]',
      '[{"name":"blue","mac":"02:00:00:00:02:01"}]',
    ),
  )
  .map((pod) => podOf(...pod));

/** Whether a VM has a NIC on the network `blue`, and wants to keep it. */
const blueNic = fc.constantFrom(undefined, undefined, 'up' as const, 'absent' as const);
const blueNetwork = { name: 'blue', multus: { networkName: 'blue' } };

const vmOf = (name: string, uid: string, ip?: string, blue?: 'up' | 'absent'): Json => ({
  metadata: {
    namespace,
    name,
    uid: `vm-${name}-${uid}`,
    annotations: ip === undefined ? {} : { 'network.kubevirt.io/addresses': `{"default":["${ip}"]}` },
  },
  spec: { template: { spec: { domain: { devices: {} }, networks: blue === undefined ? [] : [blueNetwork] } } },
});

const vm = fc
  .tuple(names, generation, fc.constantFrom(undefined, undefined, '10.244.0.3'), blueNic)
  .map((vm) => vmOf(...vm));

const vmiOf = (name: string, owner: string, node: string, app: string, mac?: string, blue?: 'up' | 'absent'): Json => ({
  metadata: {
    namespace,
    name,
    uid: `vmi-${name}`,
    labels: { app },
    ownerReferences: [{ kind: 'VirtualMachine', name, uid: `vm-${name}-${owner}`, controller: true }],
  },
  spec: {
    networks: [{ name: 'default', pod: {} }, ...(blue === undefined ? [] : [blueNetwork])],
    domain: {
      devices: {
        interfaces: [
          { name: 'default', binding: { name: 'hawser' }, ...(mac && { macAddress: mac }) },
          ...(blue === undefined
            ? []
            : [{ name: 'blue', bridge: {}, state: blue, macAddress: `02:00:00:00:01:0${name}` }]),
        ],
      },
    },
  },
  status: { phase: 'Running', nodeName: node },
});

const sharedMac = '02:00:00:00:00:01';
const vmi = fc
  .tuple(names, generation, nodes, apps, fc.constantFrom(undefined, undefined, sharedMac), blueNic)
  .map((vmi) => vmiOf(...vmi));

/** The launcher pod a VM was started in, or the one it migrates to. */
const launcherOf = (name: string, n: '0' | '1', node: string): Json => ({
  metadata: {
    namespace,
    name: `virt-launcher-${name}-${n}`,
    uid: `launcher-${name}-${n}`,
    labels: { 'kubevirt.io': 'virt-launcher', ...(n === '1' && { 'kubevirt.io/migrationJobUID': `vmim-${name}` }) },
    creationTimestamp: `2026-01-01T00:00:0${n}Z`,
    ownerReferences: [{ kind: 'VirtualMachineInstance', name, uid: `vmi-${name}`, controller: true }],
  },
  spec: { nodeName: node },
  status: { phase: 'Running' },
});

const launcher = fc.tuple(names, fc.constantFrom('0', '1'), nodes).map((launcher) => launcherOf(...launcher));

const vmimOf = (name: string, phase: string): Json => ({
  metadata: { namespace, name: `move-${name}`, uid: `vmim-${name}` },
  spec: { vmiName: name },
  status: { phase },
});

const vmim = fc
  .tuple(names, fc.constantFrom('Scheduling', 'Running', 'Succeeded', 'Failed'))
  .map((vmim) => vmimOf(...vmim));

const selector = fc.constantFrom<Json>(
  {},
  { matchLabels: { app: 'web' } },
  { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'db'] }] },
  { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db'] }] },
);

const policy = fc.record({ name: names, target: selector, peer: selector, everywhere: fc.boolean() }).map(
  ({ name, target, peer, everywhere }): Json => ({
    metadata: { namespace, name, uid: `policy-${name}` },
    spec: {
      podSelector: target,
      ingress: [
        {
          from: [{ podSelector: peer, ...(everywhere && { namespaceSelector: { matchLabels: { team: 'x' } } }) }],
          ports: [{ port: 80 }],
        },
      ],
    },
  }),
);

const namespaces = fc
  .constantFrom('x', 'y')
  .map((team): Json => ({ metadata: { name: namespace, uid: 'ns', labels: { team } } }));

const node = fc
  .constantFrom(['node-a', '192.0.2.1'], ['node-b', '192.0.2.2'], ['node-b', '192.0.2.3'], ['node-b', '2001:db8::2'])
  .map(
    ([name, address]): Json => ({
      metadata: { name, uid: name },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address }],
      },
    }),
  );

const overlay = { topology: 'overlay', role: 'primary' };

/** A network of the namespace's own, so small that it is soon exhausted, or one that cannot be understood. */
const network = fc
  .constantFrom(['amber', '192.168.7.0/29'], ['red', '192.168.8.0/29'], ['amber', '192.168.7.0/40'])
  .map(
    ([name, subnet]): Json => ({
      metadata: { namespace, name, uid: `net-${name}` },
      spec: { ...overlay, subnets: [subnet] },
    }),
  );

const furtherNetworkOf = (spec: Json): Json => ({
  metadata: { namespace, name: 'blue', uid: 'net-blue' },
  spec: { ...spec, role: 'secondary', subnets: ['10.9.0.0/29'] },
});

const furtherNetwork = fc
  .constantFrom<Json>(
    { topology: 'overlay' },
    { topology: 'underlay', physicalNetwork: 'lan', guest: { service: 'server' } },
  )
  .map(furtherNetworkOf);

const definitionOf = (config: string, annotations: Json = {}): Json => ({
  metadata: { namespace, name: 'blue', uid: 'nad-blue', annotations },
  spec: { config },
});

const ourDefinitionOf = (network: string): Json => definitionOf(`{"type":"hawser","network":"${network}"}`);

/** The ways onto a further network with room for five, our own and another plugin's, to one that is not for further NICs, or to nowhere. */
const definition = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('blue', 'blue', 'red', 'green').map(ourDefinitionOf) },
  { weight: 1, arbitrary: fc.constant(definitionOf('{"type":"bridge"}', { 'hawser.dev/network': 'blue' })) },
);

/** A network that the namespace is on for as long as it carries a label. */
const selectingNetwork = fc.constant<Json>({
  metadata: { name: 'green', uid: 'net-green' },
  spec: { ...overlay, subnets: ['172.20.0.0/24'], namespaceSelector: { matchLabels: { team: 'x' } } },
});

/**
 * The default network with addresses excluded, with another gateway, with more room, with one family less, cut otherwise, so small that
 * it is soon exhausted, or spoilt.
 */
const defaultNetwork = fc
  .constantFrom<Json>(
    { subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] },
    { subnets: ['10.244.0.0/16', 'fd00:10:244::/64'] },
    { subnets: ['10.244.0.0/16', 'fd00:10:244::/64'], excludeIPs: ['10.244.0.2-10.244.0.4'] },
    { subnets: ['10.244.0.0/16', 'fd00:10:244::/64'], gateway: ['10.244.0.3'] },
    { subnets: ['10.244.0.0/16', 'fd00:10:244::/64', '10.245.0.0/16', 'fd00:10:245::/64'] },
    { subnets: ['10.244.0.0/16'] },
    { subnets: ['10.244.0.0/16', 'fd00:10:244::/64'], guest: { ra: { mode: 'slaac' } } },
    { subnets: ['10.244.0.0/29'] },
    { subnets: ['10.244.0.0/16'], gateway: ['10.1.1.1'] },
  )
  .map(defaultNetworkOf);

function defaultNetworkOf(spec: Json): Json {
  return { metadata: { name: 'default', uid: 'net-default' }, spec: { ...overlay, ...spec } };
}

/** Claims that users made: for a VM before it is, and for nobody. Their addresses may be somebody's already, or each other's. */
const claim = fc
  .record({
    of: fc.constantFrom('c', undefined),
    ips: fc.constantFrom(['10.244.0.2/20', 'fd00:10:244::2/68'], ['10.244.0.3/20', 'fd00:10:244::9/68']),
  })
  .map(
    ({ of, ips }): Json => ({
      metadata: {
        namespace,
        name: `${of ?? 'kept'}.default`,
        uid: `claim-${of ?? 'kept'}`,
        ownerReferences:
          of === undefined ? [] : [{ kind: 'VirtualMachine', name: of, uid: `vm-${of}-1`, controller: true }],
      },
      spec: { network: 'default', interface: 'eth0' },
      status: { ips },
    }),
  );

const ports = fc.nat(20);

/** One thing that can happen to three pods and three VMs, all of the weather among it. */
const oneStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: change('Pod', pod) },
  { weight: 4, arbitrary: change('VirtualMachine', vm) },
  { weight: 6, arbitrary: change('VirtualMachineInstance', vmi) },
  { weight: 5, arbitrary: change('Pod', launcher) },
  { weight: 4, arbitrary: change('VirtualMachineInstanceMigration', vmim) },
  { weight: 5, arbitrary: change('NetworkPolicy', policy) },
  { weight: 2, arbitrary: change('Namespace', namespaces) },
  { weight: 2, arbitrary: change('Node', node) },
  { weight: 2, arbitrary: change('Network', network) },
  { weight: 1, arbitrary: change('Network', furtherNetwork) },
  { weight: 2, arbitrary: change('NetworkAttachmentDefinition', definition) },
  { weight: 1, arbitrary: change('ClusterNetwork', selectingNetwork) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('put' as const, 'put' as const, 'put' as const, 'put' as const, 'remove' as const),
      kind: fc.constant('ClusterNetwork'),
      object: defaultNetwork,
      isHurried: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: change('IPAMClaim', claim) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Step>(
      { do: 'restart' },
      { do: 'recompute' },
      { do: 'loseDatabase' },
      { do: 'backup' },
      { do: 'restoreBackup' },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('refused', 'lostBefore', 'lostAfter').map((fault): Step => ({ do: 'fault', fault })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('dropRow' as const),
      table: fc.constantFrom(
        'Logical_Switch_Port',
        'Logical_Switch',
        'Logical_Router',
        'Logical_Router_Port',
        'Logical_Router_Static_Route',
        'Port_Group',
        'ACL',
        'DHCP_Options',
      ),
      nth: ports,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('editPort' as const), nth: ports }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('squat' as const, 'squat' as const, 'leave' as const),
      port: names.map((name) => `pod/${namespace}/${name}`),
    }),
  },
);

const put = (kind: string, object: Json): Step => ({ do: 'put', kind, object, isHurried: false });

/** What takes several steps that seldom come together by chance. */
const scene: fc.Arbitrary<readonly Step[]> = fc.oneof(
  // A VM migrates.
  fc
    .record({ name: names, app: apps, isPlaced: fc.boolean() })
    .map(({ name, app, isPlaced }) => [
      put('VirtualMachine', vmOf(name, '1')),
      put('VirtualMachineInstance', vmiOf(name, '1', 'node-a', app)),
      put('Pod', launcherOf(name, '0', 'node-a')),
      put('VirtualMachineInstanceMigration', vmimOf(name, 'Scheduling')),
      ...(isPlaced ? [put('Pod', launcherOf(name, '1', 'node-b'))] : []),
    ]),
  // Further NICs: one of a VM that migrates, kept or unplugged in the end, and one of a pod.
  fc
    .record({
      name: names,
      network: furtherNetwork,
      way: definition,
      nic: fc.constantFrom('up' as const, 'absent' as const, undefined),
      isPlaced: fc.boolean(),
    })
    .map(({ name, network, way, nic, isPlaced }) => [
      put('Network', network),
      put('NetworkAttachmentDefinition', way),
      put('VirtualMachine', vmOf(name, '1', undefined, 'up')),
      put('VirtualMachineInstance', vmiOf(name, '1', 'node-a', 'web', undefined, 'up')),
      put('Pod', podOf(name, 'node-a', 'web', '1', 'Running', undefined, 'blue')),
      put('Pod', launcherOf(name, '0', 'node-a')),
      put('VirtualMachineInstanceMigration', vmimOf(name, 'Scheduling')),
      ...(isPlaced ? [put('Pod', launcherOf(name, '1', 'node-b'))] : []),
      put('VirtualMachine', vmOf(name, '1', undefined, nic)),
      put('VirtualMachineInstance', vmiOf(name, '1', 'node-a', 'web', undefined, nic)),
    ]),
  // Two ask for one MAC.
  fc
    .tuple(names, names)
    .map((pair) => pair.map((name) => put('VirtualMachineInstance', vmiOf(name, '1', 'node-a', 'web', sharedMac)))),
  // More guests than there are addresses.
  fc.constant([
    put('ClusterNetwork', defaultNetworkOf({ subnets: ['10.244.0.0/30'] })),
    ...['a', 'b'].map((name) => put('Pod', podOf(name, 'node-a', 'web', '1', 'Running'))),
  ]),
  // Somebody has the name of a port of ours when we want to write it.
  names.map((name) => [
    { do: 'squat', port: `pod/${namespace}/${name}` } as const,
    put('Pod', podOf(name, 'node-a', 'web', '1', 'Running')),
  ]),
);

/** A stretch of a cluster's life. */
export const anyHistory: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.oneof({ weight: 5, arbitrary: oneStep.map((step): readonly Step[] => [step]) }, { weight: 1, arbitrary: scene }),
    { maxLength: 8 },
  )
  .map((parts) => parts.flat());
