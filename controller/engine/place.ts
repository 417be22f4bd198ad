/** Something that looked at a place and wants to know when what is there changes. */
export interface Reader {
  wake(): void;
  /** Whether it still looks there. */
  looksAt(place: Place): boolean;
}

/**
 * A place in a table that can be looked at: one key, all rows that an index files under one value, or whether there are any. Most
 * places have one reader or a few, and there are as many places as rows, so a lone reader is kept without anything around it, and a few in a
 * list without room to grow.
 */
export class Place {
  protected readonly name: string;
  protected readonly home: Home;
  #readers: Reader | readonly Reader[] | Crowd | undefined;

  /** `home` is told `name` when the last reader has left, so that places nobody looks at cost nothing. */
  constructor(home: Home, name: string) {
    this.home = home;
    this.name = name;
  }

  get isRead(): boolean {
    return this.#readers !== undefined;
  }

  /** Only for who has not entered, or has left since. */
  enter(reader: Reader): void {
    const readers = this.#readers;
    if (readers === undefined) this.#readers = reader;
    else if (readers instanceof Crowd) readers.enter(reader);
    else if (!isList(readers)) this.#readers = [readers, reader];
    else this.#readers = readers.length < fewReaders ? [...readers, reader] : new Crowd([...readers, reader]);
  }

  /** Only for who has entered. */
  leave(reader: Reader): void {
    const readers = this.#readers;
    if (readers === reader) this.#readers = undefined;
    else if (readers instanceof Crowd) this.#readers = readers.without(this);
    else if (isList(readers)) {
      const left = readers.filter((one) => one !== reader);
      this.#readers = left.length > 1 ? left : left[0];
    }
    if (this.#readers === undefined) this.home.forget(this.name);
  }

  wake(): void {
    const readers = this.#readers;
    if (readers === undefined) return;
    if (readers instanceof Crowd) readers.wake(this);
    else if (isList(readers)) for (const reader of readers) reader.wake();
    else readers.wake();
  }
}

/** What places belong to. */
export interface Home {
  /** Nobody looks at the place any more, and it may be thrown away. */
  forget(name: string): void;
}

/**
 * The readers of a place that thousands look at, such as a network. A reader costs a quarter of what it does in a set, since those who leave
 * are only counted: who is still there is asked when it matters, and the list is cleared when half of it has left.
 */
class Crowd {
  #readers: Reader[];
  #gone = 0;

  constructor(readers: Reader[]) {
    this.#readers = readers;
  }

  enter(reader: Reader): void {
    this.#readers.push(reader);
  }

  /** After one has left; undefined when it was the last. */
  without(place: Place): Crowd | undefined {
    this.#gone += 1;
    if (this.#gone === this.#readers.length) return undefined;
    if (this.#gone * 2 > this.#readers.length) {
      this.#readers = [...new Set(this.#readers.filter((reader) => reader.looksAt(place)))];
      this.#gone = 0;
    }
    return this;
  }

  wake(place: Place): void {
    for (const reader of this.#readers) if (this.#gone === 0 || reader.looksAt(place)) reader.wake();
  }
}

const fewReaders = 6;

function isList(readers: Reader | readonly Reader[] | undefined): readers is readonly Reader[] {
  return Array.isArray(readers);
}
