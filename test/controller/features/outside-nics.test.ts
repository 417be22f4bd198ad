import { describe, expect, test } from 'vitest';
import { formerAddresses } from '#controller/northbound/former-addresses.ts';
import type { Replay } from '#controller/replay/replay.ts';
import { parsePortBinding } from '#node-agent/port-request.ts';
import { KubeVirtScript } from '../kubevirt/script.ts';
import { type Json, type KubeObject, problems, put, remove, withExample } from '../played-objects.ts';
import { freshReplay } from '../recordings.ts';

// NICs that another plugin attaches outside of br-int, whose guests our server answers.

const mac = '02:00:00:00:00:07';

const storage = (changes: Json = {}): KubeObject => ({
  kind: 'Network',
  object: {
    metadata: { namespace: 'shop', name: 'storage', uid: 'network-storage' },
    spec: {
      ...{ topology: 'underlay', physicalNetwork: 'lan', vlan: 7, role: 'secondary' },
      subnets: ['10.9.0.0/24', 'fd00:9::/64'],
      guest: { service: 'server', leaseSeconds: 600 },
      ...changes,
    },
  },
});

const definition = (annotations: Json = { 'hawser.dev/network': 'storage' }, conf: Json = {}): KubeObject => ({
  kind: 'NetworkAttachmentDefinition',
  object: {
    metadata: { namespace: 'shop', name: 'blue', uid: 'nad-blue', annotations },
    spec: { config: JSON.stringify({ cniVersion: '1.0.0', name: 'blue', type: 'macvtap', ...conf }) },
  },
});

const pod = (selection: Json = { name: 'blue', mac }): KubeObject => ({
  kind: 'Pod',
  object: {
    metadata: {
      ...{ namespace: 'shop', name: 'web', uid: 'uid-web' },
      annotations: { 'k8s.v1.cni.cncf.io/networks': JSON.stringify([selection]) },
    },
    spec: { nodeName: 'node-a' },
  },
});

const vmi = (nic: Json = { bridge: {}, macAddress: mac }): KubeObject => ({
  kind: 'VirtualMachineInstance',
  object: {
    metadata: { namespace: 'shop', name: 'db', uid: 'vmi-db' },
    spec: {
      networks: [
        { name: 'default', pod: {} },
        { name: 'blue', multus: { networkName: 'blue' } },
      ],
      domain: {
        devices: {
          interfaces: [
            { name: 'default', binding: { name: 'hawser' } },
            { name: 'blue', ...nic },
          ],
        },
      },
    },
    status: { phase: 'Running', nodeName: 'node-a' },
  },
});

const outside = async (replay: Replay, name = 'vm/shop/db/blue') =>
  (await replay.rows()).get(`Logical_Switch_Port/${name}`);

const marks = { 'hawser:guest-server': 'network/shop/storage/outside lan 7' };
const network = { defaultRoute: false, service: 'server', leaseSeconds: 600 };

describe("a VM's NIC that another plugin attaches", () => {
  const all = [storage(), definition(), vmi()] as const;

  test('has a port nobody binds, which tells its node whom to answer and what to say', async () => {
    const replay = put(freshReplay(), ...all);
    const row = await outside(replay);
    expect(row).toEqual({
      name: 'vm/shop/db/blue',
      addresses: [],
      port_security: [],
      options: { 'requested-chassis': 'node-a' },
      external_ids: {
        'hawser:owner': 'vm/shop/db/blue',
        'hawser:uid': 'vmi-db',
        'hawser:attach': 'outside',
        'hawser:addresses': `${mac} 10.9.0.2 fd00:9::2`,
        'hawser:gateways': '10.9.0.1/24 fd00:9::1/64',
        'hawser:mtu': '1500',
        ...marks,
        'hawser:guest': JSON.stringify({ hostName: 'db', network, own: {} }),
      },
    });
    expect(await problems(replay)).toEqual([]);
    expect(replay.core.tables.claims.get('shop/db.blue')).toMatchObject({ network: 'shop/storage' });
    expect([...(await replay.rows()).keys()].filter((key) => key.startsWith('DHCP_Options/'))).toEqual([
      expect.stringContaining('/clusternetwork/default/'),
      expect.stringContaining('/clusternetwork/default/'),
    ]);
  });

  test('is understood by the node agent', async () => {
    const ids = new Map(
      Object.entries(Object((await outside(put(freshReplay(), ...all)))?.external_ids)).map(([k, v]) => [k, String(v)]),
    );
    expect(parsePortBinding({ logical_port: 'vm/shop/db/blue', mac: [], external_ids: ids })).toMatchObject({
      kind: 'request',
      request: {
        attach: 'outside',
        mac,
        addresses: [
          { address: '10.9.0.2', prefixLength: 24 },
          { address: 'fd00:9::2', prefixLength: 64 },
        ],
        pods: new Map(),
        guest: {
          hostName: 'db',
          segment: 'network/shop/storage/outside',
          place: { kind: 'link', physicalNetwork: 'lan', vlan: 7 },
        },
      },
    });
  });

  test.each<[string, Json]>([
    ['bridge', { bridge: {} }],
    ['SR-IOV', { sriov: {} }],
    ["somebody else's binding plugin", { binding: { name: 'macvtap' } }],
    ['our binding plugin', { binding: { name: 'hawser' } }],
  ])('is the same by %s', async (_binding, binding) => {
    const replay = put(freshReplay(), storage(), definition(), vmi({ ...binding, macAddress: mac }));
    expect(await outside(replay)).toMatchObject({ external_ids: { 'hawser:attach': 'outside' } });
  });

  test('comes whichever of VM, network and definition comes first, and not without any of them', async () => {
    for (const order of [
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const) {
      const replay = freshReplay();
      for (const index of order) {
        expect(await outside(replay)).toBeUndefined();
        put(replay, ...all.slice(index, index + 1));
      }
      const before = await outside(replay);
      expect(before).toBeDefined();
      for (const gone of [storage(), definition()]) {
        remove(replay, gone);
        expect(await outside(replay)).toBeUndefined();
        put(replay, gone);
        expect(await outside(replay)).toEqual(before);
      }
      remove(replay, vmi());
      expect(await outside(replay)).toBeUndefined();
    }
  });

  test('follows its network: another VLAN, other settings', async () => {
    const replay = put(freshReplay(), ...all);
    await outside(replay);
    put(replay, storage({ vlan: 8, guest: { service: 'server', mtu: 9000 } }));
    expect(await outside(replay)).toMatchObject({
      external_ids: {
        'hawser:guest-server': 'network/shop/storage/outside lan 8',
        'hawser:mtu': '9000',
        'hawser:addresses': `${mac} 10.9.0.2 fd00:9::2`,
      },
    });
    put(replay, storage({ vlan: undefined }));
    expect(await outside(replay)).toMatchObject({
      external_ids: { 'hawser:guest-server': 'network/shop/storage/outside lan' },
    });
  });

  test('is on br-int as soon as the definition is for our plugin, and keeps its addresses', async () => {
    const replay = put(freshReplay(), ...all);
    await outside(replay);
    put(replay, definition({}, { type: 'hawser', network: 'storage' }));
    expect(await outside(replay)).toMatchObject({
      addresses: [`${mac} 10.9.0.2 fd00:9::2`],
      external_ids: { 'hawser:attach': 'managedTap' },
    });
    // For our plugin it is the configuration that counts.
    put(replay, definition({ 'hawser.dev/network': 'other' }, { type: 'hawser', network: 'storage' }));
    expect(await outside(replay)).toMatchObject({ external_ids: { 'hawser:attach': 'managedTap' } });
  });

  test('may be on a ClusterNetwork that selects its namespace', async () => {
    const spec = { ...Object(storage().object.spec), namespaceSelector: {} };
    const shared: KubeObject = { kind: 'ClusterNetwork', object: { metadata: { name: 'lan', uid: 'lan' }, spec } };
    const replay = put(freshReplay(), shared, definition({ 'hawser.dev/cluster-network': 'lan' }), vmi());
    expect(await outside(replay)).toMatchObject({
      external_ids: { 'hawser:guest-server': 'clusternetwork/lan/outside lan 7' },
    });
  });

  test('is answered by both nodes while it migrates, and by the one it ends up on', async () => {
    const kubevirt = new KubeVirtScript();
    kubevirt.createVm({ interfaces: [{ name: 'blue', bridge: {}, macAddress: mac }] });
    const source = kubevirt.boot('node-a');
    const replay = put(freshReplay(), storage(), definition());
    let told = 0;
    const chassis = async () => {
      for (const event of kubevirt.events.slice(told)) replay.apply(event);
      told = kubevirt.events.length;
      const row = await outside(replay);
      expect(row).toMatchObject({ addresses: [], external_ids: { ...marks, 'hawser:addresses': expect.any(String) } });
      return Object(row?.options)['requested-chassis'];
    };
    expect(await chassis()).toBe('node-a');
    const target = kubevirt.beginMigration('mig', 'node-b', ['blue']);
    expect(await chassis()).toBe('node-a,node-b');
    kubevirt.handOff('mig', target, source);
    kubevirt.migrate('mig');
    expect(await chassis()).toBe('node-a,node-b');
    kubevirt.domainReady(target);
    kubevirt.succeed('mig', target, source);
    expect(await chassis()).toBe('node-b');
  });

  test('of the example in docs/ is there', async () => {
    const replay = withExample('outside-nic');
    expect(await outside(replay, 'vm/default/db/storage')).toMatchObject({
      external_ids: {
        'hawser:addresses': '02:48:57:00:00:07 10.30.0.2',
        'hawser:guest-server': 'network/default/storage/outside storage',
        'hawser:mtu': '1500',
      },
    });
    expect(await problems(replay)).toEqual([]);
  });
});

describe("a pod's NIC that another plugin attaches", () => {
  test('is answered too, by the MAC it asks for', async () => {
    const replay = put(freshReplay(), storage(), definition(), pod());
    expect(await outside(replay, 'pod/shop/web/net1')).toMatchObject({
      addresses: [],
      external_ids: {
        'hawser:addresses': `${mac} 10.9.0.2 fd00:9::2`,
        ...marks,
        'hawser:guest': JSON.stringify({ network, own: {} }),
      },
    });
    expect(await problems(replay)).toEqual([]);
  });

  test('has the addresses it had when the controller starts anew', async () => {
    const replay = put(freshReplay(), storage(), definition(), pod({ name: 'blue', mac, ips: ['10.9.0.70'] }));
    const row = await outside(replay, 'pod/shop/web/net1');
    const ids = new Map(Object.entries(Object(row?.external_ids)));
    const rows = new Map([['1', { name: 'pod/shop/web/net1', addresses: [], external_ids: ids }]]);
    expect(await formerAddresses(Object({ rows: () => rows }))).toEqual(
      new Map([['pod/shop/web/net1', { uid: 'uid-web', mac, ips: ['10.9.0.70', 'fd00:9::2'] }]]),
    );
  });
});

describe('whoever cannot be answered is told why', () => {
  const nad = 'NetworkAttachmentDefinition blue:';
  const db = 'VirtualMachineInstance db: network blue: NetworkAttachmentDefinition shop/blue:';
  const both = (sentence: string) => [`${nad} ${sentence}`, `${db} ${sentence}`];
  const secondary = { role: 'secondary', subnets: ['10.9.0.0/24'] };
  test.each<[string, readonly KubeObject[], readonly string[]]>([
    ['no such network', [definition(), vmi()], both('there is no Network shop/storage')],
    [
      'answered by OVN',
      [storage({ guest: {} }), definition(), vmi()],
      both('Network shop/storage needs guest.service: server: OVN cannot answer what another plugin attaches'),
    ],
    [
      'an overlay',
      [storage({ ...secondary, topology: 'overlay', physicalNetwork: undefined }), definition(), vmi()],
      both('Network shop/storage is not an underlay: what another plugin attaches is never on an overlay'),
    ],
    [
      'a primary network',
      [storage({ role: 'primary' }), definition()],
      [`${nad} Network shop/storage has the role primary; further NICs are on networks of role secondary`],
    ],
    [
      'two networks',
      [definition({ 'hawser.dev/network': 'storage', 'hawser.dev/cluster-network': 'lan' })],
      [
        `${nad} one of the annotations "hawser.dev/network", of this namespace, and "hawser.dev/cluster-network" should name a network`,
      ],
    ],
    [
      'a VM without a MAC',
      [storage(), definition(), vmi({ sriov: {} })],
      [
        'VirtualMachineInstance db: network blue: macAddress of the interface is needed: another plugin attaches the NIC, and its guest is known by its MAC',
      ],
    ],
    [
      'a pod without a MAC',
      [storage(), definition(), pod({ name: 'blue' })],
      [
        'Pod web: k8s.v1.cni.cncf.io/networks: net1 needs a "mac": another plugin attaches the NIC, and its guest is known by its MAC',
      ],
    ],
  ])('%s', async (_what, objects, sentences) => {
    const replay = put(freshReplay(), ...objects);
    expect(await problems(replay)).toEqual(sentences);
    expect(await outside(replay)).toBeUndefined();
    expect(await outside(replay, 'pod/shop/web/net1')).toBeUndefined();
  });

  test('of two with one MAC the second one', async () => {
    const replay = put(freshReplay(), storage(), definition(), vmi());
    await replay.rows();
    put(replay, pod());
    expect(await problems(replay)).toEqual([expect.stringContaining(mac)]);
    expect(await outside(replay)).toBeDefined();
    expect(await outside(replay, 'pod/shop/web/net1')).toBeUndefined();
  });

  test('and nobody on a definition that names no network: it is somebody else’s', async () => {
    const replay = put(freshReplay(), storage(), definition({}), vmi(), pod());
    expect(await problems(replay)).toEqual([]);
    expect(await outside(replay)).toBeUndefined();
  });
});
