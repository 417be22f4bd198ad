import { OvsdbError } from '../errors.ts';
import { parseExactly } from '../value/exact-integers.ts';
import { parseJson } from '../wire/json-text.ts';

/** What a reply carried. `error` is what the server said in place of a result. */
export type Reply =
  | { readonly kind: 'result'; readonly result: unknown; readonly reparse: () => unknown }
  | { readonly kind: 'error'; readonly error: string; readonly details: string };

/** A JSON-RPC message (RFC 7047 section 4) before anything is known of it. */
export type RawMessage = Readonly<Partial<Record<'id' | 'method' | 'params' | 'result' | 'error', unknown>>>;

/** Reads the text of one message. Throws `OvsdbError` `protocol` on what is none. */
export function parseMessage(text: string): RawMessage {
  const message = parseJson(text);
  if (typeof message === 'object' && message !== null) return message;
  throw new OvsdbError('protocol', `not a message: ${text.slice(0, 200)}`);
}

/** The same with integers beyond 2^53 exact. */
export function parseMessageExactly(text: string): RawMessage {
  const message = parseExactly(text);
  return typeof message === 'object' && message !== null ? message : {};
}

/** What a message without a method says. An error reply has no `result`, and its `error` is a string or an object. */
export function replyOf(message: RawMessage, text: string): Reply {
  const reparse = () => parseMessageExactly(text).result;
  const { error } = message;
  if (error === null || error === undefined) return { kind: 'result', result: message.result, reparse };
  if (typeof error === 'object') {
    const { error: name, details } = { error: undefined, details: undefined, ...error };
    return {
      kind: 'error',
      error: String(name ?? 'unknown error'),
      details: typeof details === 'string' ? details : '',
    };
  }
  return { kind: 'error', error: String(error), details: '' };
}
