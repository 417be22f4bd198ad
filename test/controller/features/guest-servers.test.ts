import { expect, test } from 'vitest';
import { Replay } from '#controller/replay/replay.ts';

type Json = Readonly<Record<string, unknown>>;

const put = (replay: Replay, kind: string, object: Json): void => replay.apply({ type: 'MODIFIED', kind, object });

/** A VM on the default network with these guest settings, and what the running OVN says it can tell. */
function replayOf(guest: Json, annotation?: Json, changes: Json = {}): Replay {
  const defaults = { networkDefaults: { mtu: 1400 }, bindingPlugins: { hawser: 'managedTap' as const } };
  const replay = new Replay(defaults, { dhcpv4: [{ name: 'router', code: 3, type: 'ipv4' }], dhcpv6: [] });
  const spec = { topology: 'overlay', role: 'primary', subnets: ['10.0.0.0/24', 'fd00::/64'], guest, ...changes };
  put(replay, 'ClusterNetwork', { metadata: { name: 'default', uid: 'net' }, spec });
  const annotations = annotation && { 'hawser.dev/guest': JSON.stringify(annotation) };
  put(replay, 'VirtualMachineInstance', {
    metadata: { namespace: 'default', name: 'db', uid: 'db', ...(annotations && { annotations }) },
    spec: {
      domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] } },
      networks: [{ name: 'default', pod: {} }],
    },
    status: { nodeName: 'node-a' },
  });
  return replay;
}

const problemsOf = async (replay: Replay): Promise<readonly string[]> => {
  await replay.core.settle();
  return [...replay.core.engine.board.problems].map(({ sentence }) => sentence);
};

test('on a network with service: server, OVN is told nothing and the nodes everything', async () => {
  const guest = { service: 'server', captivePortal: 'https://p/', ra: { pref64: '64:ff9b::/96' } };
  const rows = await replayOf(guest, { mtu: 1300 }).rows();
  expect(rows.get('Logical_Switch_Port/clusternetwork/default/dhcp')).toMatchObject({
    type: 'localport',
    addresses: [expect.stringMatching(/^0a(:[0-9a-f]{2}){5}$/)],
  });
  const port = rows.get('Logical_Switch_Port/vm/default/db');
  expect(port).not.toHaveProperty('dhcpv4_options');
  expect(port?.external_ids).toMatchObject({
    'hawser:guest-server': expect.stringMatching(/^clusternetwork\/default\/dhcp 0a\S+ 0a:58:0a:00:00:01$/),
    'hawser:guest': JSON.stringify({ hostName: 'db', network: guest, own: { mtu: 1300 } }),
  });
  expect(rows.get('Logical_Router_Port/clusternetwork/default/gateway')).not.toHaveProperty('ipv6_ra_configs');
  expect([...rows.keys()].filter((key) => key.startsWith('DHCP_Options/'))).toEqual([]);
});

test('on an underlay no router is named: its routers are somebody else and advertise themselves', async () => {
  const underlay = { topology: 'underlay', physicalNetwork: 'storage', vlan: 100 };
  const rows = await replayOf({ service: 'server' }, undefined, underlay).rows();
  expect(rows.get('Logical_Switch_Port/vm/default/db')?.external_ids).toMatchObject({
    'hawser:guest-server': expect.stringMatching(/^clusternetwork\/default\/dhcp 0a(:[0-9a-f]{2}){5}$/),
  });
});

test('what OVN cannot say is a condition, and none when our server says it', async () => {
  const guest = { captivePortal: 'https://p/' };
  expect((await problemsOf(replayOf(guest))).join()).toMatch(/option 114 .*needs `?guest\.service: server/);
  expect(await problemsOf(replayOf({ ...guest, service: 'server' }))).toEqual([]);
});

test('who answers is for a whole network: a VM that says otherwise is told so', async () => {
  expect(await problemsOf(replayOf({}, { service: 'server' }))).toContain(
    'hawser.dev/guest: service: who answers is for a whole network; set it there',
  );
});
