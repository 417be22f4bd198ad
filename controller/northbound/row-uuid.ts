import { createHash } from 'node:crypto';

/** The UUIDv5 namespace of everything Hawser writes. Changing it would orphan every row of every cluster. */
const namespace = Buffer.from('6f0d2f0a5a7b4c0e9d0c5be1f2b7a4d3', 'hex');

/**
 * The UUID of the northbound row that stands for `key` (RFC 9562 §5.5). OVSDB takes client-chosen UUIDs, so a create that is
 * sent twice is one create, and a row can be referred to before it is there.
 */
export function rowUuid(table: string, key: string): string {
  const hash = createHash('sha1').update(namespace).update(`${table}/${key}`).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
