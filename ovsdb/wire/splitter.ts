import { constants } from 'node:buffer';
import { OvsdbError } from '../errors.ts';
import { type BulkHead, findBulk } from './bulk-head.ts';
import type { Message, Piece } from './piece.ts';
import { ResultCutter } from './result-cutter.ts';
import { bytes, Scanner, unexpected } from './scanner.ts';
import { TableCutter } from './table-cutter.ts';

export interface SplitterOptions {
  /** Shall this long message come in pieces? Asked once, before its first. */
  readonly wantsPieces: (head: BulkHead) => boolean;
  /** Messages up to this many bytes are never cut. */
  readonly wholeBytes?: number;
}

type State = 'between messages' | 'message' | 'bulk' | 'tail';

/** Cuts the byte stream of a connection into JSON texts (RFC 7047 has no delimiter: objects follow one another). */
export class Splitter {
  readonly #wantsPieces: (head: BulkHead) => boolean;
  readonly #wholeBytes: number;
  readonly #scanner = new Scanner();

  #state: State = 'between messages';
  #isProbed = false;
  /** Of the message being cut. */
  #head: BulkHead | undefined;
  #cutter: TableCutter | ResultCutter | undefined;
  /** Its text up to where its pieces begin. */
  #start = '';

  constructor(options: SplitterOptions) {
    this.#wantsPieces = options.wantsPieces;
    this.#wholeBytes = options.wholeBytes ?? 65_536;
  }

  /** Adds what arrived. `chunk` is kept until its pieces are taken. */
  push(chunk: Buffer): void {
    this.#scanner.window.append(chunk);
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
      case 'bulk':
        return this.#bulk();
      case 'tail':
        return this.#tail();
    }
  }

  #betweenMessages(): undefined | 'on' {
    const byte = this.#scanner.peek();
    this.#scanner.window.consume();
    if (byte === undefined) return undefined;
    if (byte !== bytes.openBrace) throw unexpected(byte, 'where a message should start');
    this.#isProbed = false;
    this.#scanner.begin();
    this.#state = 'message';
    return 'on';
  }

  #message(): Message | undefined | 'on' {
    const { window } = this.#scanner;
    if (this.#scanner.scanValue()) {
      this.#state = 'between messages';
      return { kind: 'message', text: this.#scanner.take(), head: undefined };
    }
    if (this.#isProbed || window.retained <= this.#wholeBytes) {
      if (window.retained > constants.MAX_STRING_LENGTH) {
        throw new OvsdbError(
          'protocol',
          `a message of more than ${constants.MAX_STRING_LENGTH} bytes that cannot be cut`,
        );
      }
      return undefined;
    }
    this.#isProbed = true;
    const found = findBulk(window.peek());
    if (!found || !this.#wantsPieces(found.head)) return undefined;
    const { head, length } = found;
    window.position = window.start + length;
    this.#start = window.takeUtf8();
    this.#head = head;
    this.#cutter =
      head.shape === 'tables' ? new TableCutter(this.#scanner, head) : new ResultCutter(this.#scanner, head);
    this.#state = 'bulk';
    return 'on';
  }

  #bulk(): Piece | undefined | 'on' {
    const step = this.#cutter?.step();
    if (step !== 'done') return step;
    // What follows is the rest of the message, outside of what was cut.
    this.#scanner.begin((this.#head?.depth ?? 1) - 1);
    this.#state = 'tail';
    return 'on';
  }

  #tail(): Message | undefined {
    if (!this.#scanner.scanValue()) return undefined;
    const text = this.#start + (this.#cutter?.rest ?? '') + this.#scanner.window.takeUtf8();
    const head = this.#head;
    this.#cutter = undefined;
    this.#state = 'between messages';
    return { kind: 'message', text, head };
  }
}
