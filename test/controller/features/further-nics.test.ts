import { describe, expect, test } from 'vitest';
import type { Replay } from '#controller/replay/replay.ts';
import { type Json, type KubeObject, problems, put, remove, withExample } from '../played-objects.ts';
import { freshReplay } from '../recordings.ts';

const network = (name: string, spec: Json = {}): KubeObject => ({
  kind: 'Network',
  object: {
    metadata: { namespace: 'shop', name, uid: `network-${name}` },
    spec: { topology: 'overlay', role: 'secondary', subnets: ['10.9.0.0/24', 'fd00:9::/64'], ...spec },
  },
});

const definition = (name: string, conf: Json | string, namespace = 'shop'): KubeObject => ({
  kind: 'NetworkAttachmentDefinition',
  object: {
    metadata: { namespace, name, uid: `nad-${namespace}-${name}` },
    spec: { config: typeof conf === 'string' ? conf : JSON.stringify({ cniVersion: '1.0.0', name, ...conf }) },
  },
});

const ours = (name: string, conf: Json = { network: name }): KubeObject =>
  definition(name, { type: 'hawser', ...conf });

const pod = (networks: unknown, name = 'web'): KubeObject => ({
  kind: 'Pod',
  object: {
    metadata: {
      ...{ namespace: 'shop', name, uid: `uid-${name}` },
      annotations: {
        'k8s.v1.cni.cncf.io/networks': typeof networks === 'string' ? networks : JSON.stringify(networks),
      },
    },
    spec: { nodeName: 'node-a' },
  },
});

const blueNetwork: Json = { name: 'blue', multus: { networkName: 'blue' } };

const vm = (networks: readonly Json[] = [blueNetwork], annotations: Json = {}): KubeObject => ({
  kind: 'VirtualMachine',
  object: {
    metadata: { namespace: 'shop', name: 'db', uid: 'vm-db', annotations },
    spec: { template: { spec: { domain: { devices: {} }, networks } } },
  },
});

const vmi = (networks: readonly Json[] = [blueNetwork], nic: Json = {}): KubeObject => ({
  kind: 'VirtualMachineInstance',
  object: {
    metadata: {
      ...{ namespace: 'shop', name: 'db', uid: 'vmi-db' },
      ownerReferences: [{ kind: 'VirtualMachine', name: 'db', uid: 'vm-db', controller: true }],
    },
    spec: {
      networks: [{ name: 'default', pod: {} }, ...networks],
      domain: {
        devices: {
          interfaces: [
            { name: 'default', binding: { name: 'hawser' } },
            ...networks.map(({ name }) => ({ name, bridge: {}, ...nic })),
          ],
        },
      },
    },
    status: { phase: 'Running', nodeName: 'node-a' },
  },
});

const launcher = (annotation?: string): KubeObject => ({
  kind: 'Pod',
  object: {
    metadata: {
      ...{ namespace: 'shop', name: 'virt-launcher-db-1', uid: 'launcher-1' },
      labels: { 'kubevirt.io': 'virt-launcher' },
      ...(annotation !== undefined && { annotations: { 'k8s.v1.cni.cncf.io/networks': annotation } }),
      ownerReferences: [{ kind: 'VirtualMachineInstance', name: 'db', uid: 'vmi-db', controller: true }],
    },
    spec: { nodeName: 'node-a' },
  },
});

/** Port → its addresses, of the further NICs there are. */
async function furtherPorts(replay: Replay): Promise<Readonly<Record<string, string>>> {
  const ports = [...(await replay.rows())].filter(([name]) => /^Logical_Switch_Port\/(vm|pod)\/\w+\/\w+\//.test(name));
  return Object.fromEntries(
    ports.map(([name, { addresses }]) => [name.slice('Logical_Switch_Port/'.length), String(addresses)]),
  );
}

describe('a pod has a port for each network of ours that its annotation names', () => {
  test('with what its node needs to plug it, and nothing of a default route', async () => {
    const replay = put(freshReplay(), network('blue'), ours('blue'), pod('blue'));
    expect((await replay.rows()).get('Logical_Switch_Port/pod/shop/web/net1')).toEqual({
      name: 'pod/shop/web/net1',
      addresses: ['0a:58:0a:09:00:02 10.9.0.2 fd00:9::2'],
      port_security: ['0a:58:0a:09:00:02 10.9.0.2 fd00:9::2 fe80::/10'],
      options: { 'requested-chassis': 'node-a' },
      external_ids: {
        'hawser:owner': 'pod/shop/web/net1',
        'hawser:uid': 'uid-web',
        'hawser:attach': 'veth',
        'hawser:gateways': '10.9.0.1/24 fd00:9::1/64',
        'hawser:mtu': '1400',
        'hawser:pod:uid-web': 'net1',
      },
    });
    const { board } = replay.core.engine;
    const [row] = [...board.rows('Logical_Switch_Port')].filter(({ key }) => key === 'pod/shop/web/net1');
    expect(row?.fact?.parent).toEqual({ table: 'Logical_Switch', row: 'network/shop/blue', column: 'ports' });
  });

  test.each<[string, unknown, readonly string[]]>([
    ['names', 'blue,shop/green', ['net1', 'net2']],
    ['names with spaces and interfaces', ' blue , shop/green@eth5', ['net1', 'eth5']],
    ['JSON', [{ name: 'blue' }, { name: 'green', namespace: 'shop', interface: 'lan' }], ['net1', 'lan']],
    ['the same one twice', 'blue,blue', ['net1', 'net2']],
    ["somebody else's between them, which counts", 'blue,macvlan,green', ['net1', 'net3']],
    ['none', '', []],
  ])('given as %s', async (_form, annotation, interfaces) => {
    const others = definition('macvlan', { type: 'macvlan', master: 'eth0' });
    const nets = [network('blue'), network('green', { subnets: ['10.8.0.0/24'] }), ours('blue'), ours('green')];
    const replay = put(freshReplay(), ...nets, others, pod(annotation));
    expect(Object.keys(await furtherPorts(replay)).sort()).toEqual(
      interfaces.map((nic) => `pod/shop/web/${nic}`).sort(),
    );
    expect(await problems(replay)).toEqual([]);
  });

  test('with the addresses and the MAC it asks for', async () => {
    const asked = [{ name: 'blue', ips: ['10.9.0.77/24', 'fd00:9::77'], mac: '02:00:00:00:00:77' }];
    const replay = put(freshReplay(), network('blue'), ours('blue'), pod(asked));
    expect(await furtherPorts(replay)).toEqual({ 'pod/shop/web/net1': '02:00:00:00:00:77 10.9.0.77 fd00:9::77' });
  });

  test('whose configuration may be a list', async () => {
    const list = definition('blue', { plugins: [{ type: 'hawser', network: 'blue' }, { type: 'tuning' }] });
    const replay = put(freshReplay(), network('blue'), list, pod('blue'));
    expect(Object.keys(await furtherPorts(replay))).toEqual(['pod/shop/web/net1']);
  });

  test('whichever of pod, network and definition comes first, and not without any of them', async () => {
    const objects = [network('blue'), ours('blue'), pod('blue')];
    for (const [a, b, c] of [
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const) {
      const replay = freshReplay();
      for (const index of [a, b, c]) {
        expect(await furtherPorts(replay)).toEqual({});
        put(replay, ...objects.slice(index, index + 1));
      }
      expect(await furtherPorts(replay)).toEqual({ 'pod/shop/web/net1': '0a:58:0a:09:00:02 10.9.0.2 fd00:9::2' });
      for (const gone of objects) {
        const before = await furtherPorts(replay);
        remove(replay, gone);
        expect(await furtherPorts(replay)).toEqual({});
        put(replay, gone);
        expect(Object.keys(await furtherPorts(replay))).toEqual(Object.keys(before));
      }
    }
  });

  test('and follows when the definition names another', async () => {
    const green = network('green', { subnets: ['10.8.0.0/24'] });
    const replay = put(freshReplay(), network('blue'), green, ours('blue'), pod('blue'));
    await furtherPorts(replay);
    put(replay, ours('blue', { network: 'green' }));
    expect(await furtherPorts(replay)).toEqual({ 'pod/shop/web/net1': '0a:58:0a:08:00:02 10.8.0.2' });
  });
});

describe('who cannot have a NIC is told why', () => {
  const web = 'Pod web: net1: NetworkAttachmentDefinition shop/blue:';
  const nad = 'NetworkAttachmentDefinition blue:';
  test.each<[string, readonly KubeObject[], readonly string[]]>([
    [
      'a definition that is not there',
      [pod('blue')],
      ['Pod web: net1: there is no NetworkAttachmentDefinition shop/blue'],
    ],
    [
      'a network that is not there',
      [ours('blue'), pod('blue')],
      [`${nad} there is no Network shop/blue`, `${web} there is no Network shop/blue`],
    ],
    [
      'a primary network',
      [network('blue', { role: 'primary' }), ours('blue')],
      [`${nad} Network shop/blue has the role primary; further NICs are on networks of role secondary`],
    ],
    [
      'no network',
      [ours('blue', {})],
      [`${nad} spec.config should name one network: "network", of this namespace, or "clusterNetwork"`],
    ],
    ['a name that is none', [ours('blue', { network: 5 })], [`${nad} spec.config: "network" should be a name`]],
    [
      'a network that cannot be used',
      [network('blue', { subnets: [] }), ours('blue'), pod('blue')],
      [
        'Network blue: spec.subnets: at least one subnet is needed',
        'Pod web: there is no usable network network/shop/blue for pod/shop/web/net1 yet',
      ],
    ],
    [
      'two NICs of one name',
      [pod('blue@x1,blue@x1')],
      ['Pod web: k8s.v1.cni.cncf.io/networks: [1].interface should be called as no other NIC of the pod, not "x1"'],
    ],
    [
      'a name no interface can have',
      [pod('blue@a-name-of-16-let')],
      [
        'Pod web: k8s.v1.cni.cncf.io/networks: [0].interface should be an interface name of 1 to 15 letters, digits, "_", "-" and ".", not "a-name-of-16-let"',
      ],
    ],
    [
      'an address that is none',
      [network('blue'), ours('blue'), pod([{ name: 'blue', ips: ['10.9.0.300'] }])],
      ['Pod web: k8s.v1.cni.cncf.io/networks: ips should be IP addresses, not "10.9.0.300"'],
    ],
  ])('%s', async (_what, objects, sentences) => {
    const replay = put(freshReplay(), ...objects);
    expect(await problems(replay)).toEqual(sentences);
    expect(await furtherPorts(replay)).toEqual({});
  });

  test('a configuration that is not JSON', async () => {
    expect(await problems(put(freshReplay(), definition('blue', '{"type": "hawser",')))).toEqual([
      expect.stringMatching(/^NetworkAttachmentDefinition blue: spec.config is not JSON: /),
    ]);
  });

  test('a ClusterNetwork is for the namespaces it selects', async () => {
    const shared = (namespaceSelector?: Json): KubeObject => ({
      kind: 'ClusterNetwork',
      object: {
        metadata: { name: 'storage', uid: 'storage' },
        spec: {
          topology: 'overlay',
          role: 'secondary',
          subnets: ['10.9.0.0/24'],
          ...(namespaceSelector && { namespaceSelector }),
        },
      },
    });
    const attached = ours('blue', { clusterNetwork: 'storage' });
    const replay = put(freshReplay(), shared(), attached, pod('blue'));
    const refusal = `${web} ClusterNetwork storage is not for namespace shop: its namespaceSelector does not select it`;
    expect(await problems(replay)).toEqual([refusal]);
    put(replay, shared({ matchLabels: { team: 'x' } }));
    expect(await furtherPorts(replay)).toEqual({});
    put(replay, { kind: 'Namespace', object: { metadata: { name: 'shop', uid: 'ns', labels: { team: 'x' } } } });
    expect(Object.keys(await furtherPorts(replay))).toEqual(['pod/shop/web/net1']);
    expect(await problems(replay)).toEqual([]);
  });
});

describe("a VM's further NIC", () => {
  const claim = (replay: Replay) => replay.core.tables.claims.get('shop/db.blue');

  test('has a port and a claim of its own, and is told no way out', async () => {
    const replay = put(freshReplay(), network('blue'), ours('blue'), vm(), vmi(), launcher());
    const rows = await replay.rows();
    expect(rows.get('Logical_Switch_Port/vm/shop/db/blue')).toMatchObject({
      addresses: ['0a:58:0a:09:00:02 10.9.0.2 fd00:9::2'],
      options: { 'requested-chassis': 'node-a', hostname: '"db"' },
      external_ids: {
        'hawser:uid': 'vm-db',
        'hawser:attach': 'managedTap',
        'hawser:pod:launcher-1': 'pod16477688c0e',
      },
    });
    expect(claim(replay)).toMatchObject({
      network: 'shop/blue',
      interface: 'pod16477688c0e',
      owner: { kind: 'VirtualMachine', name: 'db', uid: 'vm-db' },
      ips: ['10.9.0.2/24', 'fd00:9::2/64'],
    });
    const told = [...rows].filter(([id]) => id.startsWith('DHCP_Options/dhcpv4/'));
    expect(told.map(([id, { options }]) => [id.split('/')[2], Object.hasOwn(Object(options), 'router')])).toEqual([
      ['clusternetwork', true],
      ['network', false],
    ]);
    expect(rows.get('Logical_Router_Port/network/shop/blue/gateway')).toMatchObject({
      ipv6_ra_configs: { router_preference: 'LOW' },
    });
    expect(await problems(replay)).toEqual([]);
  });

  test('has the MAC and the addresses its VM asks for', async () => {
    const asked = { 'network.kubevirt.io/addresses': '{"blue":["10.9.0.50"]}' };
    const mac = { macAddress: '02:00:00:00:00:50' };
    const replay = put(freshReplay(), network('blue'), ours('blue'), vm([blueNetwork], asked), vmi([blueNetwork], mac));
    expect(await furtherPorts(replay)).toEqual({ 'vm/shop/db/blue': '02:00:00:00:00:50 10.9.0.50 fd00:9::2' });
  });

  test('is called as the launcher pod says, where an old KubeVirt made it', async () => {
    const annotation = '[{"interface":"net1","name":"blue","namespace":"shop"}]';
    const replay = put(freshReplay(), network('blue'), ours('blue'), vm(), vmi(), launcher(annotation));
    expect((await replay.rows()).get('Logical_Switch_Port/vm/shop/db/blue')).toMatchObject({
      external_ids: { 'hawser:pod:launcher-1': 'net1' },
    });
  });

  test("is not ours on somebody else's network", async () => {
    const replay = put(freshReplay(), definition('blue', { type: 'macvlan' }), vm(), vmi());
    expect(await furtherPorts(replay)).toEqual({});
    expect(await problems(replay)).toEqual([]);
  });

  test('on an underlay is on the physical network', async () => {
    const lan = network('blue', { topology: 'underlay', physicalNetwork: 'lan', vlan: 7 });
    const rows = await put(freshReplay(), lan, ours('blue'), vm(), vmi()).rows();
    expect(rows.get('Logical_Switch_Port/network/shop/blue/localnet')).toMatchObject({
      ...{ type: 'localnet', tag: 7 },
      options: { network_name: 'lan' },
    });
    expect(rows.has('Logical_Switch_Port/vm/shop/db/blue')).toBe(true);
    expect(rows.has('Logical_Router/network/shop/blue')).toBe(false);
  });

  test('keeps its addresses while it is unplugged and still in the template, and gives them back when it is not', async () => {
    const replay = put(freshReplay(), network('blue'), ours('blue'), vm(), vmi());
    const before = await furtherPorts(replay);
    put(replay, vmi([blueNetwork], { state: 'absent' }));
    expect(await furtherPorts(replay)).toEqual({});
    put(replay, vmi([]));
    put(replay, pod('blue'));
    expect(await furtherPorts(replay)).toEqual({ 'pod/shop/web/net1': '0a:58:0a:09:00:03 10.9.0.3 fd00:9::3' });
    put(replay, vmi());
    expect(await furtherPorts(replay)).toMatchObject(before);
    put(replay, vmi([]), vm([]));
    await replay.rows();
    expect(claim(replay)).toBeUndefined();
    put(replay, vm(), vmi());
    expect(await furtherPorts(replay)).toMatchObject({ 'vm/shop/db/blue': expect.stringContaining(' 10.9.0.') });
  });

  test('gets addresses of the other network when the VM is moved to one, and a claim that says so', async () => {
    const green = network('green', { subnets: ['10.8.0.0/24'] });
    const elsewhere = [{ name: 'blue', multus: { networkName: 'green' } }];
    const replay = put(freshReplay(), network('blue'), green, ours('blue'), ours('green'), vm(), vmi());
    await replay.rows();
    put(replay, vm(elsewhere), vmi(elsewhere));
    await replay.rows();
    expect(await furtherPorts(replay)).toEqual({ 'vm/shop/db/blue': '0a:58:0a:08:00:02 10.8.0.2' });
    expect(claim(replay)).toMatchObject({ network: 'shop/green', ips: ['10.8.0.2/24'] });
  });

  test('is named where it cannot be had', async () => {
    const replay = put(freshReplay(), ours('blue'), vm(), vmi());
    expect(await problems(replay)).toEqual([
      'NetworkAttachmentDefinition blue: there is no Network shop/blue',
      'VirtualMachine db: network blue: NetworkAttachmentDefinition shop/blue: there is no Network shop/blue',
    ]);
  });

  test('of the example in docs/ is there', async () => {
    const replay = withExample('second-nic');
    expect(await furtherPorts(replay)).toEqual({
      'vm/default/db/backend': '0a:58:0a:14:00:02 10.20.0.2 fd00:20::2',
    });
    expect(await problems(replay)).toEqual([]);
  });
});
