import { Engine, type EngineOptions } from './engine/engine.ts';
import { addFeatures, type FeatureOptions } from './features/index.ts';
import { Tables } from './features/tables.ts';
import { Allocator, type WantedClaim } from './ipam/allocator.ts';
import { Turns } from './northbound/turns.ts';

/**
 * The controller without its shell: tables in, wanted northbound rows on the board and wanted claims out. It knows no socket and no
 * clock, so a recorded stream of objects can be played through it (`replay/`) as well as a live cluster's.
 */
export class Core {
  readonly tables = new Tables();
  readonly engine: Engine;
  readonly allocator: Allocator;
  readonly #onWantedClaims: (claims: readonly WantedClaim[]) => void;

  constructor(
    options: FeatureOptions & EngineOptions,
    onWantedClaims: (claims: readonly WantedClaim[]) => void = () => {},
  ) {
    this.engine = new Engine(options);
    this.allocator = new Allocator(this.tables);
    this.#onWantedClaims = onWantedClaims;
    addFeatures(this.engine, this.tables, options);
  }

  /** Runs features and allocations in turn until neither has anything left to do, giving the event loop its turns. */
  async settle(): Promise<void> {
    const turns = new Turns();
    for (;;) {
      // What is left of the turn is enough for one key at least.
      while (!this.engine.runFor(turns.leftMs)) await turns.next();
      if (turns.isTimeUp) await turns.next();
      this.#onWantedClaims(this.allocator.settle(() => turns.isTimeUp));
      if (this.engine.isIdle && this.allocator.isSettled) return;
      if (turns.isTimeUp) await turns.next();
    }
  }
}
