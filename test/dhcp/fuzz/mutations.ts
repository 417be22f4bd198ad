export type Random = (below: number) => number;

/** xorshift32: fast, and the same on every machine. */
export function generator(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const interesting = [0, 1, 2, 3, 4, 16, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

/** One to eight changes to one of `corpus`: bytes set, flipped, cut out, copied, spliced in from another. */
export function mutated(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(corpus[random(corpus.length)] ?? []);
  for (let changes = 1 + random(8); changes > 0; changes--) {
    const at = random(bytes.length + 1);
    switch (random(7)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = interesting[random(interesting.length)] ?? 0;
        break;
      case 2:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + random(16)));
        break;
      case 5:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(random(bytes.length + 1)));
        break;
      default: {
        const other = corpus[random(corpus.length)] ?? bytes;
        bytes = joined(bytes.subarray(0, at), other.subarray(random(other.length + 1)));
      }
    }
    // As much as a frame brings.
    if (bytes.length > 1500) bytes = bytes.slice(0, 1500);
  }
  return bytes;
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
