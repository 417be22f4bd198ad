import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowUuid } from '#controller/northbound/row-uuid.ts';

test("a row's UUID is the UUIDv5 of its table and key in Hawser's namespace, long keys and those that are not ASCII too", () => {
  const keys = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 500 }));
  fc.assert(
    fc.property(keys, (key) => {
      expect(rowUuid('Logical_Switch_Port', key)).toBe(uuid5(`Logical_Switch_Port/${key}`));
    }),
  );
});

/** RFC 9562 §5.5. */
function uuid5(name: string): string {
  const namespace = Buffer.from('6f0d2f0a5a7b4c0e9d0c5be1f2b7a4d3', 'hex');
  const digest = createHash('sha1').update(namespace).update(name).digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
