import type { Key } from '../engine/table.ts';

/** Who waits for an address, a particular one or any. Names are the allocator's holders; first come, first served. */
export class Waiting {
  /** Network → holders, in the order in which they came. */
  readonly #forAny = new Map<Key, Set<string>>();
  /** Network and address, or MAC → holders. */
  readonly #forAddress = new Map<string, Set<string>>();
  readonly #places = new Map<string, () => void>();

  get size(): number {
    return this.#places.size;
  }

  forAny(network: Key, holder: string): void {
    this.#enter(this.#forAny, network, holder);
  }

  forAddress(network: Key, address: string, holder: string): void {
    this.#enter(this.#forAddress, `${network} ${address}`, holder);
  }

  leave(holder: string): void {
    this.#places.get(holder)?.();
  }

  /** Everybody who waits for this very address. */
  released(network: Key, address: string): readonly string[] {
    return [...(this.#forAddress.get(`${network} ${address}`) ?? [])];
  }

  /** The first who takes any: one address is free, so one is woken. */
  nextForAny(network: Key): readonly string[] {
    for (const holder of this.#forAny.get(network) ?? []) {
      this.leave(holder);
      return [holder];
    }
    return [];
  }

  isForAny(network: Key, holder: string): boolean {
    return this.#forAny.get(network)?.has(holder) ?? false;
  }

  all(network: Key): readonly string[] {
    const particular = [...this.#forAddress].flatMap(([id, holders]) =>
      id.startsWith(`${network} `) ? [...holders] : [],
    );
    return [...(this.#forAny.get(network) ?? []), ...particular];
  }

  #enter(queues: Map<string, Set<string>>, id: string, holder: string): void {
    this.leave(holder);
    const queue = queues.get(id) ?? new Set();
    queues.set(id, queue.add(holder));
    this.#places.set(holder, () => {
      this.#places.delete(holder);
      queue.delete(holder);
      if (queue.size === 0) queues.delete(id);
    });
  }
}
