import type { RowState } from '#controller/replay/northbound-rows.ts';
import type { RecordedEvent } from '#controller/replay/recording.ts';
import { Stage } from '#controller/replay/stage.ts';
import type { KubeObject } from '#controller/replay/surroundings.ts';
import { withStep } from './northbound-view.ts';

/**
 * The rows a replay says some namespaces have, event by event. It makes up addresses that nobody told it of; which ones a controller
 * gives instead is learnt from where it first does, and they must stay.
 */
export class ExpectedRows {
  readonly #stage: Stage;
  readonly #namespaces: readonly string[];
  readonly #steps = new Map<string, string[]>();
  /** Made up → given. */
  readonly #given = new Map<string, string>();
  #rows: ReadonlyMap<string, RowState> = new Map();

  constructor(surroundings: readonly KubeObject[], namespaces: readonly string[]) {
    this.#stage = new Stage(surroundings, {});
    this.#namespaces = namespaces;
  }

  /** Of all rows, also those of others. */
  get names(): Iterable<string> {
    return this.#stage.rows.keys();
  }

  /** Port of a guest or pod → its steps so far, as `NorthboundView.stepsOf` has them. */
  get steps(): ReadonlyMap<string, readonly string[]> {
    return this.#steps;
  }

  async apply(event: RecordedEvent): Promise<void> {
    const problem = this.#stage.apply(event);
    if (problem !== undefined) throw new Error(problem);
    await this.#stage.takeChanges();
    const isOurs = (id: string) => this.#namespaces.some((namespace) => id.includes(`/${namespace}/`));
    this.#rows = new Map([...this.#stage.rows].filter(([id]) => isOurs(id)));
    const ports = [...this.#rows.keys()].filter((id) => ofGuestOrPod.test(id)).map((id) => id.slice(portTable.length));
    for (const port of new Set([...this.#steps.keys(), ...ports])) {
      this.#steps.set(port, withStep(this.#steps.get(port) ?? [], this.#rows.get(portTable + port)));
    }
  }

  /** A sentence when `found` are not the rows there should be. */
  differenceTo(found: ReadonlyMap<string, RowState>): string | undefined {
    for (const [id, row] of this.#rows) this.#learn(row, found.get(id));
    for (const id of new Set([...this.#rows.keys(), ...found.keys()])) {
      const [wanted, actual] = [this.#rows.get(id), found.get(id)];
      const [left, right] = [wanted && this.#inGivenAddresses(textOf(wanted)), actual && textOf(actual)];
      if (left !== right) return `${id} is\n${right ?? 'not there'}, and should be\n${left ?? 'not there'}`;
    }
    return undefined;
  }

  #learn(row: RowState, found: RowState | undefined): void {
    const [madeUp, given] = [addressesOf(row), addressesOf(found)];
    if (madeUp.length !== given.length) return;
    for (const [n, address] of madeUp.entries()) {
      if (!this.#given.has(address)) this.#given.set(address, given[n] ?? address);
    }
  }

  #inGivenAddresses(text: string): string {
    return text.replaceAll(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|\d+\.\d+\.\d+\.\d+|fd[0-9a-f:]+/g, (address) => {
      return this.#given.get(address) ?? address;
    });
  }
}

const portTable = 'Logical_Switch_Port/';
const ofGuestOrPod = /^Logical_Switch_Port\/(vm|pod)\//;

function addressesOf(row: RowState | undefined): readonly string[] {
  return Array.isArray(row?.addresses) ? row.addresses.flatMap((text) => text.split(' ')) : [];
}

/** Nothing said is the same as nothing there. */
function textOf(row: RowState): string {
  const said = Object.entries(row).filter(
    ([, value]) => value !== '' && (typeof value !== 'object' || Object.keys(value).length > 0),
  );
  return JSON.stringify(Object.fromEntries(said.sort(([a], [b]) => (a < b ? -1 : 1))), null, 1);
}
