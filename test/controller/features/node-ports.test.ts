import { expect, test } from 'vitest';
import { Replay } from '#controller/replay/replay.ts';

type Json = Readonly<Record<string, unknown>>;

const node = (name: string, ...ips: string[]): Json => ({
  metadata: { name, uid: name },
  status: { addresses: ips.map((address) => ({ type: 'InternalIP', address })) },
});

function replayOf(subnets: readonly string[], ...nodes: readonly Json[]): Replay {
  const replay = new Replay(
    { networkDefaults: { mtu: 1400, segmentAddresses: 16 }, bindingPlugins: {} },
    { dhcpv4: [], dhcpv6: [] },
  );
  put(replay, 'ClusterNetwork', {
    metadata: { name: 'default', uid: 'net' },
    spec: { topology: 'overlay', role: 'primary', subnets },
  });
  for (const object of nodes) put(replay, 'Node', object);
  return replay;
}

function put(replay: Replay, kind: string, object: Json): void {
  replay.apply({ type: 'MODIFIED', kind, object });
}

async function rowsOfNode(replay: Replay, name: string): Promise<Json> {
  return Object.fromEntries([...(await replay.rows())].filter(([key]) => key.includes(`node/${name}`)));
}

test('a node is a guest of the default network, reaches all of it, and is reached at its own addresses', async () => {
  const replay = replayOf(['10.0.0.0/26', 'fd00::/64'], node('node-a', '192.0.2.11', '2001:db8::11'));
  expect(await rowsOfNode(replay, 'node-a')).toEqual({
    'Logical_Switch_Port/node/node-a': {
      name: 'node/node-a',
      addresses: ['0a:58:0a:00:00:02 10.0.0.2 fd00::2'],
      port_security: [],
      options: { 'requested-chassis': 'node-a' },
      external_ids: {
        'hawser:owner': 'node/node-a',
        'hawser:uid': 'node-a',
        'hawser:attach': 'management',
        'hawser:gateways': '10.0.0.1/28 fd00::1/66',
        'hawser:mtu': '1400',
        'hawser:routes': '10.0.0.0/26,10.0.0.1 fd00::/64,fd00::1',
      },
    },
    'Logical_Router_Static_Route/node/node-a/192.0.2.11': {
      ip_prefix: '192.0.2.11/32',
      nexthop: '10.0.0.2',
      external_ids: { 'hawser:owner': 'node/node-a/192.0.2.11', 'hawser:uid': 'node-a' },
    },
    'Logical_Router_Static_Route/node/node-a/2001:db8::11': {
      ip_prefix: '2001:db8::11/128',
      nexthop: 'fd00::2',
      external_ids: { 'hawser:owner': 'node/node-a/2001:db8::11', 'hawser:uid': 'node-a' },
    },
  });
});

test('an address of a family that the network does not have is not routed', async () => {
  const replay = replayOf(['10.0.0.0/28'], node('node-a', '192.0.2.11', '2001:db8::11'));
  expect(Object.keys(await rowsOfNode(replay, 'node-a')).toSorted()).toEqual([
    'Logical_Router_Static_Route/node/node-a/192.0.2.11',
    'Logical_Switch_Port/node/node-a',
  ]);
});

test('a node that left takes its port and routes along; one that comes back as another node starts anew', async () => {
  const replay = replayOf(['10.0.0.0/28'], node('node-a', '192.0.2.11'), node('node-b', '192.0.2.12'));
  const before = await rowsOfNode(replay, 'node-b');
  replay.apply({ type: 'DELETED', kind: 'Node', object: node('node-a') });
  expect(await rowsOfNode(replay, 'node-a')).toEqual({});
  put(replay, 'Node', { ...node('node-a', '192.0.2.11'), metadata: { name: 'node-a', uid: 'another' } });
  expect(Object.keys(await rowsOfNode(replay, 'node-a'))).toHaveLength(2);
  expect(await rowsOfNode(replay, 'node-b')).toEqual(before);
});

test('without the default network nothing is said about nodes', async () => {
  const replay = new Replay({ networkDefaults: { mtu: 1400 }, bindingPlugins: {} }, { dhcpv4: [], dhcpv6: [] });
  put(replay, 'Node', node('node-a', '192.0.2.11'));
  expect(await rowsOfNode(replay, 'node-a')).toEqual({});
  expect([...replay.core.engine.board.problems]).toEqual([]);
});
