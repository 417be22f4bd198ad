/** What is known of a long message when its first row comes. */
export interface BulkHead {
  /** Of the request a reply answers. */
  readonly id: unknown;
  readonly method: unknown;
  /** The first parameter of a notification: its monitor. */
  readonly monitor: unknown;
  /** How many objects and arrays the object of tables is nested in, itself included. */
  readonly depth: number;
}

/**
 * Finds the object of tables in the beginning of a message: at `result` (monitor, monitor_cond), in the array at `result`
 * (monitor_cond_since) or in the array at `params` (update, update2, update3). `length` counts the bytes up to and with its
 * opening brace. `undefined` if the message carries no rows, or names its request or monitor only later.
 */
export function findRows(bytes: Buffer): { readonly head: BulkHead; readonly length: number } | undefined {
  const members: Record<string, unknown> = {};
  const cursor = new Cursor(bytes);
  if (!cursor.eat('{')) return undefined;
  for (;;) {
    const name = cursor.scalar();
    if (typeof name !== 'string' || !cursor.eat(':')) return undefined;
    if (name === 'result' && cursor.eat('{')) return headOf(members, undefined, 2, cursor.at);
    if ((name === 'result' || name === 'params') && cursor.eat('[')) {
      const first = cursor.scalar();
      // The tables come as an element after scalars: [found, id, {…}], [monitor, {…}] or [monitor, id, {…}].
      while (cursor.eat(',')) {
        if (cursor.eat('{')) return headOf(members, first, 3, cursor.at);
        if (cursor.scalar() === undefined) return undefined;
      }
      return undefined;
    }
    const value = cursor.scalar();
    if (value === undefined || !cursor.eat(',')) return undefined;
    members[name] = value;
  }
}

function headOf(members: Record<string, unknown>, first: unknown, depth: number, length: number) {
  if (members.id === undefined && members.method === undefined) return undefined;
  return { head: { id: members.id, method: members.method, monitor: first, depth }, length };
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
