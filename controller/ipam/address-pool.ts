import { type Address, type Cidr, contains } from './address.ts';
import { IndexPool } from './index-pool.ts';

/** A part of a subnet that is never given away. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * The addresses of one subnet and who has which. Addresses given without being asked for come from the first 2²⁰ of a subnet, which
 * is all of an IPv4 /12; any other address of the subnet can be asked for.
 */
export class AddressPool {
  readonly cidr: Cidr;
  readonly #pool: IndexPool;
  readonly #owners = new Map<bigint, string>();
  readonly #excluded: readonly AddressRange[];

  constructor(cidr: Cidr, excluded: readonly AddressRange[]) {
    this.cidr = cidr;
    this.#excluded = excluded;
    const window = 1n << 20n;
    this.#pool = new IndexPool(Number(cidr.size < window ? cidr.size : window));
    // The network address (in IPv6 the subnet-router anycast address), and in IPv4 the broadcast address.
    this.#pool.take(0);
    if (cidr.family === 4) this.#pool.take(Number(cidr.size - 1n));
    for (const { first, last } of excluded) {
      const end = min(last, cidr.first + BigInt(this.#pool.capacity) - 1n);
      for (let value = max(first, cidr.first); value <= end; value += 1n) this.#pool.take(Number(value - cidr.first));
    }
  }

  get free(): number {
    return this.#pool.free;
  }

  ownerOf(value: bigint): string | undefined {
    return this.#owners.get(value);
  }

  isExcluded(value: bigint): boolean {
    return this.#excluded.some(({ first, last }) => value >= first && value <= last);
  }

  /** Gives `owner` this very address, excluded or not; false when somebody else has it. */
  take(address: Address, owner: string): boolean {
    if (!contains(this.cidr, address)) return false;
    const holder = this.#owners.get(address.value);
    if (holder !== undefined) return holder === owner;
    this.#owners.set(address.value, owner);
    const index = this.#indexOf(address.value);
    if (index !== undefined) this.#pool.take(index);
    return true;
  }

  /** Undefined when the subnet is exhausted. */
  takeNext(owner: string): Address | undefined {
    const index = this.#pool.takeNext();
    if (index === undefined) return undefined;
    const value = this.cidr.first + BigInt(index);
    this.#owners.set(value, owner);
    return { family: this.cidr.family, value };
  }

  /** Takes the address back if it is `owner`'s. */
  release(address: Address, owner: string): void {
    if (this.#owners.get(address.value) !== owner) return;
    this.#owners.delete(address.value);
    const index = this.#indexOf(address.value);
    if (index !== undefined && !this.isExcluded(address.value)) this.#pool.release(index);
  }

  #indexOf(value: bigint): number | undefined {
    const index = value - this.cidr.first;
    return index >= 0n && index < BigInt(this.#pool.capacity) ? Number(index) : undefined;
  }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
