/**
 * Which of the numbers 0 … capacity − 1 are taken. Taking the next free one goes on from the last one given, so that an address
 * just released is the last to be given again. Above the bits are summaries, each bit of which says that 32 below it are taken: a
 * search climbs and descends them once, so that taking and releasing look at two words of each, of which 2²⁰ numbers have four.
 */
export class IndexPool {
  readonly capacity: number;
  /** Words looked at in searches so far, for tests. */
  looks = 0;
  /** Of the first, bit i of word w: number 32w + i is taken. Of each other: word 32w + i of the one before is full. Grown as needed. */
  readonly #levels: Uint32Array[] = [];
  #taken = 0;
  #cursor = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    for (let bits = capacity; this.#levels.length === 0 || bits > 1; bits = Math.ceil(bits / 32)) {
      this.#levels.push(new Uint32Array(Math.min(32, Math.ceil(bits / 32))));
    }
  }

  get taken(): number {
    return this.#taken;
  }

  get free(): number {
    return this.capacity - this.#taken;
  }

  isTaken(index: number): boolean {
    return (((this.#levels[0]?.[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;
  }

  /** False when it is taken already. */
  take(index: number): boolean {
    if (index < 0 || index >= this.capacity || this.isTaken(index)) return false;
    let bit = index;
    for (let level = 0; level < this.#levels.length; level += 1) {
      const word = bit >>> 5;
      const words = this.#withRoom(level, word);
      const value = ((words[word] ?? 0) | (1 << (bit & 31))) >>> 0;
      words[word] = value;
      if (value !== full) break;
      bit = word;
    }
    this.#taken += 1;
    return true;
  }

  /** Takes the next free number; undefined when there is none. */
  takeNext(): number | undefined {
    if (this.#taken >= this.capacity) return undefined;
    const index = this.#firstFree(this.#cursor) ?? this.#firstFree(0);
    if (index === undefined) return undefined;
    this.take(index);
    this.#cursor = index + 1 === this.capacity ? 0 : index + 1;
    return index;
  }

  /** The first free number, which stays free; undefined when there is none. */
  firstFree(): number | undefined {
    return this.#taken >= this.capacity ? undefined : this.#firstFree(0);
  }

  release(index: number): void {
    if (!this.isTaken(index)) return;
    let bit = index;
    for (const words of this.#levels) {
      const word = bit >>> 5;
      const value = words[word] ?? 0;
      words[word] = value & ~(1 << (bit & 31));
      if (value !== full) break;
      bit = word;
    }
    this.#taken -= 1;
  }

  #firstFree(from: number): number | undefined {
    let level = 0;
    let index = from;
    let free = this.#freeIn(level, index >>> 5) & (full << (index & 31));
    while (free === 0) {
      level += 1;
      if (level === this.#levels.length) return undefined;
      // Nothing is left of this word: the next one that is not full.
      index = (index >>> 5) + 1;
      free = this.#freeIn(level, index >>> 5) & (full << (index & 31));
    }
    index = lowest(index >>> 5, free);
    for (; level > 0; level -= 1) index = lowest(index, this.#freeIn(level - 1, index));
    return index < this.capacity ? index : undefined;
  }

  /** What has not been grown into is free. */
  #freeIn(level: number, word: number): number {
    this.looks += 1;
    return ~(this.#levels[level]?.[word] ?? 0);
  }

  #withRoom(level: number, word: number): Uint32Array {
    const words = this.#levels[level] ?? new Uint32Array();
    if (word < words.length) return words;
    const grown = new Uint32Array(Math.max(word + 1, words.length * 2));
    grown.set(words);
    this.#levels[level] = grown;
    return grown;
  }
}

const full = 0xffffffff;

/** The lowest bit of `bits` in word `word`, counted from the first word. */
function lowest(word: number, bits: number): number {
  return (word << 5) + 31 - Math.clz32(bits & -bits);
}
