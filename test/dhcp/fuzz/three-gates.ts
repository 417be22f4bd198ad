/** Code to try a fuzzer on: how many of three gates, one behind the other, the bytes open. */
export function threeGates(bytes: Uint8Array): number {
  if (bytes[0] !== 0x5a) return 0;
  if (bytes[1] !== 0xa5) {
    return 1;
  }
  if (bytes[2] !== 0x77) {
    return 2;
  }
  return 3;
}
