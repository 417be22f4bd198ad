import type { Atom } from '../schema.ts';

/** Different lists of keys a column may share; beyond that every map has its own, so that odd data cannot fill memory for ever. */
const listLimit = 4_096;
const longestShared = 32;

interface Node {
  readonly keys: readonly Atom[];
  readonly next: Map<Atom, Node>;
}

/** Gives equal lists of map keys as one object: a tree with a branch per key. */
export class SharedKeys {
  readonly #root: Node = { keys: [], next: new Map() };
  #count = 0;

  /** The list of `keyOf(0)` to `keyOf(length - 1)`. */
  list(length: number, keyOf: (index: number) => Atom): readonly Atom[] {
    let node = this.#root;
    for (let i = 0; i < length; i++) {
      const key = keyOf(i);
      let next = node.next.get(key);
      if (!next) {
        if (this.#count >= listLimit || length > longestShared) return Array.from({ length }, (_, at) => keyOf(at));
        this.#count++;
        next = { keys: [...node.keys, key], next: new Map() };
        node.next.set(key, next);
      }
      node = next;
    }
    return node.keys;
  }
}
