import { PartedSet } from '../engine/parted-map.ts';
import type { Key } from '../engine/table.ts';

/** How old a NIC's right to addresses is, the oldest first: its port was found in the database, it had some, it asks for particular ones. */
const rights = ['former', 'known', 'asking', 'later'] as const;
export type Right = (typeof rights)[number];

/** What is done to whoever has its turn, and what its turn follows from. */
export interface AgendaWork {
  readonly plan: (network: Key) => void;
  readonly claim: (claim: Key) => void;
  readonly nic: (nic: Key) => void;
  /** Whether the northbound database was found to have the port of the claim. */
  readonly isInNorthbound: (claim: Key) => boolean;
  readonly rightOf: (nic: Key) => Right;
}

/** Whose addresses are to be looked at, and in which order: nobody has its turn while somebody with an older right waits. */
export class Agenda {
  readonly #work: AgendaWork;
  readonly #plans = new Set<Key>();
  readonly #marking: Iterator<void>[] = [];
  readonly #claims = new PartedSet();
  /** Claims whose turn comes when none is left that the northbound database has the port of, and no such NIC. */
  readonly #laterClaims = new PartedSet();
  /** NICs of which it is not known yet how old their right is. */
  readonly #nics = new PartedSet();
  readonly #queues: Readonly<Record<Right, PartedSet>> = {
    former: new PartedSet(),
    known: new PartedSet(),
    asking: new PartedSet(),
    later: new PartedSet(),
  };

  constructor(work: AgendaWork) {
    this.#work = work;
  }

  get isEmpty(): boolean {
    const claims = this.#claims.size + this.#laterClaims.size;
    const nics = rights.reduce((sum, right) => sum + this.#queues[right].size, this.#nics.size);
    return this.#plans.size + this.#marking.length + claims + nics === 0;
  }

  addPlan(network: Key): void {
    this.#plans.add(network);
  }

  addClaim(claim: Key): void {
    this.#claims.add(claim);
  }

  addNic(nic: Key): void {
    this.#nics.add(nic);
  }

  /** All of a network that has changed, which may have a hundred thousand: they are entered one at each step. */
  addAll(claims: Iterable<Key>, nics: Iterable<Key>): void {
    this.#marking.push(this.#markAll(claims, nics));
  }

  /** Gives everybody their turn; ends early when `isTimeUp`, but not before one of them has had it. */
  run(isTimeUp: () => boolean): void {
    for (const key of drained(this.#plans)) this.#work.plan(key);
    for (let [next] = this.#marking; next !== undefined; [next] = this.#marking) {
      if (next.next().done) this.#marking.shift();
      if (isTimeUp()) return;
    }
    const { claim, nic, isInNorthbound, rightOf } = this.#work;
    const queueNic = (key: Key) => void this.#queues[rightOf(key)].add(key);
    const claimOrLater = (key: Key) => (isInNorthbound(key) ? claim(key) : void this.#laterClaims.add(key));
    const steps: readonly (readonly [PartedSet, (key: Key) => void])[] = [
      [this.#claims, claimOrLater],
      [this.#nics, queueNic],
      [this.#queues.former, nic],
      [this.#laterClaims, claim],
      [this.#nics, queueNic],
      ...rights.map((right) => [this.#queues[right], nic] as const),
    ];
    for (const [queue, step] of steps) {
      for (const key of drained(queue)) {
        step(key);
        if (isTimeUp()) return;
      }
    }
  }

  *#markAll(claims: Iterable<Key>, nics: Iterable<Key>): Iterator<void> {
    for (const claim of claims) yield this.addClaim(claim);
    for (const nic of nics) yield this.addNic(nic);
  }
}

/** Takes what is in the set, and what comes into it meanwhile, out of it, one by one. */
function* drained(set: Set<Key> | PartedSet): Iterable<Key> {
  while (set.size > 0) {
    for (const key of set) {
      set.delete(key);
      yield key;
    }
  }
}
