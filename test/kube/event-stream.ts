import type { KubeApi, Query } from '#controller/kube/api.ts';
import { Lines } from '#controller/kube/lines.ts';
import { Fields } from '#controller/kube/objects/fields.ts';

/** An event of a watch, with what tests compare. */
export interface StreamedEvent {
  readonly type: string;
  /** '' for an `ERROR`. */
  readonly name: string;
  readonly resourceVersion: string;
  readonly object: unknown;
}

/** A watch that a test reads event by event. Disposing of it closes it. */
export class EventStream implements AsyncDisposable {
  readonly #events: AsyncGenerator<StreamedEvent>;
  readonly #end: AbortController;

  private constructor(events: AsyncGenerator<StreamedEvent>, end: AbortController) {
    this.#events = events;
    this.#end = end;
  }

  static async open(api: KubeApi, path: string, query: Query): Promise<EventStream> {
    const end = new AbortController();
    const body = await api.stream(path, { query: { ...query, watch: true }, signal: end.signal });
    return new EventStream(eventsIn(body), end);
  }

  /** The next event; undefined when the server has ended the stream. */
  async next(): Promise<StreamedEvent | undefined> {
    const { value, done } = await this.#events.next();
    return done ? undefined : value;
  }

  /** The next `count` events as `TYPE name`. */
  async take(count: number): Promise<string[]> {
    const taken: string[] = [];
    while (taken.length < count) {
      const event = await this.next();
      if (event === undefined) break;
      taken.push(`${event.type} ${event.name}`);
    }
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    // What comes of an aborted stream is its abortion.
    await this.#events.next().catch(() => undefined);
  }
}

async function* eventsIn(body: AsyncIterable<Buffer>): AsyncGenerator<StreamedEvent> {
  const lines = new Lines();
  for await (const chunk of body) {
    for (const line of lines.push(chunk)) {
      const event = new Fields(JSON.parse(line));
      const metadata = event.needObject('object').object('metadata');
      yield {
        type: event.needString('type'),
        name: metadata?.string('name') ?? '',
        resourceVersion: metadata?.string('resourceVersion') ?? '',
        object: event.raw('object'),
      };
    }
  }
}
