import type { Problem } from '../engine/facts.ts';
import { PartedMap } from '../engine/parted-map.ts';
import type { Problems } from '../engine/problems.ts';
import type { Key } from '../engine/table.ts';

interface Complaint {
  readonly network: Key;
  readonly problem: Problem;
}

/** What stands between NICs and their addresses: one complaint of each NIC at most. */
export class Complaints {
  readonly #problems: Problems;
  readonly #byNic = new PartedMap<Complaint>();
  readonly #byNetwork = new Map<Key, PartedMap<Problem>>();

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** Those of NICs on the network. */
  on(network: Key): Iterable<Problem> {
    return this.#byNetwork.get(network)?.values() ?? [];
  }

  put(nic: Key, network: Key, problem: Problem): void {
    this.takeBack(nic);
    this.#byNic.set(nic, { network, problem });
    let here = this.#byNetwork.get(network);
    if (here === undefined) {
      here = new PartedMap();
      this.#byNetwork.set(network, here);
    }
    here.set(nic, problem);
    this.#problems.say(nic, problem);
  }

  takeBack(nic: Key): void {
    const complaint = this.#byNic.get(nic);
    if (complaint === undefined) return;
    this.#byNic.delete(nic);
    const here = this.#byNetwork.get(complaint.network);
    here?.delete(nic);
    if (here?.size === 0) this.#byNetwork.delete(complaint.network);
    this.#problems.unsay(nic, complaint.problem);
  }
}
