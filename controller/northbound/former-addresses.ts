import type { Key } from '../engine/table.ts';
import type { FormerAddresses } from '../ipam/allocator.ts';
import { Turns } from '../turns.ts';
import { ownerKey } from './owned-columns.ts';
import type { Northbound } from './writer.ts';

/** Addresses of our ports as the northbound database has them: the only record of what a running pod was given. */
export async function formerAddresses(northbound: Northbound): Promise<Map<Key, FormerAddresses>> {
  const former = new Map<Key, FormerAddresses>();
  const turns = new Turns();
  for (const { name, addresses, external_ids: ids } of northbound.rows('Logical_Switch_Port').values()) {
    if (turns.isTimeUp) await turns.next();
    if (typeof name !== 'string' || !Array.isArray(addresses) || typeof ids !== 'object' || !('get' in ids)) continue;
    const uid = ids.get('hawser:uid');
    // Nobody binds a port outside of br-int: what its guest has is beside the addresses (docs/bus.md).
    const [first] = ids.get('hawser:attach') === 'outside' ? [ids.get('hawser:addresses')] : addresses;
    if (ids.get(ownerKey) === undefined || typeof uid !== 'string' || typeof first !== 'string') continue;
    const [mac = '', ...ips] = first.split(' ');
    former.set(name, { uid, mac, ips });
  }
  return former;
}
