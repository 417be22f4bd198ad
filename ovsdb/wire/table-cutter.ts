import { OvsdbError } from '../errors.ts';
import type { BulkHead } from './bulk-head.ts';
import type { Row } from './piece.ts';
import { bytes, type Scanner, unexpected } from './scanner.ts';

type State =
  | 'tables' // inside {"Table": {…}, …}
  | 'table name'
  | 'table value'
  | 'rows' // inside {"uuid": {…}, …}
  | 'row uuid'
  | 'row colon'
  | 'row';

/** Cuts an object of tables, `{"Table": {"uuid": {…}, …}, …}`, into rows. */
export class TableCutter {
  readonly #scanner: Scanner;
  readonly #head: BulkHead;
  #state: State = 'tables';
  #table = '';
  #uuid = '';
  /** The text of the object with its rows left out. */
  rest = '';

  /** The scanner stands behind the opening brace. */
  constructor(scanner: Scanner, head: BulkHead) {
    this.#scanner = scanner;
    this.#head = head;
  }

  /** One state's work: a row, `undefined` if bytes run out, `'on'` if the state changed, `'done'` behind the closing brace. */
  step(): Row | undefined | 'on' | 'done' {
    switch (this.#state) {
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
    }
  }

  /** Before a name or the closing brace. */
  #tables(): undefined | 'on' | 'done' {
    const byte = this.#scanner.peek();
    if (byte === undefined) return undefined;
    this.#scanner.window.position++;
    if (byte === bytes.comma) return 'on';
    if (byte !== bytes.quote && byte !== bytes.closeBrace) throw unexpected(byte, 'among the tables of an update');
    this.rest += this.#scanner.window.takeUtf8();
    if (byte === bytes.closeBrace) return 'done';
    this.#state = 'table name';
    return 'on';
  }

  #tableName(): undefined | 'on' {
    if (!this.#scanner.scanString()) return undefined;
    const text = this.#scanner.window.takeUtf8();
    this.#table = unquoted(`"${text}`);
    this.rest += text;
    this.#state = 'table value';
    return 'on';
  }

  #tableValue(): undefined | 'on' {
    const byte = this.#scanner.peek();
    if (byte === undefined) return undefined;
    this.#scanner.window.position++;
    if (byte === bytes.colon) return 'on';
    if (byte !== bytes.openBrace) throw unexpected(byte, `where the rows of ${this.#table} should be`);
    this.rest += this.#scanner.window.takeUtf8();
    this.#state = 'rows';
    return 'on';
  }

  /** Inside the object of one table's rows, before a UUID or the closing brace. */
  #rows(): undefined | 'on' {
    const byte = this.#scanner.peek();
    if (byte === undefined) return undefined;
    this.#scanner.window.position++;
    if (byte === bytes.closeBrace) {
      this.#scanner.window.consume();
      this.rest += '}';
      this.#state = 'tables';
      return 'on';
    }
    if (byte === bytes.comma) return 'on';
    if (byte !== bytes.quote) throw unexpected(byte, `among the rows of ${this.#table}`);
    this.#scanner.window.consume();
    this.#state = 'row uuid';
    return 'on';
  }

  #rowUuid(): undefined | 'on' {
    if (!this.#scanner.scanString()) return undefined;
    this.#uuid = unquoted(`"${this.#scanner.window.takeUtf8()}`);
    this.#state = 'row colon';
    return 'on';
  }

  #rowColon(): undefined | 'on' {
    const byte = this.#scanner.peek();
    if (byte === undefined) return undefined;
    if (byte === bytes.colon) {
      this.#scanner.window.position++;
      return 'on';
    }
    if (byte !== bytes.openBrace) throw unexpected(byte, `where row ${this.#uuid} should be`);
    this.#scanner.window.consume();
    this.#scanner.begin();
    this.#state = 'row';
    return 'on';
  }

  #row(): Row | undefined {
    if (!this.#scanner.scanValue()) return undefined;
    this.#state = 'rows';
    return { kind: 'row', head: this.#head, table: this.#table, uuid: this.#uuid, text: this.#scanner.take() };
  }
}

function unquoted(json: string): string {
  if (!json.includes('\\')) return json.slice(1, -1);
  try {
    return String(JSON.parse(json));
  } catch (cause) {
    throw new OvsdbError('protocol', 'a malformed string', { cause });
  }
}
