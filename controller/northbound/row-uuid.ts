// Not of `node:crypto`: the way to OpenSSL takes 0.1 ms when nobody has gone it for some milliseconds, which is usual between two pods.
import { sha1 } from '@noble/hashes/legacy.js';

/** The UUIDv5 namespace of everything Hawser writes. Changing it would orphan every row of every cluster. */
const namespace = Buffer.from('6f0d2f0a5a7b4c0e9d0c5be1f2b7a4d3', 'hex');

const usualBytes = 1024;
const usualInput = inputOf(usualBytes);
/** ASCII codes of the text. */
const codes: number[] = Array.from('00000000-0000-0000-0000-000000000000', (character) => character.charCodeAt(0));

/**
 * The UUID of the northbound row that stands for `key` (RFC 9562 §5.5). OVSDB takes client-chosen UUIDs, so a create that is
 * sent twice is one create, and a row can be referred to before it is there.
 *
 * The text is made in one piece: put together from pieces it would keep them all, ten times the size, and there are several for every port.
 */
export function rowUuid(table: string, key: string): string {
  const name = `${table}/${key}`;
  const mostBytes = namespace.length + 3 * name.length;
  const input = mostBytes <= usualBytes ? usualInput : inputOf(mostBytes);
  const digest = sha1(input.subarray(0, namespace.length + input.write(name, namespace.length)));
  let at = 0;
  for (let i = 0; i < 16; i += 1) {
    let byte = digest[i] ?? 0;
    if (i === 6) byte = (byte & 0x0f) | 0x50;
    if (i === 8) byte = (byte & 0x3f) | 0x80;
    if (i === 4 || i === 6 || i === 8 || i === 10) at += 1;
    codes[at] = digit(byte >> 4);
    codes[at + 1] = digit(byte & 15);
    at += 2;
  }
  return String.fromCharCode(...codes);
}

function inputOf(bytes: number): Buffer {
  const input = Buffer.alloc(bytes);
  namespace.copy(input);
  return input;
}

/** The ASCII code of a hexadecimal digit. */
function digit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
