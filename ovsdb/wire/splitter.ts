import { constants } from 'node:buffer';
import { OvsdbError } from '../errors.ts';
import { type BulkHead, findRows } from './bulk-head.ts';
import { ByteWindow } from './byte-window.ts';

/**
 * Cuts the byte stream of a connection into JSON texts (RFC 7047 has no delimiter: objects follow one another).
 *
 * A message is one text. A long one that carries rows (the reply to a monitor request, a table update) is cut inside as well:
 * each row is a text of its own, and the message comes last with its rows left out. So a reply of any size is decoded piece by
 * piece, needs no string longer than a row, and its reader can pause between rows.
 */
export type Piece = Message | Row;

export interface Message {
  readonly kind: 'message';
  readonly text: string;
  /** Set if the rows of this message came before it, as `row` pieces; `text` then shows empty tables. */
  readonly head: BulkHead | undefined;
}

export interface Row {
  readonly kind: 'row';
  readonly head: BulkHead;
  readonly table: string;
  readonly uuid: string;
  readonly text: string;
}

export interface SplitterOptions {
  /** Shall the rows of this message come one by one? Asked once per long message, before its first row. */
  readonly wantsRows: (head: BulkHead) => boolean;
  /** Messages up to this many bytes are never cut. */
  readonly wholeBytes?: number;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

type State =
  | 'between messages'
  | 'message'
  | 'tables' // inside {"Table": {…}, …}
  | 'table name'
  | 'table value'
  | 'rows' // inside {"uuid": {…}, …}
  | 'row uuid'
  | 'row colon'
  | 'row'
  | 'tail';

export class Splitter {
  readonly #wantsRows: (head: BulkHead) => boolean;
  readonly #wholeBytes: number;
  readonly #window = new ByteWindow();

  #state: State = 'between messages';
  /** Of the value being scanned: the message, a row, or the message's tail. */
  #depth = 0;
  #inString = false;
  /** All bytes of the text being scanned, or-ed: below 0x80 it is ASCII, which is cheaper to decode. */
  #allBits = 0;
  #isProbed = false;

  #head: BulkHead | undefined;
  #skeleton = '';
  #table = '';
  #uuid = '';

  constructor(options: SplitterOptions) {
    this.#wantsRows = options.wantsRows;
    this.#wholeBytes = options.wholeBytes ?? 65_536;
  }

  /** Adds what arrived. `chunk` is kept until its pieces are taken. */
  push(chunk: Buffer): void {
    this.#window.append(chunk);
  }

  /** The next piece, or `undefined` until more bytes are pushed. Throws `OvsdbError` `protocol` on what is not OVSDB. */
  next(): Piece | undefined {
    for (;;) {
      const piece = this.#step();
      if (piece !== 'on') return piece;
    }
  }

  /** One state's work: a piece, `undefined` if bytes run out, or `'on'` if the state changed. */
  #step(): Piece | undefined | 'on' {
    switch (this.#state) {
      case 'between messages':
        return this.#betweenMessages();
      case 'message':
        return this.#message();
      case 'tables':
        return this.#tables();
      case 'table name':
        return this.#tableName();
      case 'table value':
        return this.#tableValue();
      case 'rows':
        return this.#rows();
      case 'row uuid':
        return this.#rowUuid();
      case 'row colon':
        return this.#rowColon();
      case 'row':
        return this.#row();
      case 'tail':
        return this.#tail();
    }
  }

  #betweenMessages(): undefined | 'on' {
    const byte = this.#skipSpace();
    if (byte === undefined) {
      this.#window.consume();
      return undefined;
    }
    if (byte !== openBrace) throw new OvsdbError('protocol', `a message starts with ${show(byte)}`);
    this.#window.consume();
    this.#isProbed = false;
    this.#head = undefined;
    return this.#scanFrom('message');
  }

  #message(): Message | undefined | 'on' {
    if (this.#scanValue()) {
      this.#state = 'between messages';
      return { kind: 'message', text: this.#take(), head: undefined };
    }
    if (this.#isProbed || this.#window.retained <= this.#wholeBytes) {
      if (this.#window.retained > constants.MAX_STRING_LENGTH) {
        throw new OvsdbError(
          'protocol',
          `a message of more than ${constants.MAX_STRING_LENGTH} bytes that carries no rows`,
        );
      }
      return undefined;
    }
    this.#isProbed = true;
    const found = findRows(this.#window.peek());
    if (!found || !this.#wantsRows(found.head)) return undefined;
    this.#head = found.head;
    this.#window.position = this.#window.start + found.length;
    this.#skeleton = this.#window.takeUtf8();
    this.#state = 'tables';
    return 'on';
  }

  /** Inside the object of tables, before a name or the closing brace. */
  #tables(): undefined | 'on' {
    const byte = this.#skipSpace();
    if (byte === undefined) return undefined;
    this.#window.position++;
    if (byte === quote) {
      this.#skeleton += this.#window.takeUtf8();
      this.#state = 'table name';
      return 'on';
    }
    if (byte === comma) return 'on';
    if (byte !== closeBrace) throw new OvsdbError('protocol', `${show(byte)} among the tables of an update`);
    // The object of tables closes: what follows is the rest of the message, as deep as the rows' head said.
    this.#skeleton += this.#window.takeUtf8();
    this.#scanFrom('tail');
    this.#depth = this.#head ? this.#head.depth - 1 : 0;
    return 'on';
  }

  #tableName(): undefined | 'on' {
    if (!this.#scanString()) return undefined;
    const text = this.#window.takeUtf8();
    this.#table = unquoted(`"${text}`);
    this.#skeleton += text;
    this.#state = 'table value';
    return 'on';
  }

  #tableValue(): undefined | 'on' {
    const byte = this.#skipSpace();
    if (byte === undefined) return undefined;
    this.#window.position++;
    if (byte === colon) return 'on';
    if (byte !== openBrace)
      throw new OvsdbError('protocol', `${show(byte)} where the rows of ${this.#table} should be`);
    this.#skeleton += this.#window.takeUtf8();
    this.#state = 'rows';
    return 'on';
  }

  /** Inside the object of one table's rows, before a UUID or the closing brace. */
  #rows(): undefined | 'on' {
    const byte = this.#skipSpace();
    if (byte === undefined) return undefined;
    this.#window.position++;
    if (byte === closeBrace) {
      this.#window.consume();
      this.#skeleton += '}';
      this.#state = 'tables';
      return 'on';
    }
    if (byte === comma) return 'on';
    if (byte !== quote) throw new OvsdbError('protocol', `${show(byte)} among the rows of ${this.#table}`);
    this.#window.consume();
    this.#state = 'row uuid';
    return 'on';
  }

  #rowUuid(): undefined | 'on' {
    if (!this.#scanString()) return undefined;
    this.#uuid = unquoted(`"${this.#window.takeUtf8()}`);
    this.#state = 'row colon';
    return 'on';
  }

  #rowColon(): undefined | 'on' {
    const byte = this.#skipSpace();
    if (byte === undefined) return undefined;
    if (byte === colon) {
      this.#window.position++;
      return 'on';
    }
    if (byte !== openBrace) throw new OvsdbError('protocol', `${show(byte)} where row ${this.#uuid} should be`);
    this.#window.consume();
    return this.#scanFrom('row');
  }

  #row(): Row | undefined | 'on' {
    if (!this.#scanValue()) return undefined;
    const text = this.#take();
    this.#state = 'rows';
    const head = this.#head;
    if (!head) throw new Error('rows without a head');
    return { kind: 'row', head, table: this.#table, uuid: this.#uuid, text };
  }

  #tail(): Message | undefined {
    if (!this.#scanValue()) return undefined;
    const text = this.#skeleton + this.#window.takeUtf8();
    const head = this.#head;
    this.#skeleton = '';
    this.#head = undefined;
    this.#state = 'between messages';
    return { kind: 'message', text, head };
  }

  #scanFrom(state: State): 'on' {
    this.#state = state;
    this.#depth = 0;
    this.#inString = false;
    this.#allBits = 0;
    return 'on';
  }

  #take(): string {
    return this.#allBits < 0x80 ? this.#window.takeAscii() : this.#window.takeUtf8();
  }

  /** The byte at the position after white space. */
  #skipSpace(): number | undefined {
    const window = this.#window;
    while (window.position < window.end) {
      const byte = window.bytes[window.position];
      if (byte === undefined || !isSpace(byte)) return byte;
      window.position++;
    }
    return undefined;
  }

  /** Moves past the closing quote of a string. False if bytes run out first. */
  #scanString(): boolean {
    const window = this.#window;
    const { bytes, end } = window;
    let at = window.position;
    while (at < end) {
      const byte = bytes[at];
      if (byte === quote) {
        window.position = at + 1;
        return true;
      }
      // An escape is two bytes; the second may lie beyond `end`, in the next chunk.
      at += byte === backslash ? 2 : 1;
    }
    window.position = at;
    return false;
  }

  /** Moves to where the depth returns to zero: past an object or array. False if bytes run out first. */
  #scanValue(): boolean {
    const window = this.#window;
    const { bytes, end } = window;
    let at = window.position;
    let depth = this.#depth;
    let inString = this.#inString;
    let allBits = this.#allBits;
    while (at < end) {
      if (inString) {
        while (at < end) {
          const byte = bytes[at++] ?? 0;
          allBits |= byte;
          if (byte === quote) {
            inString = false;
            break;
          }
          if (byte === backslash) at++;
        }
        continue;
      }
      const byte = bytes[at++] ?? 0;
      allBits |= byte;
      if (byte === quote) inString = true;
      else if (byte === openBrace || byte === openBracket) depth++;
      else if (byte === closeBrace || byte === closeBracket) {
        if (--depth <= 0) {
          window.position = at;
          this.#allBits = allBits;
          return true;
        }
      }
    }
    window.position = at;
    this.#depth = depth;
    this.#inString = inString;
    this.#allBits = allBits;
    return false;
  }
}

const show = (byte: number) => JSON.stringify(String.fromCharCode(byte));

function unquoted(json: string): string {
  if (!json.includes('\\')) return json.slice(1, -1);
  try {
    return String(JSON.parse(json));
  } catch (cause) {
    throw new OvsdbError('protocol', 'a malformed string', { cause });
  }
}
