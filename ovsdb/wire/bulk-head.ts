/** What is known of a long message when its first row or result comes. */
export interface BulkHead {
  /** An object of tables, or the list of a transaction's results. */
  readonly shape: 'tables' | 'results';
  /** Of the request a reply answers; `undefined` if it comes only after the rows. */
  readonly id: unknown;
  readonly method: unknown;
  /** The first parameter of a notification: its monitor. */
  readonly monitor: unknown;
  /** How many objects and arrays the rows or results are nested in. */
  readonly depth: number;
}

/**
 * Finds what there is to cut in the beginning of a message: the object of tables at `result` (monitor, monitor_cond), in the array at `result`
 * (monitor_cond_since) or in the array at `params` (update, update2, update3), or the list at `result` (transact). `length` counts the
 * bytes up to and with its opening brace or bracket. `undefined` if there is no such thing.
 *
 * The order of a message's members is that of their hashes in ovsdb-server, which differ with the processor it was built for: where CRC32
 * instructions are a given (as on Red Hat's x86-64-v2) a reply's `id` comes last.
 */
export function findBulk(bytes: Buffer): { readonly head: BulkHead; readonly length: number } | undefined {
  const members: Partial<Record<string, unknown>> = {};
  const cursor = new Cursor(bytes);
  if (!cursor.eat('{')) return undefined;
  for (;;) {
    const name = cursor.scalar();
    if (typeof name !== 'string' || !cursor.eat(':')) return undefined;
    const { id, method } = members;
    if (name === 'result' && cursor.eat('{')) {
      // Without the id this may be the reply to anything, such as a schema.
      if (id === undefined) return undefined;
      return { head: { shape: 'tables', id, method, monitor: undefined, depth: 2 }, length: cursor.at };
    }
    if ((name === 'result' || name === 'params') && cursor.eat('[')) {
      const length = cursor.at;
      if (name === 'result' && cursor.eat('{')) {
        return { head: { shape: 'results', id, method, monitor: undefined, depth: 2 }, length };
      }
      const monitor = cursor.scalar();
      // The tables come as an element after scalars: [found, id, {…}], [monitor, {…}] or [monitor, id, {…}].
      while (cursor.eat(',')) {
        if (cursor.eat('{')) return { head: { shape: 'tables', id, method, monitor, depth: 3 }, length: cursor.at };
        if (cursor.scalar() === undefined) return undefined;
      }
      return undefined;
    }
    const value = cursor.scalar();
    if (value === undefined || !cursor.eat(',')) return undefined;
    members[name] = value;
  }
}

const punctuation = new Set([',', ':', '{', '}', '[', ']']);

class Cursor {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  eat(character: string): boolean {
    this.#skipSpace();
    if (this.#character() !== character) return false;
    this.at++;
    return true;
  }

  /** The string, number, boolean or null here; `undefined` if there is none, or not all of it. */
  scalar(): unknown {
    this.#skipSpace();
    const start = this.at;
    if (this.#character() === '"') {
      for (this.at++; this.at < this.#bytes.length && this.#character() !== '"'; this.at++) {
        if (this.#character() === '\\') this.at++;
      }
      this.at++;
    } else {
      while (this.at < this.#bytes.length && !punctuation.has(this.#character())) this.at++;
    }
    try {
      return JSON.parse(this.#bytes.toString('utf8', start, this.at));
    } catch {
      return undefined;
    }
  }

  #character(): string {
    return String.fromCharCode(this.#bytes[this.at] ?? 0);
  }

  #skipSpace(): void {
    while (/\s/.test(this.#character())) this.at++;
  }
}
