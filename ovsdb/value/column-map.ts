import type { Atom } from '../schema.ts';

/**
 * The value of a map column: an immutable `ReadonlyMap`. A replica holds a great many small maps with few different sets of keys, so maps
 * with the same keys share one list of them, and string values lie in one string. A `Map` would take four times the memory.
 */
export abstract class ColumnMap<K extends Atom = Atom, V extends Atom = Atom> implements ReadonlyMap<K, V> {
  protected readonly sharedKeys: readonly K[];

  protected constructor(keys: readonly K[]) {
    this.sharedKeys = keys;
  }

  protected abstract valueAt(index: number): V | undefined;
  protected abstract allValues(): readonly V[];

  get size(): number {
    return this.sharedKeys.length;
  }

  get(key: K): V | undefined {
    const at = this.#indexOf(key);
    return at < 0 ? undefined : this.valueAt(at);
  }

  has(key: K): boolean {
    return this.#indexOf(key) >= 0;
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void, thisArg?: unknown): void {
    for (const [key, value] of this) visit.call(thisArg, value, key, this);
  }

  *entries(): MapIterator<[K, V]> {
    const values = this.allValues()[Symbol.iterator]();
    for (const key of this.sharedKeys) {
      const { value, done } = values.next();
      if (done) return;
      yield [key, value];
    }
  }

  keys(): MapIterator<K> {
    return this.sharedKeys.values();
  }

  values(): MapIterator<V> {
    return this.allValues().values();
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

  #indexOf(key: K): number {
    const keys = this.sharedKeys;
    return keys.length > hashedSize ? (hashOf(keys).get(key) ?? -1) : keys.indexOf(key);
  }
}

export function columnMap<K extends Atom, V extends Atom>(entries: Iterable<readonly [K, V]>): ColumnMap<K, V> {
  const map = new Map(entries);
  return mapOfKeysAndValues([...map.keys()], [...map.values()]);
}

/** Makes a map of distinct keys and as many values; both lists belong to it from here on. */
export function mapOfKeysAndValues<K extends Atom, V extends Atom>(
  keys: readonly K[],
  values: readonly V[],
): ColumnMap<K, V> {
  return new ListMap(keys, values);
}

/** The same for string values. */
export function mapOfStrings<K extends Atom>(keys: readonly K[], values: readonly string[]): ColumnMap<K, string> {
  return new PackedMap(keys, values.join(separator));
}

class ListMap<K extends Atom, V extends Atom> extends ColumnMap<K, V> {
  readonly #values: readonly V[];

  constructor(keys: readonly K[], values: readonly V[]) {
    super(keys);
    this.#values = values;
  }

  protected override valueAt(index: number): V | undefined {
    return this.#values[index];
  }

  protected override allValues(): readonly V[] {
    return this.#values;
  }
}

export const emptyMap: ColumnMap<never, never> = new ListMap<never, never>([], []);

/** No OVSDB string contains a NUL: ovsdb-server refuses it. */
const separator = '\0';

class PackedMap<K extends Atom> extends ColumnMap<K, string> {
  readonly #packed: string;

  constructor(keys: readonly K[], packed: string) {
    super(keys);
    this.#packed = packed;
  }

  protected override valueAt(index: number): string {
    let start = 0;
    for (let passed = 0; passed < index; passed++) start = this.#packed.indexOf(separator, start) + 1;
    const end = this.#packed.indexOf(separator, start);
    return end < 0 ? this.#packed.slice(start) : this.#packed.slice(start, end);
  }

  protected override allValues(): readonly string[] {
    return this.#packed.split(separator);
  }
}

/** A list of keys this long is looked up by hash, built when first needed. */
const hashedSize = 16;
const hashes = new WeakMap<readonly Atom[], Map<Atom, number>>();

function hashOf(keys: readonly Atom[]): ReadonlyMap<Atom, number> {
  const known = hashes.get(keys);
  if (known) return known;
  const hash = new Map(keys.map((key, index) => [key, index]));
  hashes.set(keys, hash);
  return hash;
}
