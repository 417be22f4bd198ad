/** Values looked at before deciding whether a column repeats itself. */
const trial = 1_024;
const limit = 2_048;

/**
 * Gives equal strings of one column as one object, if the column has few different ones (a pipeline, a datapath, a node name). A column
 * that turns out to hold ever new ones is left alone.
 */
export class Interner {
  readonly #known = new Map<string, string>();
  #misses = 0;
  #looks = 0;
  #isUseful = true;

  intern(text: string): string {
    if (!this.#isUseful) return text;
    this.#looks++;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#misses++;
    if (this.#looks > trial && this.#misses > this.#looks / 4) {
      this.#isUseful = false;
      this.#known.clear();
    } else if (this.#known.size < limit) this.#known.set(text, text);
    return text;
  }
}
