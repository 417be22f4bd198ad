import type { KubeApi } from '#controller/kube/api.ts';
import { metadataOf, objectKey, type RecordedEvent } from '#controller/replay/recording.ts';
import type { KubeObject } from '#controller/replay/surroundings.ts';
import { ExpectedRows } from './expected-rows.ts';
import type { Heard } from './heard.ts';
import type { NorthboundView } from './northbound-view.ts';
import { Player } from './player.ts';

export interface PathOnServer {
  readonly name: string;
  /** Its namespaces are nobody else's. */
  readonly events: readonly RecordedEvent[];
  /** Port → its steps, where somebody has written down what they are to be. */
  readonly steps?: Readonly<Record<string, readonly string[]>>;
}

/** One of KubeVirt's paths on its way through an API server, a controller and a northbound database. */
export class PlayedPath {
  readonly name: string;
  readonly #path: PathOnServer;
  readonly #player: Player;
  readonly #expected: ExpectedRows;
  readonly #northbound: NorthboundView;
  readonly #namespaces: readonly string[];
  readonly #unseen: RecordedEvent[] = [];
  #next = 0;

  constructor(
    path: PathOnServer,
    on: { api: KubeApi; heard: Heard; northbound: NorthboundView; surroundings: readonly KubeObject[] },
  ) {
    this.name = path.name;
    this.#path = path;
    this.#namespaces = [...new Set(path.events.map(({ object }) => String(metadataOf(object).namespace)))];
    this.#player = new Player(on.api, on.heard, path.events);
    this.#expected = new ExpectedRows(on.surroundings, this.#namespaces);
    this.#northbound = on.northbound;
    on.heard.listen((event) => {
      // Claims are ours: a replay makes its own.
      if (event.kind !== 'IPAMClaim' && this.#isOurs(event)) this.#unseen.push(event);
    });
  }

  get namespaces(): readonly string[] {
    return this.#namespaces;
  }

  get isOver(): boolean {
    return this.#next >= this.#path.events.length;
  }

  /** Plays the next event; after each write of it the rows are what a replay makes of all that was written. */
  async step(): Promise<void> {
    const event = this.#path.events[this.#next];
    if (event === undefined) return;
    this.#next += 1;
    const at = `${this.name}, event ${this.#next}, ${event.type} ${event.kind} ${objectKey(event.object)}`;
    for await (const _ of this.#player.play(event)) await this.#expectRows(at);
  }

  /** The rows are still what they were. */
  async expectRows(when: string): Promise<void> {
    await this.#expectRows(`${this.name}, event ${this.#next}, ${when}`);
  }

  /** The ports, and the steps each has gone through: as the database told them, as replay says, and as was written down. */
  steps(): { readonly found: Steps; readonly replayed: Steps; readonly written: Steps | undefined } {
    const replayed = Object.fromEntries(this.#expected.steps);
    const found = Object.keys(replayed).map((port) => [port, lessParting(this.#northbound.stepsOf(port))]);
    return { found: Object.fromEntries(found), replayed, written: this.#path.steps };
  }

  /** Takes all objects away that are left. */
  async clear(): Promise<void> {
    for (const id of [...this.#player.objects].reverse()) {
      for await (const _ of this.#player.remove(id)) await this.#expectRows(`${this.name}, without ${id}`);
    }
  }

  async #expectRows(at: string): Promise<void> {
    for (const event of this.#unseen.splice(0)) await this.#expected.apply(event);
    const differs = () => this.#expected.differenceTo(this.#northbound.rowsOf(this.#namespaces, this.#expected.names));
    await this.#northbound.until(differs).catch((error: unknown) => {
      throw new Error(`${at}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  #isOurs({ kind, object }: RecordedEvent): boolean {
    const { namespace, name } = metadataOf(object);
    return this.#namespaces.includes(String(kind === 'Namespace' ? name : namespace));
  }
}

/** A port that goes may lose its chassis one transaction earlier. */
function lessParting(steps: readonly string[]): readonly string[] {
  return steps.filter((step, n) => !(step === '' && n > 0 && steps[n + 1] === 'no port'));
}

type Steps = Readonly<Record<string, readonly string[]>>;
