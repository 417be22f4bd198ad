import { hash } from 'node:crypto';

/** The UUIDv5 namespace of everything Hawser writes. Changing it would orphan every row of every cluster. */
const namespace = Buffer.from('6f0d2f0a5a7b4c0e9d0c5be1f2b7a4d3', 'hex');

/**
 * The UUID of the northbound row that stands for `key` (RFC 9562 §5.5). OVSDB takes client-chosen UUIDs, so a create that is
 * sent twice is one create, and a row can be referred to before it is there.
 */
export function rowUuid(table: string, key: string): string {
  const hex = hash('sha1', Buffer.concat([namespace, Buffer.from(`${table}/${key}`)]), 'hex');
  const version = `5${hex.slice(13, 16)}`;
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}
