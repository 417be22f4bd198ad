/** How a run went. */
export interface FuzzResult {
  readonly inputs: number;
  /** Every outcome that occurred. */
  readonly outcomes: ReadonlySet<string>;
  /** Milliseconds the slowest input took. */
  readonly slowestMs: number;
}

/**
 * Feeds `target` with mutations of `seeds` and of every input whose outcome, as `target` names it, had not occurred before.
 * Deterministic for a given `seed`.
 */
export function fuzz(
  target: (input: Uint8Array) => string,
  options: { readonly seeds: readonly Uint8Array[]; readonly inputs: number; readonly seed: number },
): FuzzResult {
  const random = generator(options.seed);
  const corpus = [...options.seeds];
  const outcomes = new Set<string>();
  let slowestMs = 0;
  for (let fed = 0; fed < options.inputs; fed++) {
    const input = mutated(corpus, random);
    const startedAt = performance.now();
    const outcome = target(input);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    if (outcomes.has(outcome)) continue;
    outcomes.add(outcome);
    if (corpus.length < mostKept) corpus.push(input);
  }
  return { inputs: options.inputs, outcomes, slowestMs };
}

const mostKept = 500;

type Random = (below: number) => number;

/** xorshift32: fast, and the same on every machine. */
function generator(seed: number): Random {
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
function mutated(corpus: readonly Uint8Array[], random: Random): Uint8Array {
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
