import { createHash } from 'node:crypto';

/** DUID-UUID (RFC 9915 §11.5) from the segment's name: equal on every node, and short enough for old firmware. */
export function serverDuid(name: string): Uint8Array {
  const digest = createHash('sha256').update(`hawser dhcpv6 server of ${name}`).digest();
  return Uint8Array.of(0, 4, ...digest.subarray(0, 16));
}
