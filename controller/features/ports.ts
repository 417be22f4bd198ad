import type { Feature } from '../engine/engine.ts';
import { madeRow, type RowFact, type RowForm, row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { ownerMark } from './marks.ts';
import { isOutside } from './outside-nics.ts';
import type { NicAddresses, Segment, Tables } from './tables.ts';

/** Precedences of votes for `requested-chassis`: a migration speaks over where the guest was started. */
export const chassisPrecedence = { placed: 0, migrating: 1 } as const;

/** A NIC has its port from when it has its addresses. What else is known of a port is said of it before, and waits for it. */
export function ports(tables: Tables): Feature<NicAddresses> {
  const forms = new WeakMap<Segment, RowForm<NicAddresses>>();
  return {
    name: 'ports',
    from: tables.addresses,
    object: ({ nic }) => nic.object,
    *facts(port, addresses, read) {
      const segment = read.get(tables.segments, addresses.segment);
      if (segment === undefined) return;
      let form = forms.get(segment);
      if (form === undefined) {
        form = portForm(segment);
        forms.set(segment, form);
      }
      yield madeRow(form, port, addresses);
    },
  };
}

/**
 * The logical switch ports of pods' and VMs' NICs on one segment, with what the node agent needs to attach them (docs/bus.md). Port
 * security holds a NIC to its own addresses; link-local sources are left free, because guests choose theirs by RFC 7217 as well as by
 * EUI-64.
 */
function portForm({ key, subnets, mtu }: Segment): RowForm<NicAddresses> {
  const marks = {
    'hawser:gateways': subnets.map(({ gateway, prefixLength }) => `${gateway}/${prefixLength}`).join(' '),
    'hawser:mtu': String(mtu),
  };
  // Sources that every guest may use.
  const linkLocal = subnets.some(({ family }) => family === 6) ? ['fe80::/10'] : [];
  return {
    table: 'Logical_Switch_Port',
    parent: { table: 'Logical_Switch', row: key, column: 'ports' },
    object: ({ nic }) => nic.object,
    columns(port, { nic, mac, ips }) {
      const own = [mac, ...ips].join(' ');
      const isHeldToThem = nic.attach !== 'management' && !isOutside(nic);
      return {
        name: port,
        addresses: isOutside(nic) ? [] : [own],
        // A node is sent, and answers, packets of its own addresses too.
        port_security: isHeldToThem ? [[own, ...linkLocal].join(' ')] : [],
        external_ids: {
          ...ownerMark(port, nic.object.uid),
          'hawser:attach': nic.attach,
          ...marks,
          ...(isOutside(nic) && { 'hawser:addresses': own }),
        },
      };
    },
  };
}

/**
 * The port of a guest that is expected from another one's port: that one has the addresses still, so this one is told to the node's
 * agent only.
 */
export function expectingPortRow(port: Key, addresses: NicAddresses, segment: Segment): RowFact {
  const { table, parent, ...form } = portForm(segment);
  const columns = form.columns(port, addresses);
  const expected = { 'hawser:addresses': [addresses.mac, ...addresses.ips].join(' ') };
  return row(
    table,
    port,
    { ...columns, addresses: [], external_ids: { ...Object(columns.external_ids), ...expected } },
    parent,
    addresses.nic.object,
  );
}

/** The `external_ids` key that lets one pod plug the port. */
export function podMark(podUid: string): string {
  return ['hawser', 'pod', podUid].join(':');
}
