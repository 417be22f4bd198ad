import type { ObjectReference } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import type { NetworkPlan, Nic, Tables } from '../features/tables.ts';
import { type Address, formatAddress, parseAddress, parseCidr } from './address.ts';
import { AddressPool } from './address-pool.ts';

/** An IPAMClaim as it has to be: created if it is not there, its `status.ips` filled in if they are not. */
export interface WantedClaim {
  readonly namespace: string;
  readonly name: string;
  readonly network: string;
  readonly interface: string;
  readonly owner: ObjectReference;
  /** CIDRs, as `status.ips` has them. */
  readonly ips: readonly string[];
}

export type AllocationProblem = {
  readonly object: ObjectReference;
  readonly condition: string;
  readonly sentence: string;
};

/** Addresses that a port was seen to have in the northbound database before anything was allocated. */
export interface FormerAddresses {
  readonly uid: string;
  readonly ips: readonly string[];
}

/**
 * Gives addresses away. The ledger is elsewhere, in IPAMClaims for VMs and in the northbound database and `pod.status` for pods;
 * this is the index over it. Nothing may be allocated before all of that has been read: `start` says that it has.
 */
export class Allocator {
  readonly #tables: Tables;
  readonly #pools = new Map<Key, NetworkPools>();
  readonly #dirtyNics = new Set<Key>();
  readonly #dirtyClaims = new Set<Key>();
  readonly #dirtyPlans = new Set<Key>();
  /** NIC or claim → what it holds in which network. */
  readonly #holdings = new Map<string, { network: Key; addresses: readonly Address[] }>();
  readonly #waiting = new Map<Key, Set<Key>>();
  readonly #problems = new Map<Key, AllocationProblem>();
  readonly #wanted = new Map<string, WantedClaim>();
  #former: ReadonlyMap<Key, FormerAddresses> = new Map();
  #started = false;

  constructor(tables: Tables) {
    this.#tables = tables;
    tables.nics.onChange((key) => this.#dirtyNics.add(key));
    tables.claims.onChange((key) => this.#dirtyClaims.add(key));
    tables.networkPlans.onChange((key) => this.#dirtyPlans.add(key));
  }

  /** `former` are the ports found in the northbound database; whoever still is what it was then gets the same again. */
  start(former: ReadonlyMap<Key, FormerAddresses>): void {
    this.#former = former;
    this.#started = true;
  }

  get problems(): Iterable<AllocationProblem> {
    return this.#problems.values();
  }

  /**
   * Brings pod leases in line with the NICs there are, and returns the claims to be written for VMs. Addresses in claims are taken
   * first, so that nothing a stopped VM owns is given away. Call it after the engine has run, and again until `isSettled`.
   */
  settle(): readonly WantedClaim[] {
    if (!this.#started) return [];
    for (const key of drain(this.#dirtyPlans)) this.#settlePlan(key);
    for (const key of drain(this.#dirtyClaims)) this.#settleClaim(key);
    const nics = drain(this.#dirtyNics).sort();
    // Those who had or ask for an address come before those who take any.
    const isParticular = (key: Key) => this.#preferences(key).length > 0;
    for (const key of [...nics.filter(isParticular), ...nics.filter((key) => !isParticular(key))]) this.#settleNic(key);
    return [...this.#wanted.values()];
  }

  get isSettled(): boolean {
    return !this.#started || this.#dirtyNics.size + this.#dirtyClaims.size + this.#dirtyPlans.size === 0;
  }

  #settlePlan(key: Key): void {
    const plan = this.#tables.networkPlans.get(key);
    const before = this.#pools.get(key);
    if (plan === undefined) {
      this.#pools.delete(key);
      return;
    }
    if (before !== undefined && isSamePool(before.plan, plan)) return;
    const pools = new NetworkPools(plan);
    this.#pools.set(key, pools);
    for (const [holder, { network, addresses }] of this.#holdings) {
      if (network === key) for (const address of addresses) pools.take(address, holder);
    }
    for (const claim of this.#tables.claims.rows().keys()) this.#dirtyClaims.add(claim);
    for (const nic of this.#tables.nics.by('network', key).keys()) this.#dirtyNics.add(nic);
  }

  #settleClaim(key: Key): void {
    const claim = this.#tables.claims.get(key);
    const holder = `claim ${key}`;
    if (claim === undefined) {
      this.#release(holder);
      this.#wanted.delete(key);
    } else if (claim.ips.length > 0) {
      const network = this.#networkNamed(claim.network);
      if (network !== undefined) this.#hold(holder, network, addressesOf(claim.ips));
      this.#wanted.delete(key);
    }
    for (const nic of this.#tables.nics.by('claim', key).keys()) this.#dirtyNics.add(nic);
  }

  #settleNic(key: Key): void {
    const nic = this.#tables.nics.get(key);
    this.#problems.delete(key);
    if (nic === undefined) {
      this.#tables.podLeases.remove(key);
      this.#release(`nic ${key}`);
      return;
    }
    if (nic.claim === undefined) this.#settleLease(key, nic);
    else this.#settleWantedClaim(key, nic);
  }

  #settleLease(key: Key, nic: Nic): void {
    const lease = this.#tables.podLeases.get(key);
    if (lease?.uid === nic.object.uid && lease.network === nic.network) return;
    // A pod of the same name is another pod; the address goes back to the end of the queue.
    this.#release(`nic ${key}`);
    const addresses = this.#allocate(key, nic, `nic ${key}`);
    if (addresses === undefined) this.#tables.podLeases.remove(key);
    else {
      const ips = addresses.map(formatAddress);
      this.#tables.podLeases.put(key, { uid: nic.object.uid, network: nic.network, ips });
    }
  }

  #settleWantedClaim(key: Key, nic: Nic): void {
    if (nic.claim === undefined) return;
    const name = `${nic.claim.namespace}/${nic.claim.name}`;
    const claim = this.#tables.claims.get(name);
    const isForeign = claim !== undefined && claim.owner?.uid !== nic.object.uid;
    if (isForeign || claim?.deleting || (claim?.ips.length ?? 0) > 0 || this.#wanted.has(name)) return;
    const addresses = this.#allocate(key, nic, `claim ${name}`);
    const plan = this.#tables.networkPlans.get(nic.network);
    if (addresses === undefined || plan === undefined) return;
    const prefixLength = (family: number) => plan.subnets.find((subnet) => subnet.family === family)?.prefixLength;
    this.#wanted.set(name, {
      ...nic.claim,
      network: plan.name,
      owner: nic.object,
      ips: addresses.map((address) => `${formatAddress(address)}/${prefixLength(address.family)}`),
    });
  }

  /** One address of each family, or a problem and none at all. */
  #allocate(key: Key, nic: Nic, holder: string): readonly Address[] | undefined {
    const pools = this.#pools.get(nic.network);
    if (pools === undefined) return undefined;
    const taken: Address[] = [];
    const give = (): undefined => {
      for (const address of taken) pools.release(address, holder);
      return undefined;
    };
    for (const pool of pools.all) {
      const { family } = pool.cidr;
      const asked = nic.requestedIps.find((text) => parseAddress(text)?.family === family);
      if (asked !== undefined) {
        const address = parseAddress(asked);
        if (address === undefined || !pool.take(address, holder)) {
          const owner = address && pool.ownerOf(address.value);
          const why = owner === undefined ? 'is not in the network' : `is taken by ${owner}`;
          this.#complain(key, nic, 'AddressConflict', `the requested address ${asked} ${why}`);
          this.#waitFor(nic.network, key);
          return give();
        }
        taken.push(address);
        continue;
      }
      const former = this.#preferences(key)
        .map(parseAddress)
        .find((address) => address?.family === family && !pool.isExcluded(address.value));
      if (former !== undefined && pool.take(former, holder)) {
        taken.push(former);
        continue;
      }
      const next = pool.takeNext(holder);
      if (next === undefined) {
        const sentence = `network ${nic.network} has no free IPv${family} address left`;
        this.#complain(key, nic, 'AddressesExhausted', sentence);
        this.#waitFor(nic.network, key);
        return give();
      }
      taken.push(next);
    }
    this.#holdings.set(holder, { network: nic.network, addresses: taken });
    return taken;
  }

  #preferences(key: Key): readonly string[] {
    const nic = this.#tables.nics.get(key);
    if (nic === undefined) return [];
    const former = this.#former.get(key);
    return [...nic.requestedIps, ...nic.formerIps, ...(former?.uid === nic.object.uid ? former.ips : [])];
  }

  #hold(holder: string, network: Key, addresses: readonly Address[]): void {
    const before = this.#holdings.get(holder);
    if (before !== undefined && before.network === network) {
      const kept = new Set(addresses.map(formatAddress));
      for (const address of before.addresses) {
        if (!kept.has(formatAddress(address))) this.#pools.get(network)?.release(address, holder);
      }
    }
    const pools = this.#pools.get(network);
    for (const address of addresses) pools?.take(address, holder);
    this.#holdings.set(holder, { network, addresses });
  }

  #release(holder: string): void {
    const held = this.#holdings.get(holder);
    if (held === undefined) return;
    this.#holdings.delete(holder);
    for (const address of held.addresses) this.#pools.get(held.network)?.release(address, holder);
    const waiting = this.#waiting.get(held.network);
    this.#waiting.delete(held.network);
    for (const nic of waiting ?? []) this.#dirtyNics.add(nic);
  }

  #networkNamed(name: string): Key | undefined {
    for (const [key, { plan }] of this.#pools) if (plan.name === name) return key;
    return undefined;
  }

  #waitFor(network: Key, nic: Key): void {
    const waiting = this.#waiting.get(network);
    if (waiting === undefined) this.#waiting.set(network, new Set([nic]));
    else waiting.add(nic);
  }

  #complain(key: Key, nic: Nic, condition: string, sentence: string): void {
    this.#problems.set(key, { object: nic.object, condition, sentence });
  }
}

/** The pools of one network, one for each family. */
class NetworkPools {
  readonly plan: NetworkPlan;
  readonly all: readonly AddressPool[];

  constructor(plan: NetworkPlan) {
    this.plan = plan;
    this.all = plan.subnets.flatMap(({ cidr, gateway }) => {
      const parsed = parseCidr(cidr);
      const own = parseAddress(gateway);
      if (parsed === undefined || own === undefined) return [];
      return [new AddressPool(parsed, [{ first: own.value, last: own.value }, ...plan.excluded])];
    });
  }

  take(address: Address, owner: string): boolean {
    return this.all.some((pool) => pool.cidr.family === address.family && pool.take(address, owner));
  }

  release(address: Address, owner: string): void {
    for (const pool of this.all) if (pool.cidr.family === address.family) pool.release(address, owner);
  }
}

function isSamePool(a: NetworkPlan, b: NetworkPlan): boolean {
  const range = ({ first, last }: { first: bigint; last: bigint }) => `${first}-${last}`;
  const text = ({ subnets, excluded }: NetworkPlan) =>
    [...subnets.map(({ cidr, gateway }) => `${cidr} ${gateway}`), ...excluded.map(range)].join();
  return text(a) === text(b);
}

function addressesOf(ips: readonly string[]): readonly Address[] {
  return ips.flatMap((text) => parseAddress(text.split('/')[0] ?? '') ?? []);
}

function drain<T>(set: Set<T>): T[] {
  const items = [...set];
  set.clear();
  return items;
}
