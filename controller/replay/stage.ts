import { ovn2303 } from '#dhcp/ovn/capabilities-of-releases.ts';
import { isSame } from '../engine/same.ts';
import type { FeatureOptions } from '../features/index.ts';
import type { OvnFacts } from '../features/tables.ts';
import type { FormerAddresses } from '../ipam/allocator.ts';
import { MalformedField } from '../kube/objects/fields.ts';
import type { RowState } from './northbound-rows.ts';
import { metadataOf, objectId, type RecordedEvent } from './recording.ts';
import { Replay, type ReplayPast } from './replay.ts';
import type { KubeObject } from './surroundings.ts';

/** The OVN of Debian 12: what it can tell a guest is what every later one can. */
export const debianOvn: OvnFacts = {
  version: { year: 23, month: 3 },
  dhcpv4: [...ovn2303.dhcpv4.values()],
  dhcpv6: [...ovn2303.dhcpv6.values()],
};

/** As `controller/config.ts` has them when nobody sets anything. */
export const defaultFeatures: FeatureOptions = {
  networkDefaults: { mtu: 1400 },
  bindingPlugins: { hawser: 'managedTap', 'hawser-tap': 'tap' },
};

/** A cluster's objects, as the API server has them, and a controller in front of them that can be restarted. */
export class Stage {
  readonly #past: ReplayPast;
  /** Kind and key → the object as it is now. */
  readonly #latest = new Map<string, Pick<RecordedEvent, 'kind' | 'object'>>();
  #replay: Replay;
  #shown: ReadonlyMap<string, RowState> = new Map();
  #isRestarted = false;

  constructor(objects: readonly KubeObject[], past: ReplayPast) {
    this.#past = { makesUpAddresses: true, ...past };
    this.#replay = new Replay(defaultFeatures, debianOvn, this.#past);
    for (const object of objects) this.apply({ type: 'ADDED', kind: object.kind, object });
  }

  /** The rows, as they were when changes were last taken. */
  get rows(): ReadonlyMap<string, RowState> {
    return this.#shown;
  }

  /** Returns a sentence when the object cannot be read; its last readable state then stays. */
  apply(event: Omit<RecordedEvent, 'seq'>): string | undefined {
    const { type, kind, object } = event;
    const before = this.#latest.get(objectId(event));
    // Another object of that name: what belonged to the one that is gone has gone with it.
    if (before !== undefined && uidOf(before.object) !== uidOf(object)) this.#tell({ type: 'DELETED', ...before });
    if (type === 'DELETED') this.#latest.delete(objectId(event));
    else if (type !== 'BOOKMARK' && type !== 'ERROR') this.#latest.set(objectId(event), { kind, object });
    return this.#tell(event);
  }

  /** What the process knew is lost; what the API server and the northbound database have is read again. */
  async restart(): Promise<void> {
    const before = this.#replay;
    const former = new Map(addressesIn(await before.rows()));
    this.#replay = new Replay(defaultFeatures, debianOvn, { ...this.#past, former });
    for (const [key, claim] of before.core.tables.claims.rows()) this.#replay.core.tables.claims.put(key, claim);
    // In another order than they came in: lists are sorted by kind and name, and not by time.
    for (const latest of [...this.#latest.values()].reverse()) this.#tell({ type: 'ADDED', ...latest });
    this.#isRestarted = true;
  }

  /** The rows that have changed since this was last called, null for those that are gone, in the order of their names. */
  async takeChanges(): Promise<ReadonlyMap<string, RowState | null>> {
    const changes = await this.#replay.takeChanges();
    const rows = await this.#replay.rows();
    if (!this.#isRestarted) {
      this.#shown = rows;
      return changes;
    }
    this.#isRestarted = false;
    const before = this.#shown;
    this.#shown = rows;
    const names = [...new Set([...before.keys(), ...rows.keys()])].sort();
    return new Map(
      names.filter((name) => !isSame(before.get(name), rows.get(name))).map((name) => [name, rows.get(name) ?? null]),
    );
  }

  #tell(event: Omit<RecordedEvent, 'seq'>): string | undefined {
    try {
      this.#replay.apply(event);
      return undefined;
    } catch (error) {
      if (!(error instanceof MalformedField)) throw error;
      return `${objectId(event)} cannot be read: ${error.message}`;
    }
  }
}

function uidOf(object: RecordedEvent['object']): unknown {
  return metadataOf(object).uid;
}

/** Which addresses our ports have, as a controller reads them out of the northbound database when it starts. */
export function* addressesIn(rows: Iterable<readonly [string, RowState]>): Iterable<[string, FormerAddresses]> {
  for (const [id, { name, addresses, external_ids: ids }] of rows) {
    if (!id.startsWith('Logical_Switch_Port/') || typeof name !== 'string' || !Array.isArray(addresses)) continue;
    const uid = typeof ids === 'object' && 'hawser:uid' in ids ? ids['hawser:uid'] : undefined;
    const [mac, ...ips] = String(addresses[0] ?? '').split(' ');
    if (uid !== undefined && mac !== undefined && ips.length > 0) yield [name, { uid, mac, ips }];
  }
}
