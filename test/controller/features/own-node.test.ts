import { expect, test } from 'vitest';
import { Replay } from '#controller/replay/replay.ts';

type Json = Readonly<Record<string, unknown>>;

const node = (name: string): Json => ({ metadata: { name, uid: name } });
const policy: Json = { metadata: { namespace: 'shop', name: 'deny', uid: 'deny' }, spec: { podSelector: {} } };

function replayOf(subnets: readonly string[], ...nodes: readonly Json[]): Replay {
  const replay = new Replay(
    { networkDefaults: { mtu: 1400, segmentAddresses: 16 }, bindingPlugins: {} },
    { dhcpv4: [], dhcpv6: [] },
  );
  const spec = { topology: 'overlay', role: 'primary', subnets };
  replay.apply({ type: 'ADDED', kind: 'ClusterNetwork', object: { metadata: { name: 'default', uid: 'net' }, spec } });
  for (const object of nodes) replay.apply({ type: 'ADDED', kind: 'Node', object });
  return replay;
}

/** The group of segments, and the ACLs on it. */
async function rowsOfNodes(replay: Replay): Promise<Json> {
  const rows = [...(await replay.rows())];
  return Object.fromEntries(rows.filter(([key]) => key === 'Port_Group/nodes' || /^ACL\/node\//.test(key)));
}

test('while there is any policy, the guests of a node are reached from that node', async () => {
  const replay = replayOf(['10.0.0.0/26', 'fd00::/64'], node('node-a'), node('node-b'));
  expect(await rowsOfNodes(replay)).toEqual({});
  replay.apply({ type: 'ADDED', kind: 'NetworkPolicy', object: policy });
  const acl = (name: string, ipv4: string, ipv6: string) => ({
    direction: 'to-lport',
    priority: 1002,
    match: `(ip4.src == ${ipv4} || ip6.src == ${ipv6}) && is_chassis_resident("node/${name}")`,
    action: 'allow',
    external_ids: { 'hawser:owner': `node/${name}/own-guests`, 'hawser:uid': name },
  });
  expect(await rowsOfNodes(replay)).toEqual({
    'Port_Group/nodes': {
      name: 'hawser_nodes',
      ports: ['clusternetwork/default/router'],
      acls: ['node/node-a/own-guests', 'node/node-b/own-guests'],
      external_ids: { 'hawser:owner': 'nodes' },
    },
    'ACL/node/node-a/own-guests': acl('node-a', '10.0.0.2', 'fd00::2'),
    'ACL/node/node-b/own-guests': acl('node-b', '10.0.0.3', 'fd00::3'),
  });
  replay.apply({ type: 'DELETED', kind: 'NetworkPolicy', object: policy });
  expect(await rowsOfNodes(replay)).toEqual({});
});

test('on every segment of the default network that is in use', async () => {
  const replay = replayOf(['10.0.0.0/26'], node('node-a'));
  await replay.core.settle();
  replay.apply({ type: 'ADDED', kind: 'NetworkPolicy', object: policy });
  for (let i = 0; i < 14; i += 1) {
    const object = { metadata: { namespace: 'shop', name: `p${i}`, uid: `p${i}` }, spec: { nodeName: 'node-a' } };
    replay.apply({ type: 'ADDED', kind: 'Pod', object });
  }
  expect(await rowsOfNodes(replay)).toMatchObject({
    'Port_Group/nodes': { ports: ['clusternetwork/default/1/router', 'clusternetwork/default/router'] },
    'ACL/node/node-a/own-guests': { match: '(ip4.src == 10.0.0.2) && is_chassis_resident("node/node-a")' },
  });
});
