import type { Feature, Read } from '../engine/engine.ts';
import { row, setEntry } from '../engine/facts.ts';
import { parseAddress } from '../ipam/address.ts';
import type { Node } from '../kube/objects/node.ts';
import { rowUuid } from '../northbound/row-uuid.ts';
import { ownerMark } from './marks.ts';
import { nodeNetwork, nodePort } from './node-ports.ts';
import { isInUse, uplinkOf } from './segments.ts';
import type { Segment, Tables } from './tables.ts';

/**
 * No policy keeps a node from the pods and guests that run on it, or kubelet's probes would fail: "traffic to and from the node where a
 * Pod is running is always allowed" (Kubernetes, NetworkPolicy). A node comes from its management port. ACLs of direction `to-lport`
 * are looked at on the chassis of the port that is sent to, so `is_chassis_resident` makes a node's ACL speak of its own guests only,
 * wherever they migrate to. All of it is there while there is any policy.
 */
export function ownNode(tables: Tables): Feature<Node> {
  return {
    name: 'own-node',
    from: tables.nodes,
    object: ({ name, uid }) => ({ kind: 'Node', name, uid }),
    *facts(_key, node, read) {
      if (!isAnyPolicy(tables, read)) return;
      const port = nodePort(node);
      const addresses = read.get(tables.addresses, port);
      if (addresses === undefined) return;
      const sources = addresses.ips.map((ip) => `ip${parseAddress(ip)?.family}.src == ${ip}`);
      const key = `${port}/own-guests`;
      yield row('Port_Group', group, { name: groupName, external_ids: { 'hawser:owner': group } });
      yield row(
        'ACL',
        key,
        {
          direction: 'to-lport',
          priority,
          match: `(${sources.join(' || ')}) && is_chassis_resident("${port}")`,
          action: 'allow',
          external_ids: ownerMark(key, node.uid),
        },
        { table: 'Port_Group', row: group, column: 'acls' },
      );
    },
  };
}

/** A port group's ACLs are those of the switches that its ports are on: one port of each segment will do. */
export function segmentsOfNodes(tables: Tables): Feature<Segment> {
  return {
    name: 'segments-of-nodes',
    from: tables.segments,
    object: ({ object }) => object,
    *facts(_key, segment, read) {
      if (segment.network !== nodeNetwork || !isAnyPolicy(tables, read) || !isInUse(tables, read, segment)) return;
      yield setEntry('Port_Group', group, 'ports', rowUuid('Logical_Switch_Port', uplinkOf(segment)));
    },
  };
}

const group = 'nodes';
const groupName = 'hawser_nodes';
/** Above whatever a policy says (policies.ts). */
const priority = 1002;

function isAnyPolicy(tables: Tables, read: Read): boolean {
  return read.any(tables.networkPolicies, 'all', '');
}
