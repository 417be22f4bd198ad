/** Something that looked at a place and wants to know when what is there changes. */
export interface Reader {
  wake(): void;
}

/**
 * A place in a table that can be looked at: one key, all rows that an index files under one value, or whether there are any. Most
 * places have one reader, and there are as many places as rows, so a lone reader is kept without a set around it.
 */
export class Place {
  readonly #home: Home;
  readonly #name: string;
  #readers: Reader | Set<Reader> | undefined;

  /** `home` is told `name` when the last reader has left, so that places nobody looks at cost nothing. */
  constructor(home: Home, name: string) {
    this.#home = home;
    this.#name = name;
  }

  get isRead(): boolean {
    return this.#readers !== undefined;
  }

  enter(reader: Reader): void {
    if (this.#readers === undefined) this.#readers = reader;
    else if (this.#readers instanceof Set) this.#readers.add(reader);
    else if (this.#readers !== reader) this.#readers = new Set([this.#readers, reader]);
  }

  leave(reader: Reader): void {
    if (this.#readers instanceof Set) {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#readers = undefined;
    } else if (this.#readers === reader) this.#readers = undefined;
    if (this.#readers === undefined) this.#home.forget(this.#name);
  }

  wake(): void {
    if (this.#readers instanceof Set) for (const reader of this.#readers) reader.wake();
    else this.#readers?.wake();
  }
}

/** Places by name, each there while somebody looks at it. */
export class Places {
  readonly #places = new Map<string, Place>();

  get size(): number {
    return this.#places.size;
  }

  place(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = new Place(this, name);
      this.#places.set(name, place);
    }
    return place;
  }

  wake(name: string): void {
    this.#places.get(name)?.wake();
  }

  forget(name: string): void {
    this.#places.delete(name);
  }
}

/** What places belong to. */
interface Home {
  forget(name: string): void;
}
