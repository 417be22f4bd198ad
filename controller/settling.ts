import type { Core } from './core.ts';

/** Settles the core whenever something has changed: changes that came in one turn of the event loop are settled, and written, together. */
export class Settling {
  readonly #core: Core;
  readonly #onSettled: () => void;
  #isDirty = false;
  #settling: Promise<void> | undefined;

  constructor(core: Core, onSettled: () => void = () => {}) {
    this.#core = core;
    this.#onSettled = onSettled;
  }

  /** Something in the core's tables has changed. */
  wake(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    setImmediate(() => void this.settled());
  }

  /** Resolves when everything is settled; undefined when it is. */
  get inProgress(): Promise<void> | undefined {
    return this.#isDirty ? this.settled() : this.#settling;
  }

  /** Resolves when everything that has changed so far, and meanwhile, is settled. */
  settled(): Promise<void> {
    this.#isDirty = true;
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #settle(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      await this.#core.settle();
    }
    this.#onSettled();
  }
}
