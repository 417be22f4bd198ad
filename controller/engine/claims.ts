import type { DerivedFact, RowFact } from './facts.ts';
import { isSame } from './same.ts';
import type { Owner } from './votes.ts';

/** What is said, and who says it in just these words. */
interface Content<F> {
  readonly fact: F;
  owners: Owner | Set<Owner>;
}

/**
 * Statements of which one counts. Some are made in the same words by everybody who needs them, so owners are filed under what
 * they say, and of different words the first in alphabetical order counts, whoever came first. There is one of these for every
 * row and mostly one owner, which are kept without a list and a set around them.
 */
export class Claims<F extends RowFact | DerivedFact> {
  #contents: Content<F> | readonly Content<F>[] | undefined;

  get isEmpty(): boolean {
    return this.#contents === undefined;
  }

  get speaker(): F | undefined {
    if (!isList(this.#contents)) return this.#contents?.fact;
    let winner: F | undefined;
    for (const { fact } of this.#contents) if (winner === undefined || textOf(fact) < textOf(winner)) winner = fact;
    return winner;
  }

  /** What the owner said before is replaced. */
  say(owner: Owner, fact: F): void {
    this.unsay(owner);
    const contents = this.#contents;
    if (contents === undefined) {
      this.#contents = { fact, owners: owner };
      return;
    }
    const list = isList(contents) ? contents : [contents];
    const content = list.find((one) => isSame(contentOf(one.fact), contentOf(fact)));
    if (content === undefined) this.#contents = [...list, { fact, owners: owner }];
    else if (content.owners instanceof Set) content.owners.add(owner);
    else content.owners = new Set([content.owners, owner]);
  }

  unsay(owner: Owner): void {
    const contents = this.#contents;
    if (contents === undefined) return;
    const list = isList(contents) ? contents : [contents];
    const content = list.find(({ owners }) => (owners instanceof Set ? owners.has(owner) : owners === owner));
    if (content === undefined) return;
    if (content.owners instanceof Set && content.owners.size > 1) content.owners.delete(owner);
    else {
      const left = list.filter((one) => one !== content);
      this.#contents = left.length > 1 ? left : left[0];
    }
  }
}

function isList<F>(contents: Content<F> | readonly Content<F>[] | undefined): contents is readonly Content<F>[] {
  return Array.isArray(contents);
}

function contentOf(fact: RowFact | DerivedFact): unknown {
  return fact.kind === 'row' ? fact : fact.value;
}

function textOf(fact: RowFact | DerivedFact): string {
  return JSON.stringify(contentOf(fact), (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
