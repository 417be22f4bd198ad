import type { Atom } from '../schema.ts';

/** Above this many entries a lookup builds a hash index, kept from then on. */
const scanLimit = 16;

/**
 * The value of a map column: an immutable `ReadonlyMap`. Rows hold many small maps, so the entries lie in one flat array
 * (key, value, key, value, …), at a third of the memory of a `Map`.
 */
export class ColumnMap<K extends Atom = Atom, V extends Atom = Atom> implements ReadonlyMap<K, V> {
  static readonly empty: ColumnMap<never, never> = new ColumnMap<never, never>([], []);

  readonly #keys: readonly K[];
  readonly #values: readonly V[];
  #index: Map<K, V> | undefined;

  /** `keys` must be distinct and as long as `values`; both belong to the map from here on. */
  constructor(keys: readonly K[], values: readonly V[]) {
    this.#keys = keys;
    this.#values = values;
  }

  static from<K extends Atom, V extends Atom>(entries: Iterable<readonly [K, V]>): ColumnMap<K, V> {
    const map = new Map(entries);
    return new ColumnMap([...map.keys()], [...map.values()]);
  }

  get size(): number {
    return this.#keys.length;
  }

  get(key: K): V | undefined {
    if (this.#keys.length > scanLimit) return this.#hashed().get(key);
    const at = this.#keys.indexOf(key);
    return at < 0 ? undefined : this.#values[at];
  }

  has(key: K): boolean {
    return this.#keys.length > scanLimit ? this.#hashed().has(key) : this.#keys.includes(key);
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void, thisArg?: unknown): void {
    for (const [key, value] of this) visit.call(thisArg, value, key, this);
  }

  *entries(): MapIterator<[K, V]> {
    const values = this.#values[Symbol.iterator]();
    for (const key of this.#keys) {
      const { value, done } = values.next();
      if (done) return;
      yield [key, value];
    }
  }

  keys(): MapIterator<K> {
    return this.#keys.values();
  }

  values(): MapIterator<V> {
    return this.#values.values();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  /** What `console.log` and test reports show. */
  [Symbol.for('nodejs.util.inspect.custom')](): ReadonlyMap<K, V> {
    return new Map(this);
  }

  toJSON(): Record<string, V> {
    return Object.fromEntries([...this].map(([key, value]) => [String(key), value]));
  }

  #hashed(): Map<K, V> {
    this.#index ??= new Map(this);
    return this.#index;
  }
}
