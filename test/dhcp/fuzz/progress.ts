/** What a thread that fuzzes is at, in memory that it shares with whoever watches it. */
export interface Progress {
  /** The thread is about to be fed `input`. */
  begin(input: Uint8Array): void;
  /** How often `begin` was called, modulo 2³². */
  count(): number;
  /** The last input begun with. */
  input(): Uint8Array;
}

/** An input is at most this long, bytes. */
const longestInput = 2048;
const countBytes = 4;
const lengthBytes = 4;

export function newProgressMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(countBytes + lengthBytes + longestInput);
}

export function progressOn(memory: SharedArrayBuffer): Progress {
  const numbers = new Int32Array(memory, 0, 2);
  const bytes = new Uint8Array(memory, countBytes + lengthBytes);
  return {
    begin(input) {
      bytes.set(input);
      Atomics.store(numbers, 1, input.length);
      Atomics.add(numbers, 0, 1);
    },
    count: () => Atomics.load(numbers, 0),
    input: () => bytes.slice(0, Atomics.load(numbers, 1)),
  };
}
