import type { Value } from '../schema.ts';

// OVSDB integers are 64-bit; `JSON.parse` rounds beyond 2^53. Such a value is rare, so the fast path is `JSON.parse` and a
// check per integer; only a text that fails it is parsed again here.

// Node has both since V8 11.4; TypeScript's es2024 does not know them.
declare global {
  interface JSON {
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
    rawJSON(text: string): object;
  }
}

/** `JSON.parse`, with integers beyond 2^53 as bigints. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
      ? BigInt(context.source ?? 0)
      : value,
  );
}

/** What `JSON.stringify` writes as the digits of `value`. */
export function exactJson(value: bigint): number | object {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : JSON.rawJSON(value.toString());
}

/** Sets and maps that show NaN for integers beyond 2^53 → the same with bigints, so that later differences still apply. */
const exactForms = new WeakMap<object, Value>();

export function rememberExactForm(shown: object, exact: Value): void {
  exactForms.set(shown, exact);
}

export function exactFormOf(shown: object): Value {
  return exactForms.get(shown);
}
