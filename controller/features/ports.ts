import type { Feature } from '../engine/engine.ts';
import { type Parent, type RowFact, row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { ownerMark } from './marks.ts';
import { isOutside } from './outside-nics.ts';
import type { NicAddresses, Segment, Tables } from './tables.ts';

/** Precedences of votes for `requested-chassis`: a migration speaks over where the guest was started. */
export const chassisPrecedence = { placed: 0, migrating: 1 } as const;

/** A NIC has its port from when it has its addresses. What else is known of a port is said of it before, and waits for it. */
export function ports(tables: Tables): Feature<NicAddresses> {
  const shared = new WeakMap<Segment, SharedByPorts>();
  return {
    name: 'ports',
    from: tables.addresses,
    object: ({ nic }) => nic.object,
    *facts(port, addresses, read) {
      const segment = read.get(tables.segments, addresses.segment);
      if (segment === undefined) return;
      let common = shared.get(segment);
      if (common === undefined) {
        common = sharedByPorts(segment);
        shared.set(segment, common);
      }
      yield portRow(port, addresses, common);
    },
  };
}

/** What the thousands of ports of one segment say alike: they say it with the same objects. */
interface SharedByPorts {
  readonly parent: Parent;
  readonly gateways: string;
  readonly mtu: string;
  /** Sources every guest may use, as port security has them after the addresses. */
  readonly linkLocal: string;
}

function sharedByPorts({ key, subnets, mtu }: Segment): SharedByPorts {
  return {
    parent: { table: 'Logical_Switch', row: key, column: 'ports' },
    gateways: subnets.map(({ gateway, prefixLength }) => `${gateway}/${prefixLength}`).join(' '),
    mtu: String(mtu),
    linkLocal: subnets.some(({ family }) => family === 6) ? ' fe80::/10' : '',
  };
}

/**
 * The logical switch port of a pod's or VM's NIC, with what the node agent needs to attach it (docs/bus.md). Port security holds
 * the NIC to its own addresses; link-local sources are left free, because guests choose theirs by RFC 7217 as well as by EUI-64.
 */
function portRow(
  port: Key,
  { nic, mac, ips }: NicAddresses,
  { parent, gateways, mtu, linkLocal }: SharedByPorts,
): RowFact {
  const own = [mac, ...ips].join(' ');
  const isHeldToThem = nic.attach !== 'management' && !isOutside(nic);
  return row(
    'Logical_Switch_Port',
    port,
    {
      name: port,
      addresses: isOutside(nic) ? [] : [own],
      // A node is sent, and answers, packets of its own addresses too.
      port_security: isHeldToThem ? [`${own}${linkLocal}`] : [],
      external_ids: {
        ...ownerMark(port, nic.object.uid),
        'hawser:attach': nic.attach,
        'hawser:gateways': gateways,
        'hawser:mtu': mtu,
        ...(isOutside(nic) && { 'hawser:addresses': own }),
      },
    },
    parent,
    nic.object,
  );
}

/**
 * The port of a guest that is expected from another one's port: that one has the addresses still, so this one is told to the node's
 * agent only.
 */
export function expectingPortRow(port: Key, addresses: NicAddresses, segment: Segment): RowFact {
  const { columns, ...fact } = portRow(port, addresses, sharedByPorts(segment));
  const expected = { 'hawser:addresses': [addresses.mac, ...addresses.ips].join(' ') };
  return {
    ...fact,
    columns: { ...columns, addresses: [], external_ids: { ...Object(columns.external_ids), ...expected } },
  };
}

/** The `external_ids` key that lets one pod plug the port. */
export function podMark(podUid: string): string {
  return `hawser:pod:${podUid}`;
}
