/**
 * The bytes of the stream: 32-bit big-endian numbers that count up from 0. So every byte says where it belongs, and what
 * is missing, doubled or swapped shows as bytes that are not the expected ones.
 */
export function patternBytes(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 1) bytes[index] = patternByte(offset + index);
  return bytes;
}

/** How many of the bytes received at `offset` are not the ones that were sent there. */
export function wrongBytes(offset: number, received: Buffer): number {
  let wrong = 0;
  for (let index = 0; index < received.length; index += 1)
    if (received[index] !== patternByte(offset + index)) wrong += 1;
  return wrong;
}

function patternByte(offset: number): number {
  return (Math.floor(offset / 4) >>> (8 * (3 - (offset % 4)))) & 0xff;
}
