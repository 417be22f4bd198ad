import type { NetworkPlan } from '../features/tables.ts';
import { type Address, type Family, formatAddress, parseAddress, parseCidr } from './address.ts';
import { AddressPool } from './address-pool.ts';
import { portsPerSegment, segmentOf } from './cut.ts';
import { IndexPool } from './index-pool.ts';

/** What one NIC asks for: addresses it must have, and those it had before and gets if nobody else has them. */
export interface Asked {
  readonly requested: readonly Address[];
  readonly former: readonly Address[];
  /** Absent: all of the network's. */
  readonly families?: readonly Family[];
}

export type Allocation =
  | { readonly kind: 'given'; readonly addresses: readonly Address[] }
  /** Somebody has the address, or nobody may have it. */
  | { readonly kind: 'conflict'; readonly address: Address; readonly sentence: string }
  | { readonly kind: 'exhausted'; readonly sentence: string };

/** The addresses of one network: a pool for each family in each segment. One NIC has its addresses in one segment. */
export class NetworkPools {
  readonly plan: NetworkPlan;
  readonly #segments: readonly (readonly AddressPool[])[];
  /** Segments that have no room. */
  readonly #full: IndexPool;

  constructor(plan: NetworkPlan) {
    this.plan = plan;
    this.#full = new IndexPool(plan.segments.length);
    this.#segments = plan.segments.map(({ subnets }) =>
      subnets.flatMap(({ cidr, gateway }) => {
        const parsed = parseCidr(cidr);
        const own = parseAddress(gateway);
        if (parsed === undefined || own === undefined) return [];
        const pool = new AddressPool(parsed, plan.excluded);
        pool.reserve(own.value, "the network's gateway");
        return [pool];
      }),
    );
  }

  /** Guests that can still be given an address of each family, and addresses in use of the family that has most. */
  get counts(): { readonly free: number; readonly allocated: number } {
    let free = 0;
    let allocated = 0;
    for (const pools of this.#segments) {
      const most = Math.max(0, ...pools.map(({ owned }) => owned));
      free += Math.max(0, Math.min(portsPerSegment - most, ...pools.map((pool) => pool.free)));
      allocated += most;
    }
    return { free, allocated };
  }

  isGatewayMac(mac: string): boolean {
    return this.plan.segments.some(({ routerMac }) => routerMac === mac);
  }

  ownerOf(address: Address): string | undefined {
    return this.#pool(address)?.ownerOf(address.value);
  }

  has(address: Address): boolean {
    return this.#pool(address) !== undefined;
  }

  take(address: Address, owner: string): boolean {
    const isTaken = this.#pool(address)?.take(address, owner) ?? false;
    this.#noteRoom(segmentOf(this.plan.cuts, address));
    return isTaken;
  }

  release(address: Address, owner: string): boolean {
    const isReleased = this.#pool(address)?.release(address, owner) ?? false;
    this.#noteRoom(segmentOf(this.plan.cuts, address));
    return isReleased;
  }

  /**
   * What of the addresses it had `owner` goes on with: all that are of a family the network has, if they are of one segment and nobody
   * else has one of them; else undefined. A network that gets another family leaves its guests what they have.
   */
  keepable(former: readonly Address[], owner: string): readonly Address[] | undefined {
    if (former.length === 0) return undefined;
    const here = former.filter(({ family }) => this.plan.families.includes(family));
    const segments = new Set(here.map((address) => segmentOf(this.plan.cuts, address)));
    const isWhole = segments.size === 1 && this.#stillFree(here, [], owner).length === here.length;
    return isWhole ? here : undefined;
  }

  /** Whether those that are of a family the network has are of one segment, without which there is no port. */
  areOfOneSegment(addresses: readonly Address[]): boolean {
    const here = addresses.filter(({ family }) => this.plan.families.includes(family));
    const segments = new Set(here.map((address) => segmentOf(this.plan.cuts, address)));
    return segments.size === 1 && !segments.has(undefined);
  }

  /** Gives `owner` all of these or none. */
  takeAll(addresses: readonly Address[], owner: string): void {
    const isOthers = (address: Address) => (this.ownerOf(address) ?? owner) !== owner;
    if (!addresses.some(isOthers)) for (const address of addresses) this.take(address, owner);
  }

  /** One address of each family, all in one segment, or none at all. */
  allocate({ requested, former, families = this.plan.families }: Asked, owner: string): Allocation {
    for (const address of requested) {
      const text = formatAddress(address);
      if (!this.has(address)) {
        return { kind: 'conflict', address, sentence: `the requested address ${text} is not in the network` };
      }
      const holder = this.ownerOf(address);
      if (holder !== undefined && holder !== owner) {
        return { kind: 'conflict', address, sentence: `the requested address ${text} is taken by ${holder}` };
      }
    }
    const wanted = new Set(requested.map((address) => segmentOf(this.plan.cuts, address)));
    const [asked] = wanted;
    const [first, second] = requested;
    if (wanted.size > 1 && first !== undefined && second !== undefined) {
      const sentence = `the requested addresses ${requested.map(formatAddress).join(' and ')} are of two segments of the network; ask for one of them, and the other will fit it`;
      return { kind: 'conflict', address: second, sentence };
    }
    const kept = this.#stillFree(former, requested, owner);
    const [before] = kept.map((address) => segmentOf(this.plan.cuts, address));
    const segment = asked ?? before ?? this.#full.firstFree();
    const pools = this.#segments[segment ?? -1];
    if (segment === undefined || pools === undefined) return this.#exhausted(this.plan.families[0]);
    const taken: Address[] = [];
    for (const pool of pools) {
      if (!families.includes(pool.cidr.family)) continue;
      const isHere = (address: Address) => pool.cidr.family === address.family;
      const particular =
        requested.find(isHere) ??
        kept.find((address) => isHere(address) && segmentOf(this.plan.cuts, address) === segment);
      if (particular !== undefined && pool.take(particular, owner)) {
        taken.push(particular);
        continue;
      }
      const next = pool.owned >= portsPerSegment ? undefined : pool.takeNext(owner);
      if (next === undefined) {
        for (const address of taken) this.release(address, owner);
        this.#noteRoom(segment);
        // The addresses it had are in a segment with no room for the rest: it gets others.
        return asked === undefined && before !== undefined
          ? this.allocate({ requested, former: [], families }, owner)
          : this.#exhausted(pool.cidr.family);
      }
      taken.push(next);
    }
    this.#noteRoom(segment);
    return { kind: 'given', addresses: taken };
  }

  /**
   * Former addresses nobody else has, of the families that are not asked for. One that has been excluded since stays with who has it,
   * at a restart as well as without.
   */
  #stillFree(former: readonly Address[], requested: readonly Address[], owner: string): readonly Address[] {
    return former.filter((address) => {
      const pool = this.#pool(address);
      if (pool === undefined) return false;
      if (requested.some(({ family }) => family === address.family)) return false;
      const holder = pool.ownerOf(address.value);
      return holder === undefined || holder === owner;
    });
  }

  #exhausted(family: number | undefined): Allocation {
    return { kind: 'exhausted', sentence: `network ${this.plan.name} has no free IPv${family} address left` };
  }

  #pool(address: Address): AddressPool | undefined {
    const segment = segmentOf(this.plan.cuts, address);
    return this.#segments[segment ?? -1]?.find(({ cidr }) => cidr.family === address.family);
  }

  #noteRoom(segment: number | undefined): void {
    const pools = this.#segments[segment ?? -1];
    if (segment === undefined || pools === undefined) return;
    const hasRoom = pools.every(({ free, owned }) => free > 0 && owned < portsPerSegment);
    if (hasRoom) this.#full.release(segment);
    else this.#full.take(segment);
  }
}

export function isSamePool(a: NetworkPlan, b: NetworkPlan): boolean {
  const range = ({ first, last }: { first: bigint; last: bigint }) => `${first}-${last}`;
  const text = ({ segments, excluded }: NetworkPlan) =>
    [
      ...segments.flatMap(({ subnets }) => subnets.map(({ cidr, gateway }) => `${cidr} ${gateway}`)),
      ...excluded.map(range),
    ].join();
  return text(a) === text(b);
}
