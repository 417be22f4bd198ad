import { OvsdbError } from '../errors.ts';
import { ByteWindow } from './byte-window.ts';

export const bytes = {
  quote: 0x22,
  backslash: 0x5c,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  comma: 0x2c,
  colon: 0x3a,
} as const;
const { quote, backslash, openBrace, closeBrace, openBracket, closeBracket } = bytes;

/** As deep as ovsdb-server reads itself (JSON_MAX_HEIGHT); `JSON.stringify` and a reviver would run out of stack some way beyond. */
const deepest = 1_000;

/**
 * Finds the ends of JSON values in bytes, wherever chunks cut them, and looks at nothing else: every byte of a character beyond ASCII is at or
 * above 0x80, so structure can be read off bytes. What a value says is for `JSON.parse`.
 */
export class Scanner {
  readonly window = new ByteWindow();
  /** Open objects and arrays of the value being scanned. */
  #depth = 0;
  #inString = false;
  /** All bytes of the value being scanned, or-ed: below 0x80 it is ASCII, which is cheaper to decode. */
  #allBits = 0;

  /** A value starts at the position, or went on before it inside of `depth` objects and arrays. */
  begin(depth = 0): void {
    this.#depth = depth;
    this.#inString = false;
    this.#allBits = 0;
  }

  /** The byte at the position after white space, not taken. */
  peek(): number | undefined {
    const { window } = this;
    while (window.position < window.end) {
      const byte = window.bytes[window.position];
      if (byte === undefined || !isSpace(byte)) return byte;
      window.position++;
    }
    return undefined;
  }

  /** Moves past the closing quote of a string. False if bytes run out first. */
  scanString(): boolean {
    const { window } = this;
    const { bytes: all, end } = window;
    let at = window.position;
    while (at < end) {
      const byte = all[at];
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
  scanValue(): boolean {
    const { window } = this;
    const { bytes: all, end } = window;
    let at = window.position;
    let depth = this.#depth;
    let inString = this.#inString;
    let allBits = this.#allBits;
    while (at < end) {
      if (inString) {
        while (at < end) {
          const byte = all[at++] ?? 0;
          allBits |= byte;
          if (byte === quote) {
            inString = false;
            break;
          }
          if (byte === backslash) at++;
        }
        continue;
      }
      const byte = all[at++] ?? 0;
      allBits |= byte;
      if (byte === quote) inString = true;
      else if (byte === openBrace || byte === openBracket) {
        if (++depth > deepest) throw new OvsdbError('protocol', `nested more than ${deepest} deep`);
      } else if (byte === closeBrace || byte === closeBracket) {
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

  /** The text from the last one taken to the position. */
  take(): string {
    return this.#allBits < 0x80 ? this.window.takeAscii() : this.window.takeUtf8();
  }
}

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** A byte that does not belong where it is. */
export const unexpected = (byte: number, where: string): OvsdbError =>
  new OvsdbError('protocol', `${JSON.stringify(String.fromCharCode(byte))} ${where}`);
