import { PartedMap } from '../engine/parted-map.ts';
import type { Key } from '../engine/table.ts';
import type { Address } from './address.ts';

/** What somebody holds in which network. */
export interface Holding {
  readonly network: Key;
  readonly addresses: readonly Address[];
}

/** Holder → what it holds. It knows at once whether anybody holds anything of a network. */
export class Holdings {
  readonly #byHolder = new PartedMap<Holding>();
  /** Network → how many hold something of it. */
  readonly #counts = new Map<Key, number>();

  get size(): number {
    return this.#byHolder.size;
  }

  get(holder: string): Holding | undefined {
    return this.#byHolder.get(holder);
  }

  has(holder: string): boolean {
    return this.#byHolder.has(holder);
  }

  isAnyOf(network: Key): boolean {
    return this.#counts.has(network);
  }

  set(holder: string, holding: Holding): void {
    this.delete(holder);
    this.#byHolder.set(holder, holding);
    this.#counts.set(holding.network, (this.#counts.get(holding.network) ?? 0) + 1);
  }

  delete(holder: string): void {
    const held = this.#byHolder.get(holder);
    if (held === undefined) return;
    this.#byHolder.delete(holder);
    const left = (this.#counts.get(held.network) ?? 0) - 1;
    if (left > 0) this.#counts.set(held.network, left);
    else this.#counts.delete(held.network);
  }
}
