import { type Home, Place } from './place.ts';

/**
 * Those who look at values under which an index has nothing. A few values are looked at by thousands of readers, who share a place. Beyond
 * those there may be one for each reader, such as a UID, under which there never will be anything: such a look has a place of its own in a list,
 * and only when something is filed among many of them are they put in a map.
 */
export class Gaps implements Home {
  readonly #shared = new Map<string, Gap>();
  #own: Gap[] = [];
  #ownByValue: Map<string, Gap[]> | undefined;
  /** Places of their own that somebody looks at: in a list there may be more. */
  #ownRead = 0;
  readonly #onEmpty: () => void;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  get isEmpty(): boolean {
    return this.watched === 0;
  }

  get watched(): number {
    return this.#shared.size + this.#ownRead;
  }

  /** The place of whoever looks at `value` and is about to enter; `before`, if it is there already. */
  look(value: string, before: Place | undefined): Place {
    if (before instanceof Gap && before.isOf(this, value)) return before;
    const known = this.#shared.get(value);
    if (known !== undefined) return known;
    const gap = new Gap(this, value);
    if (this.#shared.size < mostShared) {
      this.#shared.set(value, gap);
      return gap;
    }
    this.#ownRead += 1;
    if (this.#ownByValue === undefined) this.#own.push(gap);
    else file(this.#ownByValue, value, gap);
    return gap;
  }

  /** Something is filed under `value`. */
  wake(value: string): void {
    this.#shared.get(value)?.wake();
    if (this.#own.length > fewOwn) this.#sort();
    for (const gap of this.#ownByValue?.get(value) ?? this.#own) if (gap.isOf(this, value)) gap.wake();
  }

  forget(value: string): void {
    if (this.#shared.get(value)?.isRead === false) this.#shared.delete(value);
    else {
      this.#ownRead -= 1;
      if (this.#ownByValue === undefined) this.#shorten();
      else {
        const left = this.#ownByValue.get(value)?.filter(({ isRead }) => isRead) ?? [];
        if (left.length === 0) this.#ownByValue.delete(value);
        else this.#ownByValue.set(value, left);
      }
    }
    if (this.isEmpty) this.#onEmpty();
  }

  #shorten(): void {
    if (this.#ownRead * 2 < this.#own.length) this.#own = this.#own.filter(({ isRead }) => isRead);
  }

  #sort(): void {
    const byValue = new Map<string, Gap[]>();
    for (const gap of this.#own) if (gap.isRead) file(byValue, gap.value, gap);
    this.#ownByValue = byValue;
    this.#own = [];
  }
}

/** What is looked at where there is nothing. */
class Gap extends Place {
  get value(): string {
    return this.name;
  }

  isOf(gaps: Gaps, value: string): boolean {
    return this.home === gaps && this.name === value;
  }
}

const mostShared = 16;
/** So many are looked through one by one. */
const fewOwn = 64;

function file(byValue: Map<string, Gap[]>, value: string, gap: Gap): void {
  const gaps = byValue.get(value);
  if (gaps === undefined) byValue.set(value, [gap]);
  else gaps.push(gap);
}
