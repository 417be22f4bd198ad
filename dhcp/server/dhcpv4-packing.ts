import { concat } from '../wire/bytes.ts';

/** Options laid out in the options field and, when that is full, in `file` and `sname` (option 52, RFC 2132 §9.3). */
export interface PackedOptions {
  readonly main: Uint8Array;
  readonly file: Uint8Array | undefined;
  readonly sname: Uint8Array | undefined;
}

const overloadOptionLength = 3;

/**
 * Lays out `encoded` options in the order of importance. `room` is what is left of the options field, in bytes; `fileIsFree` and
 * `snameIsFree` say which header fields carry no boot file or server name. What fits nowhere is left out, whole options only.
 */
export function packOptions(
  encoded: readonly Uint8Array[],
  room: number,
  fileIsFree: boolean,
  snameIsFree: boolean,
): PackedOptions {
  const whole = concat(...encoded);
  if (whole.length <= room) return { main: whole, file: undefined, sname: undefined };

  const main = area(room - (fileIsFree || snameIsFree ? overloadOptionLength : 0));
  const file = area(fileIsFree ? 127 : 0);
  const sname = area(snameIsFree ? 63 : 0);
  for (const option of encoded) main.take(option) || file.take(option) || sname.take(option);
  const overload = (file.isUsed() ? 1 : 0) | (sname.isUsed() ? 2 : 0);
  return {
    main: overload === 0 ? main.bytes() : concat(Uint8Array.of(52, 1, overload), main.bytes()),
    file: file.isUsed() ? concat(file.bytes(), Uint8Array.of(255)) : undefined,
    sname: sname.isUsed() ? concat(sname.bytes(), Uint8Array.of(255)) : undefined,
  };
}

function area(room: number) {
  const parts: Uint8Array[] = [];
  let left = room;
  return {
    take(option: Uint8Array): boolean {
      if (option.length > left) return false;
      left -= option.length;
      parts.push(option);
      return true;
    },
    isUsed: () => parts.length > 0,
    bytes: () => concat(...parts),
  };
}
