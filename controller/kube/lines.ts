/** Cuts a byte stream at newlines, wherever its chunks begin and end. The part after the last newline is held back. */
export class Lines {
  #held: Buffer[] = [];

  /** The lines `chunk` completes, without their newlines; empty lines are left out. */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const tail = chunk.subarray(start, end);
      start = end + 1;
      // A multi-byte character may be cut between chunks, so bytes are joined before they become text.
      const line = this.#held.length === 0 ? tail : Buffer.concat([...this.#held, tail]);
      this.#held = [];
      if (line.length > 0) yield line.toString('utf8');
    }
    if (start < chunk.length) this.#held.push(chunk.subarray(start));
  }
}

const newline = 0x0a;
