import type { Feature, Read } from '../engine/engine.ts';
import { row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { ownerMark } from './marks.ts';
import type { Segment, Tables } from './tables.ts';

/**
 * A segment is one logical switch on a port of the network's distributed router, so that its gateway and the gateway's MAC are the
 * same on every node (docs/decisions/segments.md). Further segments come and go with the ports on them. That of an underlay is on
 * the physical network by a localnet port (ovn-nb(5)), and the gateway is whoever has the address there.
 */
export function segments(tables: Tables): Feature<Segment> {
  return {
    name: 'segments',
    from: tables.segments,
    object: ({ object }) => object,
    *facts(key, segment, read) {
      if (!isInUse(tables, read, segment)) return;
      const { network, object, subnets, routerMac, localnet } = segment;
      const mark = ownerMark(key, object.uid);
      const routerPort = routerPortOf(key);
      const uplink = uplinkOf(segment);
      yield row('Logical_Switch', key, { name: key, external_ids: mark }, undefined, object);
      if (localnet !== undefined) {
        yield row(
          'Logical_Switch_Port',
          uplink,
          {
            name: uplink,
            type: 'localnet',
            addresses: ['unknown'],
            options: { network_name: localnet.physicalNetwork },
            ...(localnet.vlan !== undefined && { tag: localnet.vlan }),
            external_ids: mark,
          },
          { table: 'Logical_Switch', row: key, column: 'ports' },
          object,
        );
        return;
      }
      yield row(
        'Logical_Router_Port',
        routerPort,
        {
          name: routerPort,
          mac: routerMac,
          networks: subnets.map(({ gateway, prefixLength }) => `${gateway}/${prefixLength}`),
          external_ids: mark,
        },
        { table: 'Logical_Router', row: network, column: 'ports' },
        object,
      );
      yield row(
        'Logical_Switch_Port',
        uplink,
        {
          name: uplink,
          type: 'router',
          addresses: ['router'],
          options: { 'router-port': routerPort },
          external_ids: mark,
        },
        { table: 'Logical_Switch', row: key, column: 'ports' },
        object,
      );
    },
  };
}

/** The first segment is always there, the others while some NIC has an address of theirs. */
export function isInUse(tables: Tables, read: Read, { key, network }: Segment): boolean {
  return key === network || read.any(tables.addresses, 'segment', key);
}

/** The switch port by which the segment leads to its router, or to the physical network. */
export function uplinkOf({ key, localnet }: Segment): Key {
  return localnet === undefined ? `${key}/router` : `${key}/localnet`;
}

/** The logical router port that is the segment's gateway. */
export function routerPortOf(segment: Key): Key {
  return `${segment}/gateway`;
}
