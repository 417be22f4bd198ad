import { expect, test } from 'vitest';
import { portsPerSegment } from '#controller/ipam/cut.ts';
import { Replay } from '#controller/replay/replay.ts';

type Json = Readonly<Record<string, unknown>>;

const pod = (name: string): Json => ({
  metadata: { namespace: 'default', name, uid: name },
  spec: { nodeName: 'node-a' },
});

/** The default network in segments of 16 addresses, of which 12 are for guests. */
function replayOfSmallSegments(): Replay {
  const replay = new Replay(
    { networkDefaults: { mtu: 1400, segmentAddresses: 16 }, bindingPlugins: {} },
    { dhcpv4: [], dhcpv6: [] },
  );
  const spec = { topology: 'overlay', role: 'primary', subnets: ['10.0.0.0/26', 'fd00::/64'] };
  put(replay, 'ClusterNetwork', { metadata: { name: 'default', uid: 'net' }, spec });
  return replay;
}

function put(replay: Replay, kind: string, object: Json): void {
  replay.apply({ type: 'MODIFIED', kind, object });
}

async function switches(replay: Replay): Promise<Readonly<Record<string, number>>> {
  await replay.core.settle();
  const { board } = replay.core.engine;
  const counts: Record<string, number> = {};
  for (const { key } of board.rows('Logical_Switch')) counts[key] = 0;
  for (const { key, fact } of board.rows('Logical_Switch_Port')) {
    if (key.startsWith('pod/') && fact?.parent !== undefined)
      counts[fact.parent.row] = (counts[fact.parent.row] ?? 0) + 1;
  }
  return counts;
}

test('a network takes another segment when one is full, and gives it up when the last port on it is gone', async () => {
  const replay = replayOfSmallSegments();
  const names = Array.from({ length: 15 }, (_, i) => `p${String(i).padStart(2, '0')}`);
  for (const name of names) put(replay, 'Pod', pod(name));
  expect(await switches(replay)).toEqual({ 'clusternetwork/default': 13, 'clusternetwork/default/1': 2 });

  const rows = await replay.rows();
  const second = [...rows].find(([, { addresses }]) => String(addresses).includes('10.0.0.18'));
  expect(second?.[1]).toMatchObject({
    addresses: ['0a:58:0a:00:00:12 10.0.0.18 fd00::4000:0:0:2'],
    external_ids: { 'hawser:gateways': '10.0.0.17/28 fd00::4000:0:0:1/66' },
  });
  expect(rows.get('Logical_Router_Port/clusternetwork/default/1/gateway')).toMatchObject({
    mac: '0a:58:0a:00:00:11',
    networks: ['10.0.0.17/28', 'fd00::4000:0:0:1/66'],
  });

  for (const name of names.slice(13)) replay.apply({ type: 'DELETED', kind: 'Pod', object: pod(name) });
  expect(await switches(replay)).toEqual({ 'clusternetwork/default': 13 });
});

test('a network of IPv6 alone is another switch from the 32,766th guest on, and those before stay where they are', async () => {
  const replay = new Replay({ networkDefaults: { mtu: 1400 }, bindingPlugins: {} }, { dhcpv4: [], dhcpv6: [] });
  const metadata = { namespace: 'default', name: 'wide', uid: 'wide' };
  put(replay, 'Network', { metadata, spec: { topology: 'overlay', role: 'primary', subnets: ['fd00::/56'] } });
  for (let i = 0; i < 32_765; i += 1) put(replay, 'Pod', pod(`p${i}`));
  expect(await switches(replay)).toEqual({ 'network/default/wide': 32_765 });
  for (let i = 32_765; i < 32_780; i += 1) put(replay, 'Pod', pod(`p${i}`));
  const counts = await switches(replay);
  expect(counts).toEqual({
    'network/default/wide': portsPerSegment,
    'network/default/wide/1': 32_780 - portsPerSegment,
  });
  // With the port of the router, and that of a DHCP server of ours.
  expect(portsPerSegment + 2).toBeLessThanOrEqual(32_767);
}, 60_000);

test('a router is not named as any switch, so that ovn-trace can tell them apart', async () => {
  const rows = await replayOfSmallSegments().rows();
  const names = (table: string) => [...rows].flatMap(([id, { name }]) => (id.startsWith(`${table}/`) ? [name] : []));
  expect({ switches: names('Logical_Switch'), routers: names('Logical_Router') }).toEqual({
    switches: ['clusternetwork/default'],
    routers: ['router/clusternetwork/default'],
  });
});

test('an underlay is a switch on the physical network, with its VLAN, and no router', async () => {
  const replay = replayOfSmallSegments();
  const spec = {
    ...{ topology: 'underlay', role: 'primary', physicalNetwork: 'lan', vlan: 5 },
    subnets: ['192.0.2.0/24', '2001:db8::/64'],
  };
  put(replay, 'Network', { metadata: { namespace: 'default', name: 'lan', uid: 'lan' }, spec });
  put(replay, 'Pod', pod('p0'));
  await replay.core.settle();
  const rows = new Map([...(await replay.rows())].filter(([key]) => key.includes('network/default/lan')));
  expect([...rows.keys()].toSorted()).toEqual([
    'Logical_Switch/network/default/lan',
    'Logical_Switch_Port/network/default/lan/localnet',
  ]);
  expect(rows.get('Logical_Switch_Port/network/default/lan/localnet')).toMatchObject({
    type: 'localnet',
    tag: 5,
    addresses: ['unknown'],
    options: { network_name: 'lan' },
  });
  expect((await replay.rows()).get('Logical_Switch_Port/pod/default/p0')).toMatchObject({
    external_ids: { 'hawser:gateways': '192.0.2.1/24 2001:db8::1/64', 'hawser:mtu': '1500' },
  });
});
