import type { BulkHead } from './bulk-head.ts';
import type { Result, SelectedRow } from './piece.ts';
import { bytes, type Scanner, unexpected } from './scanner.ts';

type State =
  | 'results' // inside [{…}, null, …]
  | 'result start'
  | 'result'
  | 'null'
  | 'selected rows' // inside {"rows": […
  | 'selected row'
  | 'select end';

/** How ovsdb-server begins the result of a `select`. Written otherwise, it is one piece. */
const selectStart = Buffer.from('{"rows":[');

/** Cuts the list of results of a transaction, `[{…}, {"rows": […]}, null, …]`, into results and selected rows. */
export class ResultCutter {
  readonly #scanner: Scanner;
  readonly #head: BulkHead;
  #state: State = 'results';
  #operationIndex = -1;
  /** The text of the list with its results left out. */
  rest = '';

  /** The scanner stands behind the opening bracket. */
  constructor(scanner: Scanner, head: BulkHead) {
    this.#scanner = scanner;
    this.#head = head;
  }

  /** One state's work: a piece, `undefined` if bytes run out, `'on'` if the state changed, `'done'` behind the closing bracket. */
  step(): Result | SelectedRow | undefined | 'on' | 'done' {
    switch (this.#state) {
      case 'results':
        return this.#results();
      case 'result start':
        return this.#resultStart();
      case 'result':
        return this.#scanner.scanValue() ? this.#result(this.#scanner.take()) : undefined;
      case 'null':
        return this.#null();
      case 'selected rows':
        return this.#selectedRows();
      case 'selected row':
        return this.#selectedRow();
      case 'select end':
        if (!this.#scanner.scanValue()) return undefined;
        this.#scanner.window.consume();
        return this.#result('{"rows":[]}');
    }
  }

  /** Before a result or the closing bracket. */
  #results(): undefined | 'on' | 'done' {
    const byte = this.#scanner.peek();
    if (byte === undefined) return undefined;
    this.#scanner.window.consume();
    if (byte === bytes.openBrace || byte === letterN) {
      this.#operationIndex++;
      this.#scanner.begin();
      this.#state = byte === letterN ? 'null' : 'result start';
      return 'on';
    }
    this.#scanner.window.position++;
    if (byte === bytes.comma) return 'on';
    if (byte !== bytes.closeBracket) throw unexpected(byte, 'among the results of a transaction');
    this.rest = ']';
    this.#scanner.window.consume();
    return 'done';
  }

  /** Are these a select's rows? */
  #resultStart(): undefined | 'on' {
    const { window } = this.#scanner;
    const seen = window.peek().subarray(0, selectStart.length);
    if (!selectStart.subarray(0, seen.length).equals(seen)) {
      this.#state = 'result';
      return 'on';
    }
    if (seen.length < selectStart.length) return undefined;
    window.position = window.start + selectStart.length;
    window.consume();
    this.#state = 'selected rows';
    return 'on';
  }

  #selectedRows(): undefined | 'on' {
    const byte = this.#scanner.peek();
    if (byte === undefined) return undefined;
    this.#scanner.window.consume();
    if (byte === bytes.openBrace) {
      this.#scanner.begin();
      this.#state = 'selected row';
      return 'on';
    }
    this.#scanner.window.position++;
    if (byte === bytes.comma) return 'on';
    if (byte !== bytes.closeBracket) throw unexpected(byte, 'among the rows of a select');
    // Inside of the select's own brace.
    this.#scanner.begin(1);
    this.#state = 'select end';
    return 'on';
  }

  #selectedRow(): SelectedRow | undefined {
    if (!this.#scanner.scanValue()) return undefined;
    this.#state = 'selected rows';
    const text = this.#scanner.take();
    return { kind: 'selected row', head: this.#head, operationIndex: this.#operationIndex, text };
  }

  /** What comes after the failed operation. */
  #null(): Result | undefined {
    const { window } = this.#scanner;
    if (window.retained < 'null'.length) return undefined;
    window.position = window.start + 'null'.length;
    return this.#result(window.takeAscii());
  }

  #result(text: string): Result {
    this.#state = 'results';
    return { kind: 'result', head: this.#head, operationIndex: this.#operationIndex, text };
  }
}

const letterN = 0x6e;
