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
  /** By position in the subnet, which is a number for all but the far end of an IPv6 subnet. */
  readonly #owners = new Map<number | bigint, string>();
  readonly #reserved = new Map<number | bigint, string>();
  readonly #excluded: readonly AddressRange[];

  constructor(cidr: Cidr, excluded: readonly AddressRange[]) {
    this.cidr = cidr;
    const broadcast = cidr.first + cidr.size - 1n;
    this.#excluded = excluded.filter(({ first, last }) => first <= broadcast && last >= cidr.first);
    const window = 1n << 20n;
    this.#pool = new IndexPool(Number(cidr.size < window ? cidr.size : window));
    // In IPv6 it is the subnet-router anycast address.
    this.reserve(cidr.first, 'the address of the subnet itself');
    if (cidr.family === 4) this.reserve(broadcast, "the subnet's broadcast address");
    for (const { first, last } of this.#excluded) {
      const end = Math.min(Number(last - cidr.first), this.#pool.capacity - 1);
      for (let index = Number(max(first, cidr.first) - cidr.first); index <= end; index += 1) this.#pool.take(index);
    }
  }

  /** Addresses that can still be given without being asked for. */
  get free(): number {
    return this.#pool.free;
  }

  get owned(): number {
    return this.#owners.size;
  }

  /** Nobody is given this address, not even who asks for it; `what` says why. */
  reserve(value: bigint, what: string): void {
    const position = this.#position(value);
    this.#reserved.set(position, what);
    if (typeof position === 'number') this.#pool.take(position);
  }

  /** Who has the address, or what it is. */
  ownerOf(value: bigint): string | undefined {
    const position = this.#position(value);
    return this.#owners.get(position) ?? this.#reserved.get(position);
  }

  isExcluded(value: bigint): boolean {
    return this.#excluded.some(({ first, last }) => value >= first && value <= last);
  }

  /** Gives `owner` this very address, excluded or not; false when somebody else has it or nobody may. */
  take(address: Address, owner: string): boolean {
    if (!contains(this.cidr, address)) return false;
    const position = this.#position(address.value);
    const holder = this.#owners.get(position) ?? this.#reserved.get(position);
    if (holder !== undefined) return holder === owner;
    this.#owners.set(position, owner);
    if (typeof position === 'number') this.#pool.take(position);
    return true;
  }

  /** Undefined when the subnet is exhausted. */
  takeNext(owner: string): Address | undefined {
    const index = this.#pool.takeNext();
    if (index === undefined) return undefined;
    this.#owners.set(index, owner);
    return { family: this.cidr.family, value: this.cidr.first + BigInt(index) };
  }

  /** Takes the address back if it is `owner`'s; whether it was. */
  release({ value }: Address, owner: string): boolean {
    const position = this.#position(value);
    if (this.#owners.get(position) !== owner) return false;
    this.#owners.delete(position);
    if (typeof position === 'number' && !this.isExcluded(value)) this.#pool.release(position);
    return true;
  }

  /** A number within what is given without being asked for. */
  #position(value: bigint): number | bigint {
    const position = value - this.cidr.first;
    return position >= 0n && position < BigInt(this.#pool.capacity) ? Number(position) : position;
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
