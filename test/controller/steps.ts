import fc from 'fast-check';
import type { Step } from './history.ts';

type Json = Readonly<Record<string, unknown>>;

const names = fc.constantFrom('a', 'b', 'c');
const nodes = fc.constantFrom('node-a', 'node-b');
const apps = fc.constantFrom('web', 'db');
const namespace = 'default';

const put = (kind: string, object: fc.Arbitrary<Json>): fc.Arbitrary<Step> =>
  fc.record({
    do: fc.constantFrom('put' as const, 'put' as const, 'remove' as const),
    kind: fc.constant(kind),
    object,
  });

const pod = fc
  .record({
    name: names,
    node: nodes,
    app: apps,
    uid: fc.constantFrom('1', '2'),
    phase: fc.constantFrom('Running', 'Running', 'Succeeded'),
    asked: fc.constantFrom(
      undefined,
      undefined,
      undefined,
      '[{"name":"default","ips":["10.244.0.4/16"]}]',
      '{"name":"default","mac":"02:00:00:00:00:01","ips":["10.244.0.5"]}',
      '[{"name":"default","ips":["10.244.0.300"]}]',
    ),
    networks: fc.constantFrom(
      undefined,
      undefined,
      'blue',
      'other,default/blue',
      '[{"name":"blue","ips":["10.9.0.3"]},{"name":"blue","interface":"x1"}]',
      '[{"name":"blue","mac":"02:00:00:00:02:01"}]',
    ),
  })
  .map(
    ({ name, node, app, uid, phase, asked, networks }): Json => ({
      metadata: {
        namespace,
        name,
        uid: `pod-${name}-${uid}`,
        labels: { app },
        annotations: {
          ...(asked !== undefined && { 'v1.multus-cni.io/default-network': asked }),
          ...(networks !== undefined && { 'k8s.v1.cni.cncf.io/networks': networks }),
        },
      },
      spec: { nodeName: node },
      status: { phase },
    }),
  );

/** Whether a VM has a NIC on the network `blue`, and wants to keep it. */
const blueNic = fc.constantFrom(undefined, undefined, 'up' as const, 'absent' as const);
const blueNetwork = { name: 'blue', multus: { networkName: 'blue' } };

const vm = fc.record({ name: names, ip: fc.constantFrom(undefined, undefined, '10.244.0.3'), blue: blueNic }).map(
  ({ name, ip, blue }): Json => ({
    metadata: {
      namespace,
      name,
      uid: `vm-${name}`,
      annotations: ip === undefined ? {} : { 'network.kubevirt.io/addresses': `{"default":["${ip}"]}` },
    },
    spec: { template: { spec: { domain: { devices: {} }, networks: blue === undefined ? [] : [blueNetwork] } } },
  }),
);

const vmi = fc
  .record({
    name: names,
    node: nodes,
    app: apps,
    mac: fc.constantFrom(undefined, undefined, '02:00:00:00:00:01'),
    blue: blueNic,
  })
  .map(
    ({ name, node, app, mac, blue }): Json => ({
      metadata: {
        namespace,
        name,
        uid: `vmi-${name}`,
        labels: { app },
        ownerReferences: [{ kind: 'VirtualMachine', name, uid: `vm-${name}`, controller: true }],
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
    }),
  );

const launcher = fc.record({ name: names, n: fc.constantFrom('0', '1'), node: nodes }).map(
  ({ name, n, node }): Json => ({
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
  }),
);

const vmim = fc.record({ name: names, phase: fc.constantFrom('Scheduling', 'Running', 'Succeeded', 'Failed') }).map(
  ({ name, phase }): Json => ({
    metadata: { namespace, name: `move-${name}`, uid: `vmim-${name}` },
    spec: { vmiName: name },
    status: { phase },
  }),
);

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
/** A further network with room for five, and the ways onto it, our own and another plugin's. */
const network = fc
  .constantFrom<Json>(
    { topology: 'overlay' },
    { topology: 'underlay', physicalNetwork: 'lan', guest: { service: 'server' } },
  )
  .map(
    (spec): Json => ({
      metadata: { namespace, name: 'blue', uid: 'network-blue' },
      spec: { ...spec, role: 'secondary', subnets: ['10.9.0.0/29'] },
    }),
  );
const definition = fc
  .constantFrom<Json>(
    { config: '{"type":"hawser","network":"blue"}' },
    { config: '{"type":"hawser","network":"green"}' },
    { config: '{"type":"bridge"}', annotations: { 'hawser.dev/network': 'blue' } },
  )
  .map(
    ({ config, annotations }): Json => ({
      metadata: { namespace, name: 'blue', uid: 'nad-blue', annotations },
      spec: { config },
    }),
  );
const ports = fc.nat(20);

/** Anything that can happen to three pods and three VMs, all of the weather among it. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: put('Pod', pod) },
  { weight: 4, arbitrary: put('VirtualMachine', vm) },
  { weight: 9, arbitrary: put('VirtualMachineInstance', vmi) },
  { weight: 8, arbitrary: put('Pod', launcher) },
  { weight: 6, arbitrary: put('VirtualMachineInstanceMigration', vmim) },
  { weight: 5, arbitrary: put('NetworkPolicy', policy) },
  { weight: 2, arbitrary: put('Namespace', namespaces) },
  { weight: 3, arbitrary: put('Network', network) },
  { weight: 3, arbitrary: put('NetworkAttachmentDefinition', definition) },
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
      table: fc.constantFrom('Logical_Switch_Port', 'Logical_Switch', 'Port_Group', 'ACL', 'DHCP_Options'),
      nth: ports,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('editPort' as const), nth: ports }) },
);
