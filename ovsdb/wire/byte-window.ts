/**
 * The bytes received and not yet taken. Reads the last chunk in place; only what a text needs from an earlier chunk is copied,
 * into a buffer that doubles, so that a text of n bytes costs O(n) however it is cut.
 */
export class ByteWindow {
  bytes: Buffer = Buffer.alloc(0);
  /** First byte of the text being read. */
  start = 0;
  /** Next byte to look at; may lie beyond `end` when an escape was cut. */
  position = 0;
  end = 0;
  #isOwned = false;

  get retained(): number {
    return this.end - this.start;
  }

  append(chunk: Buffer): void {
    const kept = this.end - this.start;
    if (kept === 0) {
      // `position` may be one beyond `end`: the byte it skips is in this chunk.
      this.position -= this.start;
      this.start = 0;
      this.bytes = chunk;
      this.end = chunk.length;
      this.#isOwned = false;
      return;
    }
    const needed = kept + chunk.length;
    if (this.#isOwned && this.end + chunk.length <= this.bytes.length) {
      chunk.copy(this.bytes, this.end);
      this.end += chunk.length;
      return;
    }
    const isRoomy = this.#isOwned && needed <= this.bytes.length / 2;
    const into = isRoomy ? this.bytes : Buffer.allocUnsafeSlow(Math.max(2 * needed, 4096));
    this.bytes.copy(into, 0, this.start, this.end);
    chunk.copy(into, kept);
    this.bytes = into;
    this.#isOwned = true;
    this.position -= this.start;
    this.start = 0;
    this.end = needed;
  }

  /** Drops everything before `position`. */
  consume(): void {
    this.start = this.position;
  }

  /** What is retained, for a look ahead. */
  peek(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  takeAscii(): string {
    const text = this.bytes.toString('latin1', this.start, this.position);
    this.start = this.position;
    return text;
  }

  takeUtf8(): string {
    const text = this.bytes.toString('utf8', this.start, this.position);
    this.start = this.position;
    return text;
  }
}
