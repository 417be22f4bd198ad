import { pipeline, type Readable, Transform } from 'node:stream';
import { KubeApi, type RequestSettings } from '#controller/kube/api.ts';
import { Lines } from '#controller/kube/lines.ts';
import { isJsonObject } from '#controller/kube/objects/fields.ts';
import { objectId, type RecordedEvent } from '#controller/replay/recording.ts';
import { type ApiObject, apiObject } from '../api-object.ts';

/** What watches have told a controller, in the order of arrival: a recording of what it saw, and a way to wait until it has seen it. */
export class Heard {
  readonly #latest = new Map<string, ApiObject>();
  readonly #listeners = new Set<(event: RecordedEvent) => void>();
  #seq = 0;

  /** Kind and `namespace/name` → the object as it was last told; undefined when it is gone, or was never there. */
  latest(id: string): ApiObject | undefined {
    return this.#latest.get(id);
  }

  /** Calls `listener` with every event that is told from now on. */
  listen(listener: (event: RecordedEvent) => void): void {
    this.#listeners.add(listener);
  }

  /** Resolves when the object is as it is asked for; at once when it is already. */
  until(id: string, holds: (object: ApiObject | undefined) => boolean): Promise<void> {
    if (holds(this.latest(id))) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!holds(this.latest(id))) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
    });
  }

  take(line: string): void {
    const { type, object }: { readonly type: RecordedEvent['type']; readonly object: unknown } = JSON.parse(line);
    if (!isJsonObject(object) || (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')) return;
    this.#seq += 1;
    const event = { seq: this.#seq, type, kind: String(object.kind), object };
    if (type === 'DELETED') this.#latest.delete(objectId(event));
    else this.#latest.set(objectId(event), apiObject(object));
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** The connection of a controller that somebody else listens to: `heard` is told of an event when the controller has taken it in. */
export class OverheardApi extends KubeApi {
  readonly #heard: Heard;

  constructor(config: ConstructorParameters<typeof KubeApi>[0], heard: Heard) {
    super(config);
    this.#heard = heard;
  }

  override async stream(path: string, settings: RequestSettings = {}): Promise<Readable> {
    const lines = new Lines();
    const overheard = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        done(undefined, chunk);
        // The reader of the stream comes before the next turn of the event loop.
        for (const line of lines.push(chunk)) setImmediate(() => this.#heard.take(line));
      },
    });
    // Whatever ends the one ends the other; its reader is told.
    return pipeline(await super.stream(path, settings), overheard, () => undefined);
  }
}
