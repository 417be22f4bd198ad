import { expect, test } from 'vitest';
import { Replay } from '#controller/replay/replay.ts';
import { ovn2303 } from '#dhcp/ovn/capabilities-of-releases.ts';
import { type Json, type KubeObject, problems, put, remove } from '../played-objects.ts';

// What guests are told on a network that OVN answers: rows of the northbound database.

const network = (guest: Json): KubeObject => ({
  kind: 'ClusterNetwork',
  object: {
    metadata: { name: 'default', uid: 'net' },
    spec: { topology: 'overlay', role: 'primary', subnets: ['10.0.0.0/24', 'fd00::/64'], guest },
  },
});

/** @param annotation what the VM says for itself, as whoever wrote it did */
const vmi = (name: string, annotation?: string): KubeObject => ({
  kind: 'VirtualMachineInstance',
  object: {
    metadata: {
      ...{ namespace: 'default', name, uid: name },
      ...(annotation !== undefined && { annotations: { 'hawser.dev/guest': annotation } }),
    },
    spec: {
      domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] } },
      networks: [{ name: 'default', pod: {} }],
    },
    status: { nodeName: 'node-a' },
  },
});

const pod: KubeObject = {
  kind: 'Pod',
  object: { metadata: { namespace: 'default', name: 'web', uid: 'web' }, spec: { nodeName: 'node-a' } },
};

function played(...objects: readonly KubeObject[]): Replay {
  const [dhcpv4, dhcpv6] = [[...ovn2303.dhcpv4.values()], [...ovn2303.dhcpv6.values()]];
  const options = { networkDefaults: { mtu: 1400 }, bindingPlugins: { hawser: 'managedTap' as const } };
  return put(new Replay(options, { dhcpv4, dhcpv6 }), ...objects);
}

/** What a port is told by each family's row, and by itself. */
async function toldOf(replay: Replay, port: string): Promise<Json> {
  const rows = await replay.rows();
  const { dhcpv4_options, dhcpv6_options, options } = Object(rows.get(`Logical_Switch_Port/${port}`));
  const optionsOf = (row: unknown): unknown => rows.get(`DHCP_Options/${String(row)}`)?.options;
  return { port: options, v4: optionsOf(dhcpv4_options), v6: optionsOf(dhcpv6_options) };
}

const sharedRows = async (replay: Replay): Promise<readonly string[]> =>
  [...(await replay.rows()).keys()].filter((key) => key.startsWith('DHCP_Options/')).sort();

const dns = { servers: ['10.0.0.53', 'fd00::53'], search: ['example.com'] };

test('guests with equal settings share a row of each family, and each port has its host name', async () => {
  const replay = played(network({ dns }), vmi('a'), vmi('b'), pod);
  const v4 = { router: '10.0.0.1', mtu: '1400', dns_server: '10.0.0.53', domain_search_list: '"example.com"' };
  const v6 = { server_id: '0a:58:0a:00:00:01', dns_server: 'fd00::53' };
  for (const name of ['a', 'b']) {
    expect(await toldOf(replay, `vm/default/${name}`)).toMatchObject({ port: { hostname: `"${name}"` }, v4, v6 });
  }
  expect(await sharedRows(replay)).toEqual([
    expect.stringMatching(/^DHCP_Options\/dhcpv4\/clusternetwork\/default\/[0-9a-f]{10}$/),
    expect.stringMatching(/^DHCP_Options\/dhcpv6\/clusternetwork\/default\/[0-9a-f]{10}$/),
  ]);
  expect((await replay.rows()).get('Logical_Router_Port/clusternetwork/default/gateway')).toMatchObject({
    ipv6_ra_configs: { address_mode: 'dhcpv6_stateful', mtu: '1400', rdnss: 'fd00::53', dnssl: 'example.com' },
  });
  expect(await toldOf(replay, 'pod/default/web')).toMatchObject({ v4: undefined, v6: undefined });
  expect(await problems(replay)).toEqual([]);
});

test('a VM that says something for itself has rows of its own, which go with it', async () => {
  const replay = played(network({}), vmi('a'));
  const ofNetwork = await sharedRows(replay);
  const own = vmi('b', JSON.stringify({ mtu: 1300, hostName: 'web' }));
  put(replay, own);
  expect(await toldOf(replay, 'vm/default/b')).toMatchObject({ port: { hostname: '"web"' }, v4: { mtu: '1300' } });
  expect(await toldOf(replay, 'vm/default/a')).toMatchObject({ port: { hostname: '"a"' }, v4: { mtu: '1400' } });
  // Nothing is said of MTU by DHCPv6, so that row is the network's own.
  expect((await sharedRows(replay)).length).toBe(ofNetwork.length + 1);
  remove(replay, own);
  expect(await sharedRows(replay)).toEqual(ofNetwork);
});

test.each([
  ['a field that is wrong', '{"dns": {"servers": ["dns"]}}', 'dns.servers[0]: "dns" is not an IPv4 or IPv6 address'],
  ['a field that is misspelt', '{"dnsServers": []}', 'dnsServers: is not a guest setting'],
  ['no JSON', 'mtu: 1300', 'guest settings: must be a set of fields'],
])(
  '%s in the annotation is told of the VM, whose guest is told what its network says',
  async (_what, annotation, sentence) => {
    const replay = played(network({}), vmi('a', annotation));
    expect(await problems(replay)).toEqual([`VirtualMachineInstance a: hawser.dev/guest: ${sentence}`]);
    expect(await toldOf(replay, 'vm/default/a')).toMatchObject({ port: { hostname: '"a"' }, v4: { mtu: '1400' } });
  },
);

test('what the running OVN cannot say is told of whoever set it, and the rest is said', async () => {
  const replay = played(
    network({ ra: { pref64: '64:ff9b::/96' } }),
    vmi('a', '{"captivePortal":"https://p/","mtu":1300}'),
  );
  expect(await problems(replay)).toEqual([
    'ClusterNetwork default: spec.guest.ra.pref64: PREF64 needs guest.service: server; this OVN cannot say it',
    'VirtualMachineInstance a: hawser.dev/guest: captivePortal: DHCPv6 option 103 needs guest.service: server; this OVN cannot say it',
    'VirtualMachineInstance a: hawser.dev/guest: captivePortal: option 114 needs guest.service: server; this OVN cannot say it',
  ]);
  expect(await toldOf(replay, 'vm/default/a')).toMatchObject({ v4: { mtu: '1300' } });
});

test('what only DHCPv6 could tell is told of whoever set it, where no guest asks DHCPv6', async () => {
  const replay = played(network({ ntp: ['10.0.0.7', 'fd00::7'], ra: { mode: 'slaac' } }), vmi('a'));
  expect(await problems(replay)).toEqual([
    'ClusterNetwork default: spec.guest.ntp: only DHCPv6 can tell it, which no guest asks in ra.mode slaac; in stateless they do',
  ]);
  expect(await toldOf(replay, 'vm/default/a')).toMatchObject({ v4: { ntp_server: '10.0.0.7' }, v6: undefined });
});
