import { createHash } from 'node:crypto';
import type { Feature } from '../engine/engine.ts';
import { type Fact, mapEntry, problem, row } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import { readGuestAnnotation } from './guest-annotation.ts';
import { ownerMark } from './marks.ts';
import { isOutside, serverOnLink } from './outside-nics.ts';
import { isInUse } from './segments.ts';
import type { NicAddresses, Segment, Tables } from './tables.ts';

/** Whether guests of the segment are answered by our own server, on each node, and by OVN not at all. */
export function isAnsweredByServer({ guest }: Segment): boolean {
  return guest.service === 'server';
}

/**
 * The port by which the server of every node is on a segment with `guest.service: server`: a localport, which is the same on every
 * chassis and whose packets never leave it, so that each guest is answered by the node it runs on.
 */
export function guestServers(tables: Tables): Feature<Segment> {
  return {
    name: 'guest-servers',
    from: tables.segments,
    object: ({ object }) => object,
    *facts(key, segment, read) {
      if (!isAnsweredByServer(segment) || !isInUse(tables, read, segment)) return;
      const port = serverPortOf(key);
      yield row(
        'Logical_Switch_Port',
        port,
        {
          name: port,
          type: 'localport',
          addresses: [serverMacOf(key)],
          external_ids: ownerMark(port, segment.object.uid),
        },
        { table: 'Logical_Switch', row: key, column: 'ports' },
      );
    },
  };
}

/** What the node agent has to know of one guest to answer it (docs/bus.md). */
export function* answeredByServer(port: Key, { nic }: NicAddresses, segment: Segment): Iterable<Fact> {
  const { own, sentences } = readGuestAnnotation(nic.guestAnnotation, segment.guest);
  for (const sentence of sentences) yield problem(nic.object, 'GuestSettings', sentence);
  const { key, routerMac, localnet, guest: network } = segment;
  // The routers of an underlay are somebody else's, and advertise themselves.
  const router = localnet === undefined ? ` ${routerMac}` : '';
  const onBridge = `${serverPortOf(key)} ${serverMacOf(key)}${router}`;
  const server = isOutside(nic) ? (serverOnLink(segment) ?? onBridge) : onBridge;
  const guest = JSON.stringify({ hostName: nic.hostName, network, own });
  yield mapEntry('Logical_Switch_Port', port, 'external_ids', 'hawser:guest-server', server);
  yield mapEntry('Logical_Switch_Port', port, 'external_ids', 'hawser:guest', guest);
}

function serverPortOf(segment: Key): Key {
  return `${segment}/dhcp`;
}

/** Locally administered, and the same on every node. */
function serverMacOf(segment: Key): string {
  const digits = createHash('sha256').update(serverPortOf(segment)).digest('hex').match(/../g) ?? [];
  return ['0a', ...digits.slice(0, 5)].join(':');
}
