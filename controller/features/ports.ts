import type { Feature } from '../engine/engine.ts';
import { type RowFact, row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { ownerMark } from './marks.ts';
import type { NicAddresses, Segment, Tables } from './tables.ts';

/** Precedences of votes for `requested-chassis`: a migration speaks over where the guest was started. */
export const chassisPrecedence = { placed: 0, migrating: 1 } as const;

/** A NIC has its port from when it has its addresses. What else is known of a port is said of it before, and waits for it. */
export function ports(tables: Tables): Feature<NicAddresses> {
  return {
    name: 'ports',
    from: tables.addresses,
    object: ({ nic }) => nic.object,
    *facts(port, addresses, read) {
      const segment = read.get(tables.segments, addresses.segment);
      if (segment !== undefined) yield portRow(port, addresses, segment);
    },
  };
}

/**
 * The logical switch port of a pod's or VM's NIC, with what the node agent needs to attach it (docs/bus.md). Port security holds
 * the NIC to its own addresses; link-local sources are left free, because guests choose theirs by RFC 7217 as well as by EUI-64.
 */
function portRow(port: Key, { nic, mac, ips }: NicAddresses, segment: Segment): RowFact {
  const linkLocal = segment.subnets.some(({ family }) => family === 6) ? ['fe80::/10'] : [];
  return row(
    'Logical_Switch_Port',
    port,
    {
      name: port,
      addresses: [[mac, ...ips].join(' ')],
      // A node is sent, and answers, packets of its own addresses too.
      port_security: nic.attach === 'management' ? [] : [[mac, ...ips, ...linkLocal].join(' ')],
      external_ids: {
        ...ownerMark(port, nic.object.uid),
        'hawser:attach': nic.attach,
        'hawser:gateways': segment.subnets.map(({ gateway, prefixLength }) => `${gateway}/${prefixLength}`).join(' '),
        'hawser:mtu': String(segment.mtu),
      },
    },
    { table: 'Logical_Switch', row: segment.key, column: 'ports' },
    nic.object,
  );
}

/**
 * The port of a guest that is expected from another one's port: that one has the addresses still, so this one is told to the node's
 * agent only.
 */
export function expectingPortRow(port: Key, addresses: NicAddresses, segment: Segment): RowFact {
  const { columns, ...fact } = portRow(port, addresses, segment);
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
