import { OvsdbError } from '../errors.ts';

/** `JSON.parse` of what a server sent. Throws `OvsdbError` `protocol` on what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new OvsdbError('protocol', `not JSON: ${text.slice(0, 200)}`, { cause });
  }
}
