/**
 * Which of the numbers 0 … capacity − 1 are taken. Taking the next free one goes on from the last one given, so that an address
 * just released is the last to be given again; full words are skipped by a summary, which makes it O(1) amortised.
 */
export class IndexPool {
  readonly capacity: number;
  /** Bit i of word w: number 32w + i is taken. Grown as needed. */
  #words = new Uint32Array(32);
  /** Bit i of word w: word 32w + i of `#words` is full. */
  #full = new Uint32Array(1);
  #taken = 0;
  #cursor = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  get free(): number {
    return this.capacity - this.#taken;
  }

  isTaken(index: number): boolean {
    return (((this.#words[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;
  }

  /** False when it is taken already. */
  take(index: number): boolean {
    if (index < 0 || index >= this.capacity || this.isTaken(index)) return false;
    const word = index >>> 5;
    this.#grow(word);
    const value = ((this.#words[word] ?? 0) | (1 << (index & 31))) >>> 0;
    this.#words[word] = value;
    if (value === 0xffffffff) this.#full[word >>> 5] = (this.#full[word >>> 5] ?? 0) | (1 << (word & 31));
    this.#taken += 1;
    return true;
  }

  /** Takes the next free number; undefined when there is none. */
  takeNext(): number | undefined {
    if (this.#taken >= this.capacity) return undefined;
    const index = this.#firstFree(this.#cursor, this.capacity) ?? this.#firstFree(0, this.#cursor);
    if (index === undefined) return undefined;
    this.take(index);
    this.#cursor = index + 1 === this.capacity ? 0 : index + 1;
    return index;
  }

  /** The first free number, which stays free; undefined when there is none. */
  firstFree(): number | undefined {
    return this.#taken >= this.capacity ? undefined : this.#firstFree(0, this.capacity);
  }

  release(index: number): void {
    if (!this.isTaken(index)) return;
    const word = index >>> 5;
    this.#words[word] = (this.#words[word] ?? 0) & ~(1 << (index & 31));
    this.#full[word >>> 5] = (this.#full[word >>> 5] ?? 0) & ~(1 << (word & 31));
    this.#taken -= 1;
  }

  #firstFree(from: number, to: number): number | undefined {
    let index = from;
    while (index < to) {
      const word = index >>> 5;
      if ((index & 31) === 0 && (word & 31) === 0 && this.#full[word >>> 5] === 0xffffffff) {
        index += 1024;
        continue;
      }
      const unseen = ~(this.#words[word] ?? 0) & (0xffffffff << (index & 31));
      if (unseen !== 0) {
        const found = (word << 5) + 31 - Math.clz32(unseen & -unseen);
        return found < to ? found : undefined;
      }
      index = (word + 1) << 5;
    }
    return undefined;
  }

  #grow(word: number): void {
    if (word < this.#words.length) return;
    const length = Math.max(word + 1, this.#words.length * 2);
    const words = new Uint32Array(Math.ceil(length / 32) * 32);
    words.set(this.#words);
    const full = new Uint32Array(words.length / 32);
    full.set(this.#full);
    this.#words = words;
    this.#full = full;
  }
}
