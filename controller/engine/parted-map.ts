/**
 * A map that may have a hundred thousand entries. A `Map` of that size stops the world for 10 ms when it doubles, and several with the same keys
 * do so on the same one: a large one is spread over many small ones. Its entries come in no particular order.
 */
export class PartedMap<V> implements ReadonlyMap<string, V> {
  #parts: readonly Map<string, V>[] = [new Map()];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Entries in each part, for tests. */
  get partSizes(): readonly number[] {
    return this.#parts.map(({ size }) => size);
  }

  get(key: string): V | undefined {
    return this.#part(key).get(key);
  }

  has(key: string): boolean {
    return this.#part(key).has(key);
  }

  set(key: string, value: V): this {
    const part = this.#part(key);
    const before = part.size;
    part.set(key, value);
    this.#size += part.size - before;
    if (this.#size > wholeSize && this.#parts.length === 1) this.#spread();
    return this;
  }

  delete(key: string): boolean {
    const isDeleted = this.#part(key).delete(key);
    if (isDeleted) this.#size -= 1;
    return isDeleted;
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void, thisArg?: unknown): void {
    for (const [key, value] of this) visit.call(thisArg, value, key, this);
  }

  *entries(): MapIterator<[string, V]> {
    for (const part of this.#filled()) yield* part;
  }

  *keys(): MapIterator<string> {
    for (const part of this.#filled()) yield* part.keys();
  }

  *values(): MapIterator<V> {
    for (const part of this.#filled()) yield* part.values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  /** What has been large may hold a single entry now, and is looked through for that after every change. */
  #filled(): readonly Map<string, V>[] {
    return this.#parts.length === 1 ? this.#parts : this.#parts.filter(({ size }) => size > 0);
  }

  #part(key: string): Map<string, V> {
    const parts = this.#parts;
    const part = parts[parts.length === 1 ? 0 : partOf(key)];
    if (part === undefined) throw new Error(`no part for ${key}`);
    return part;
  }

  /** Once it is spread it stays so: it has been large before. */
  #spread(): void {
    const whole = this.#part('');
    this.#parts = Array.from({ length: partCount }, () => new Map());
    for (const [key, value] of whole) this.#part(key).set(key, value);
  }
}

/** The same of a set. */
export class PartedSet implements Iterable<string> {
  readonly #members = new PartedMap<true>();

  get size(): number {
    return this.#members.size;
  }

  add(member: string): this {
    this.#members.set(member, true);
    return this;
  }

  delete(member: string): boolean {
    return this.#members.delete(member);
  }

  [Symbol.iterator](): MapIterator<string> {
    return this.#members.keys();
  }
}

/** Up to so many entries it is one map. */
export const wholeSize = 2048;
const partCount = 64;
/** Keys differ in their ends; what follows the part that counts up, such as `.default`, is not longer. */
const hashedCharacters = 20;

function partOf(key: string): number {
  let hash = 0;
  for (let i = Math.max(0, key.length - hashedCharacters); i < key.length; i += 1) {
    hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  }
  return (hash ^ (hash >>> 6) ^ (hash >>> 12)) & (partCount - 1);
}
