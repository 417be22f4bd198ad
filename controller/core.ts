import { Engine, type EngineOptions } from './engine/engine.ts';
import { addFeatures, type FeatureOptions } from './features/index.ts';
import { Tables } from './features/tables.ts';
import { Allocator, type WantedClaim } from './ipam/allocator.ts';
import { Turns } from './turns.ts';

/**
 * The controller without its shell: tables in, wanted northbound rows on the board and wanted claims out. It knows no socket and no
 * clock, so a recorded stream of objects can be played through it (`replay/`) as well as a live cluster's.
 */
export class Core {
  readonly tables = new Tables();
  readonly engine: Engine;
  readonly allocator: Allocator;
  readonly #onWantedClaims: (claims: readonly WantedClaim[]) => void;
  /** Turns in a row that were over before features had nothing left to do. */
  #turnsOfFeatures = 0;
  /** All that there was when allocation began has its addresses: from then on others may come first. */
  #isUnderWay = false;

  constructor(
    options: FeatureOptions & EngineOptions,
    onWantedClaims: (claims: readonly WantedClaim[]) => void = () => {},
  ) {
    this.engine = new Engine(options);
    this.allocator = new Allocator(this.tables, this.engine.board.problems);
    this.#onWantedClaims = onWantedClaims;
    addFeatures(this.engine, this.tables, options);
  }

  /** Runs features and allocations in turn until neither has anything left to do, giving the event loop its turns. */
  async settle(): Promise<void> {
    const turns = new Turns();
    while (!this.settleFor(turns)) await turns.next();
  }

  /** Runs features and allocations for what is left of this turn; true when neither has anything left to do. */
  settleFor(turns: Turns): boolean {
    if (this.#isUnderWay && this.#turnsOfFeatures >= longestWaitTurns) this.#allocate(turns);
    for (;;) {
      // What is left of the turn is enough for one key at least.
      const isDone = this.engine.runFor(turns.leftMs);
      this.#turnsOfFeatures = isDone ? 0 : this.#turnsOfFeatures + 1;
      if (!isDone || turns.isTimeUp) return false;
      this.#allocate(turns);
      if (this.engine.isIdle && this.allocator.isSettled) {
        this.#isUnderWay = this.allocator.hasStarted;
        return true;
      }
      if (turns.isTimeUp) return false;
    }
  }

  #allocate(turns: Turns): void {
    this.#turnsOfFeatures = 0;
    this.#onWantedClaims(this.allocator.settle(() => turns.isTimeUp));
  }
}

/** Of thousands of objects that come at once the first are not to wait for their addresses until features have been through with the last. */
const longestWaitTurns = 8;
