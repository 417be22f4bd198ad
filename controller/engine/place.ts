/** Something that looked at a place and wants to know when what is there changes. */
export interface Reader {
  wake(): void;
}

/**
 * A place in a table that can be looked at: one key, all rows that an index files under one value, or whether there are any. Most
 * places have one reader or a few, and there are as many places as rows, so a lone reader is kept without anything around it, and a few in a
 * list without room to grow.
 */
export class Place {
  protected readonly name: string;
  readonly #home: Home;
  #readers: Reader | readonly Reader[] | Set<Reader> | undefined;

  /** `home` is told `name` when the last reader has left, so that places nobody looks at cost nothing. */
  constructor(home: Home, name: string) {
    this.#home = home;
    this.name = name;
  }

  get isRead(): boolean {
    return this.#readers !== undefined;
  }

  enter(reader: Reader): void {
    const readers = this.#readers;
    if (readers === undefined) this.#readers = reader;
    else if (readers instanceof Set) readers.add(reader);
    else if (!isList(readers)) this.#readers = readers === reader ? reader : [readers, reader];
    else if (!readers.includes(reader)) {
      this.#readers = readers.length < fewReaders ? [...readers, reader] : new Set(readers).add(reader);
    }
  }

  leave(reader: Reader): void {
    const readers = this.#readers;
    if (readers === reader) this.#readers = undefined;
    else if (readers instanceof Set) {
      readers.delete(reader);
      if (readers.size === 0) this.#readers = undefined;
    } else if (isList(readers)) {
      const left = readers.filter((one) => one !== reader);
      this.#readers = left.length > 1 ? left : left[0];
    }
    if (this.#readers === undefined) this.#home.forget(this.name);
  }

  wake(): void {
    const readers = this.#readers;
    if (readers === undefined) return;
    if (readers instanceof Set || isList(readers)) for (const reader of readers) reader.wake();
    else readers.wake();
  }
}

/** What places belong to. */
export interface Home {
  /** Nobody looks at the place any more, and it may be thrown away. */
  forget(name: string): void;
}

const fewReaders = 6;

function isList(readers: Reader | readonly Reader[] | undefined): readers is readonly Reader[] {
  return Array.isArray(readers);
}
