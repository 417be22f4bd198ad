import type { ObjectReference, Problem } from '../engine/facts.ts';
import type { Problems } from '../engine/problems.ts';
import type { Key } from '../engine/table.ts';
import type { Nic, Tables } from '../features/tables.ts';
import { type Address, addressesOf, formatAddress } from './address.ts';
import { Agenda, type Right } from './agenda.ts';
import { Complaints } from './complaints.ts';
import { Holdings } from './holdings.ts';
import { isMadeMac, isOwnMac, leaseMac, macInUse, madeMac } from './lease-mac.ts';
import { isSamePool, NetworkPools } from './network-pools.ts';
import { Waiting } from './waiting.ts';

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

/** Addresses that a port was seen to have in the northbound database before anything was allocated. */
export interface FormerAddresses {
  readonly uid: string;
  readonly mac?: string;
  readonly ips: readonly string[];
}

/** Port → what it had. An entry goes when its port has it again. */
export type FormerLedger = Pick<Map<Key, FormerAddresses>, 'get' | 'has' | 'delete'>;

/**
 * Gives addresses away. The ledger is elsewhere, in IPAMClaims for VMs and in the northbound database and `pod.status` for pods;
 * this is the index over it. Nothing may be allocated before all of that has been read: `start` says that it has.
 */
export class Allocator {
  readonly #tables: Tables;
  readonly #pools = new Map<Key, NetworkPools>();
  readonly #networksByName = new Map<string, Key>();
  readonly #agenda = new Agenda({
    plan: (key) => this.#settlePlan(key),
    claim: (key) => this.#settleClaim(key),
    nic: (key) => this.#settleNic(key),
    isInNorthbound: (claim) => this.#isInNorthbound(claim),
    rightOf: (key) => this.#rightOf(key),
  });
  readonly #holdings = new Holdings();
  /** NIC → the MAC it asked for and has. */
  readonly #macs = new Map<Key, string>();
  readonly #waiting = new Waiting();
  /** NIC → the network in which an address became free for it. */
  readonly #woken = new Map<Key, Key>();
  readonly #complaints: Complaints;
  readonly #wanted = new Map<string, WantedClaim>();
  #fresh: WantedClaim[] = [];
  #former: FormerLedger = new Map();
  #started = false;

  /** `problems`: where it says why a NIC has no addresses. */
  constructor(tables: Tables, problems: Problems) {
    this.#tables = tables;
    this.#complaints = new Complaints(problems);
    tables.nics.onChange((key) => this.#agenda.addNic(key));
    tables.claims.onChange((key) => this.#agenda.addClaim(key));
    tables.networkPlans.onChange((key) => this.#agenda.addPlan(key));
  }

  /**
   * `former` are the ports found in the northbound database, and belong to the allocator from here on; whoever still is what it was then
   * gets the same again.
   */
  start(former: FormerLedger): void {
    this.#former = former;
    this.#started = true;
  }

  /** Why NICs on the network have no addresses. */
  complaintsOn(network: Key): Iterable<Problem> {
    return this.#complaints.on(network);
  }

  /** Guests a network still has room for, and addresses in use; undefined when there is no such network. */
  counts(network: Key): { readonly free: number; readonly allocated: number } | undefined {
    return this.#pools.get(network)?.counts;
  }

  /** Whoever holds addresses, for tests: nothing wanted leaves nobody. */
  get holders(): number {
    return this.#holdings.size + this.#macs.size + this.#wanted.size + this.#waiting.size;
  }

  /**
   * Brings pod leases in line with the NICs there are, and returns the claims to be written for VMs that were not wanted before.
   * Addresses in claims are taken first, so that nothing a stopped VM owns is given away. Call it after the engine has run, and
   * again until `isSettled`; it stops early when `isTimeUp`.
   */
  settle(isTimeUp: () => boolean = () => false): readonly WantedClaim[] {
    if (this.#started) this.#agenda.run(isTimeUp);
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  get hasStarted(): boolean {
    return this.#started;
  }

  get isSettled(): boolean {
    return !this.#started || this.#agenda.isEmpty;
  }

  /** A claim that could not be written and whose NIC is gone: its addresses are free again. */
  abandon(claim: Key): void {
    if (!this.#wanted.delete(claim)) return;
    this.#release(claimHolder(claim));
  }

  isWanted(claim: Key): boolean {
    return this.#wanted.has(claim) && this.#tables.nics.by('claim', claim).size > 0;
  }

  /**
   * Of two claimants of one address the one keeps it whose port the northbound database has, then the one who has a claim. After them come
   * those who had an address, then those who ask for a particular one or a MAC, then those who take any. Who is gone only gives back, and
   * need not wait.
   */
  #rightOf(key: Key): Right {
    const nic = this.#tables.nics.get(key);
    if (nic === undefined) return 'former';
    if (this.#isKnown(key, nic)) return this.#isFormer(key, nic) ? 'former' : 'known';
    return nic.request.ips.length > 0 || nic.request.mac !== undefined ? 'asking' : 'later';
  }

  #isKnown(key: Key, nic: Nic): boolean {
    // What a pod asks for counts when it is new; a VM's NIC has what its VMI says, and of two that ask for one MAC the one keeps it whose port has it.
    if (nic.claim === undefined && this.#isFormer(key, nic)) return true;
    if (nic.request.mac !== undefined) return this.#former.get(key)?.mac === nic.request.mac;
    return nic.formerIps.length > 0 || this.#former.has(key) || this.#holdings.has(holderOf(key, nic));
  }

  /** Its port was found in the northbound database at the start. */
  #isFormer(key: Key, nic: Nic): boolean {
    return this.#former.has(key) && this.#former.get(key)?.uid === nic.object.uid;
  }

  #settlePlan(key: Key): void {
    const plan = this.#tables.networkPlans.get(key);
    const before = this.#pools.get(key);
    if (before !== undefined && plan !== undefined && isSamePool(before.plan, plan)) return;
    if (before !== undefined) this.#networksByName.delete(before.plan.name);
    if (plan === undefined) this.#pools.delete(key);
    else {
      const pools = new NetworkPools(plan);
      this.#pools.set(key, pools);
      this.#networksByName.set(plan.name, key);
      for (const holder of this.#holdersOn(key, plan.name)) {
        const held = this.#holdings.get(holder);
        if (held?.network === key) pools.takeAll(held.addresses, holder);
      }
    }
    const name = plan?.name ?? before?.plan.name;
    const { claims, nics } = this.#tables;
    this.#agenda.addAll(name === undefined ? [] : claims.by('network', name).keys(), nics.by('network', key).keys());
    this.#wakeAll(key);
  }

  /** Whoever may hold addresses of the network: nobody of one that is new, however many wait for it. */
  #holdersOn(network: Key, name: string): ReadonlySet<string> {
    if (!this.#holdings.isAnyOf(network)) return new Set();
    const { claims, nics } = this.#tables;
    const holders = new Set<string>();
    for (const claim of claims.by('network', name).keys()) holders.add(claimHolder(claim));
    for (const [key, nic] of nics.by('network', network)) holders.add(holderOf(key, nic));
    return holders;
  }

  #settleClaim(key: Key): void {
    const claim = this.#tables.claims.get(key);
    const holder = claimHolder(key);
    if (claim === undefined) {
      this.#release(holder);
      this.#wanted.delete(key);
      this.#tables.claimConflicts.remove(key);
      this.#waiting.leave(holder);
    } else if (claim.ips.length > 0) {
      const network = this.#networksByName.get(claim.network);
      if (network !== undefined) this.#hold(key, network, addressesOf(claim.ips));
      this.#wanted.delete(key);
    }
    for (const nic of this.#tables.nics.by('claim', key).keys()) this.#agenda.addNic(nic);
  }

  /** The addresses of a claim, all of them or none. */
  #hold(claim: Key, network: Key, addresses: readonly Address[]): void {
    const holder = claimHolder(claim);
    const before = this.#holdings.get(holder);
    const isSame = before?.network === network && sameAddresses(before.addresses, addresses);
    if (before !== undefined && !isSame) this.#release(holder);
    const pools = this.#pools.get(network);
    if (pools === undefined) return;
    this.#waiting.leave(holder);
    const inTheWay = addresses.find((address) => {
      const owner = pools.ownerOf(address);
      return owner !== undefined && owner !== holder;
    });
    if (inTheWay !== undefined) {
      const owner = pools.ownerOf(inTheWay);
      this.#tables.claimConflicts.put(claim, `${formatAddress(inTheWay)} is taken by ${owner}`);
      this.#waiting.forAddress(network, formatAddress(inTheWay), holder);
      return;
    }
    this.#tables.claimConflicts.remove(claim);
    for (const address of addresses) pools.take(address, holder);
    this.#holdings.set(holder, { network, addresses });
  }

  #settleNic(key: Key): void {
    const nic = this.#tables.nics.get(key);
    this.#complaints.takeBack(key);
    this.#waiting.leave(key);
    if (nic === undefined) {
      this.#tables.podLeases.remove(key);
      this.#release(key);
      this.#releaseMac(key);
    } else if (nic.claim === undefined) {
      this.#settleLease(key, nic);
    } else {
      const hasAddresses = this.#settleWantedClaim(key, nic, `${nic.claim.namespace}/${nic.claim.name}`);
      // A MAC is for who can use it: whoever has no address leaves it to others.
      if (hasAddresses) this.#settleMac(key, nic, nic.request.mac);
      else this.#releaseMac(key);
    }
    this.#passOn(key, nic);
  }

  /** Gives the NIC, which has addresses, this MAC; whether it has it. One that is derived from an address is as unique as that. */
  #settleMac(key: Key, nic: Nic, mac: string | undefined): boolean {
    const { network } = nic;
    const id = mac === undefined ? undefined : macKey(network, mac);
    if (this.#macs.get(key) !== id) this.#releaseMac(key);
    if (mac === undefined || id === undefined) return true;
    const pools = this.#pools.get(network);
    if (pools === undefined) return this.#macs.get(key) === id;
    const own = [...addressesOf(nic.request.ips), ...(this.#holdings.get(holderOf(key, nic))?.addresses ?? [])];
    if (pools.isGatewayMac(mac) || (isMadeMac(mac) && !isOwnMac(mac, own))) {
      const sentence = `the MAC ${mac} is one that Hawser makes of another address of the network; ask for one that does not begin with 0a:58 or 0a:59`;
      this.#complain(key, nic, 'MacConflict', sentence);
      return false;
    }
    const holder = this.#tables.macHolders.get(id);
    if (holder !== undefined && holder !== key) {
      this.#complain(key, nic, 'MacConflict', `the MAC ${mac} is taken by ${holder}`);
      this.#waiting.forAddress(network, mac, key);
      return false;
    }
    this.#tables.macHolders.put(id, key);
    this.#macs.set(key, id);
    return true;
  }

  /** The addresses and the MAC of a NIC whose ledger is the northbound database. */
  #settleLease(key: Key, nic: Nic): void {
    const { network, request, object } = nic;
    const found = this.#tables.podLeases.get(key);
    // A pod of the same name is another pod; the address goes back to the end of the queue.
    const own = found?.uid === object.uid ? found : undefined;
    const lease = own?.network === network ? own : undefined;
    const had = lease === undefined ? [] : addressesOf(lease.ips);
    const before = own === undefined ? this.#formerMac(key, nic) : macInUse(own);
    const isGood = lease !== undefined && this.#isStillGood(key, nic);
    const addresses = isGood ? had : this.#lease(key, nic, had);
    if (addresses === undefined) {
      this.#tables.podLeases.remove(key);
      this.#releaseMac(key);
      return;
    }
    const mac = leaseMac(before, request.mac, addresses);
    const hasMac = this.#settleMac(key, nic, mac);
    const kept = hasMac && request.mac !== undefined ? (mac ?? madeMac(addresses)) : undefined;
    if (kept !== undefined && kept !== request.mac) {
      const sentence = `the NIC keeps the MAC ${kept}: a request counts when it is new, and ${request.mac} is asked for since`;
      this.#complain(key, nic, 'MacUnchanged', sentence);
    }
    this.#tables.podLeases.put(key, {
      uid: object.uid,
      network,
      ips: addresses.map(formatAddress),
      ...(hasMac ? mac !== undefined && { mac } : { awaitsMac: true }),
    });
  }

  /** Addresses for a NIC that has none, or cannot keep those it had. */
  #lease(key: Key, nic: Nic, had: readonly Address[]): readonly Address[] | undefined {
    this.#release(key);
    return this.#allocate(key, nic, key, had);
  }

  /** The MAC that its port was found to have at the start. */
  #formerMac(key: Key, nic: Nic): string | undefined {
    return this.#isFormer(key, nic) ? this.#former.get(key)?.mac : undefined;
  }

  /** Not when the network got another subnet under it. */
  #isStillGood(holder: string, nic: Nic): boolean {
    const pools = this.#pools.get(nic.network);
    const addresses = this.#holdings.get(holder)?.addresses ?? [];
    if (pools === undefined) return true;
    const isOwned = addresses.every((address) => pools.ownerOf(address) === holder);
    return isOwned && pools.keepable(addresses, holder) !== undefined;
  }

  /** Whether the NIC has addresses by its claim, or will have them when it has been written. */
  #settleWantedClaim(key: Key, nic: Nic, name: string): boolean {
    if (nic.claim === undefined) return false;
    const claim = this.#tables.claims.get(name);
    const isForeign = claim !== undefined && claim.owner?.uid !== nic.object.uid;
    const plan = this.#tables.networkPlans.get(nic.network);
    if (isForeign) return false;
    if (claim !== undefined && claim.ips.length > 0) {
      // Addresses of another subnet than the network has now are kept for when it has it again, and make no port.
      const areHere = this.#pools.get(nic.network)?.areOfOneSegment(addressesOf(claim.ips)) ?? false;
      return areHere && claim.network === plan?.name && !isWithOthers(this.#tables.claimConflicts.get(name), nic);
    }
    if (claim?.deleting) return false;
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined && wanted.owner.uid === nic.object.uid && wanted.network === plan?.name) return true;
    this.#wanted.delete(name);
    this.#release(claimHolder(name));
    if (plan === undefined) return false;
    const brought = nic.broughtClaim === undefined ? [] : (this.#tables.claims.get(nic.broughtClaim)?.ips ?? []);
    if (brought.length > 0) {
      this.#want(name, { ...nic.claim, network: plan.name, owner: nic.object, ips: brought });
      return true;
    }
    const addresses = this.#allocate(key, nic, claimHolder(name));
    if (addresses === undefined) return false;
    const ips = addresses.map((address) => `${formatAddress(address)}/${prefixLength(plan, address)}`);
    this.#want(name, { ...nic.claim, network: plan.name, owner: nic.object, ips });
    return true;
  }

  #want(name: string, claim: WantedClaim): void {
    this.#wanted.set(name, claim);
    this.#fresh.push(claim);
  }

  /** One address of each family, or a problem and none at all. */
  #allocate(key: Key, nic: Nic, holder: string, had: readonly Address[] = []): readonly Address[] | undefined {
    const pools = this.#pools.get(nic.network);
    if (pools === undefined) return undefined;
    const former = had.length > 0 ? had : addressesOf(this.#formerOf(key, nic));
    // A request counts when the NIC is new; what it has it keeps, whatever is asked for later.
    const kept = pools.keepable(former, holder);
    if (nic.request.complaint !== undefined && kept === undefined) return undefined;
    const asked =
      kept === undefined
        ? { requested: addressesOf(nic.request.ips), former }
        : { requested: [], former: kept, families: kept.map(({ family }) => family) };
    const given = pools.allocate(asked, holder);
    if (given.kind === 'given') {
      this.#holdings.set(holder, { network: nic.network, addresses: given.addresses });
      this.#former.delete(key);
      return given.addresses;
    }
    if (given.kind === 'conflict') {
      this.#complain(key, nic, 'AddressConflict', given.sentence);
      this.#waiting.forAddress(nic.network, formatAddress(given.address), key);
    } else {
      this.#complain(key, nic, 'AddressesExhausted', given.sentence);
      this.#waiting.forAny(nic.network, key);
    }
    return undefined;
  }

  #formerOf(key: Key, nic: Nic): readonly string[] {
    const former = this.#former.get(key);
    return [...(former?.uid === nic.object.uid ? former.ips : []), ...nic.formerIps];
  }

  #isInNorthbound(claim: Key): boolean {
    for (const nic of this.#tables.nics.by('claim', claim).keys()) if (this.#former.has(nic)) return true;
    return false;
  }

  #release(holder: string): void {
    const held = this.#holdings.get(holder);
    if (held === undefined) return;
    this.#holdings.delete(holder);
    const pools = this.#pools.get(held.network);
    for (const address of held.addresses) {
      if (pools?.release(address, holder)) this.#wake(this.#waiting.released(held.network, formatAddress(address)));
    }
    this.#wakeNext(held.network);
  }

  #releaseMac(key: Key): void {
    const id = this.#macs.get(key);
    if (id === undefined) return;
    this.#macs.delete(key);
    this.#tables.macHolders.remove(id);
    const [network = '', mac = ''] = id.split(' ');
    this.#wake(this.#waiting.released(network, mac));
  }

  #wakeNext(network: Key): void {
    for (const nic of this.#waiting.nextForAny(network)) {
      this.#woken.set(nic, network);
      this.#agenda.addNic(nic);
    }
  }

  /** Whoever was woken for an address may be gone, or on another network: then it is the next one's turn. */
  #passOn(key: Key, nic: Nic | undefined): void {
    const network = this.#woken.get(key);
    if (network === undefined) return;
    this.#woken.delete(key);
    const hasIt = nic !== undefined && this.#holdings.get(holderOf(key, nic))?.network === network;
    if (!hasIt && !this.#waiting.isForAny(network, key)) this.#wakeNext(network);
  }

  #wakeAll(network: Key): void {
    this.#wake(this.#waiting.all(network));
  }

  #wake(holders: Iterable<string>): void {
    for (const holder of holders) {
      if (holder.startsWith(claimPrefix)) this.#agenda.addClaim(holder.slice(claimPrefix.length));
      else this.#agenda.addNic(holder);
    }
  }

  #complain(key: Key, nic: Nic, condition: string, sentence: string): void {
    this.#complaints.put(key, nic.network, { object: nic.object, condition, sentence });
  }
}

/** Key of `Tables.macHolders`. */
export function macKey(network: Key, mac: string): Key {
  return `${network} ${mac}`;
}

/** Whether a conflict (`Tables.claimConflicts`) is not with the claim that the guest brought its addresses along in, which goes. */
export function isWithOthers(conflict: string | undefined, { broughtClaim }: Nic): conflict is string {
  return conflict !== undefined && !conflict.endsWith(`IPAMClaim ${broughtClaim}`);
}

function holderOf(key: Key, { claim }: Nic): string {
  return claim === undefined ? key : claimHolder(`${claim.namespace}/${claim.name}`);
}

/** Who holds or waits for addresses, in the user's words: `pod/default/web`, which is a NIC's key, or `IPAMClaim default/db.default`. */
function claimHolder(claim: Key): string {
  return [claimKind, claim].join(' ');
}

const claimKind = 'IPAMClaim';
const claimPrefix = `${claimKind} `;

function prefixLength(
  plan: { readonly segments: readonly { readonly subnets: readonly { family: number; prefixLength: number }[] }[] },
  { family }: Address,
) {
  for (const { subnets } of plan.segments) {
    for (const subnet of subnets) if (subnet.family === family) return subnet.prefixLength;
  }
  return family === 4 ? 32 : 128;
}

function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every(({ family, value }, i) => family === b[i]?.family && value === b[i]?.value);
}
