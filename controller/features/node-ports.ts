import type { Feature } from '../engine/engine.ts';
import { derived, type Fact, mapEntry, row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { type Cidr, formatCidr, parseAddress } from '../ipam/address.ts';
import type { Node } from '../kube/objects/node.ts';
import { ownerMark } from './marks.ts';
import { chassisPrecedence } from './ports.ts';
import type { NetworkPlan, Nic, NicAddresses, Segment, Tables } from './tables.ts';

/**
 * A node's management port: the node itself as a guest of the ClusterNetwork `default`. By it kubelet reaches every pod of that
 * network with an address of the network's own, so nothing is translated; and pods reach the node's own addresses, which the router
 * sends there. OVN-Kubernetes' `ovn-k8s-mp0` is the same, but for its subnet of the node.
 */
export function nodePorts(tables: Tables): Feature<Node> {
  return {
    name: 'node-ports',
    from: tables.nodes,
    object: ({ name, uid }) => ({ kind: 'Node', name, uid }),
    *facts(_key, node, read) {
      const plan = read.get(tables.networkPlans, nodeNetwork);
      // Without the network nobody waits for a port; and it is no fault of the node's.
      if (plan === undefined) return;
      const { name, uid } = node;
      const port = nodePort(node);
      const nic: Nic = {
        network: nodeNetwork,
        attach: 'management',
        object: { kind: 'Node', name, uid },
        request: { ips: [] },
        formerIps: [],
      };
      yield derived(tables.nics, port, nic);
      const addresses = read.get(tables.addresses, port);
      const segment = addresses && read.get(tables.segments, addresses.segment);
      if (addresses === undefined || segment === undefined) return;
      const routes = routesToNetwork(plan, segment);
      if (routes !== '') yield mapEntry('Logical_Switch_Port', port, 'external_ids', 'hawser:routes', routes);
      const { placed } = chassisPrecedence;
      yield mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', name, placed);
      // On an underlay the gateway is not ours to say anything to.
      if (segment.localnet === undefined) yield* routesToNode(node, port, addresses);
    },
  };
}

export function nodePort({ name }: { readonly name: string }): Key {
  return `${portPrefix}${name}`;
}

/** The name of the node whose port it is; undefined when it is no node's. */
export function nodeOfPort(port: Key): string | undefined {
  return port.startsWith(portPrefix) ? port.slice(portPrefix.length) : undefined;
}

const portPrefix = 'node/';

/** The network that nodes are on. */
export const nodeNetwork = 'clusternetwork/default';

/** By way of its own segment's gateway the node reaches all others. */
function routesToNetwork({ cuts }: NetworkPlan, { subnets }: Segment): string {
  const routes: string[] = [];
  for (const { cidr } of cuts) {
    const gateway = subnets.find(({ family }) => family === cidr.family)?.gateway;
    if (gateway !== undefined && !subnets.some((subnet) => subnet.cidr === formatCidr(cidr))) {
      routes.push(`${formatCidr(cidr)},${gateway}`);
    }
  }
  return routes.join(' ');
}

/** The node answers from the address it was asked at, through the same port, so the way back is the way there. */
function* routesToNode({ internalIps, uid }: Node, port: Key, { ips }: NicAddresses): Iterable<Fact> {
  for (const text of internalIps) {
    const address = parseAddress(text);
    const nexthop = address && ips.find((ip) => parseAddress(ip)?.family === address.family);
    if (address === undefined || nexthop === undefined) continue;
    const host: Cidr = {
      family: address.family,
      first: address.value,
      size: 1n,
      prefixLength: address.family === 4 ? 32 : 128,
    };
    const key = `${port}/${text}`;
    yield row(
      'Logical_Router_Static_Route',
      key,
      { ip_prefix: formatCidr(host), nexthop, external_ids: ownerMark(key, uid) },
      { table: 'Logical_Router', row: nodeNetwork, column: 'static_routes' },
    );
  }
}
