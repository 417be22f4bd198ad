import { isJsonObject } from '../kube/objects/fields.ts';

/**
 * One line of a recording: a watch event, in the order of resourceVersions or of arrival. Of what a line may hold only this is read;
 * `by`, `verb` and `node` say who wrote the object, where that is known.
 */
export interface RecordedEvent {
  readonly seq: number;
  /** Arrival, milliseconds since the first line. */
  readonly ms?: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly kind: string;
  readonly by?: string;
  readonly verb?: string;
  /** As the API server shows it; of a DELETED object its last state. */
  readonly object: Readonly<Record<string, unknown>>;
}

/** The file is not a recording. The message is one line for whoever gave it. */
export class BadRecording extends Error {
  override readonly name = 'BadRecording';
}

/**
 * Reads JSON lines `{seq, ms, type, kind, object, …}`. What `kubectl get --watch --output-watch-events -o json` prints on one line
 * each is a recording, too: events are numbered by line and are of their object's kind where they do not say.
 *
 * @throws BadRecording naming the line.
 */
export function parseRecording(text: string): readonly RecordedEvent[] {
  const events = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [eventOf(JSON.parse(line), index + 1)];
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof BadRecording)) throw error;
      const why = error instanceof SyntaxError ? 'is not JSON' : error.message;
      throw new BadRecording(`line ${index + 1} ${why}`);
    }
  });
  if (events.length === 0) throw new BadRecording('there is no event in it');
  return events;
}

/** What the API server calls the event's object: kind and `namespace/name`. */
export function objectId({ kind, object }: Pick<RecordedEvent, 'kind' | 'object'>): string {
  return `${kind} ${objectKey(object)}`;
}

/** `namespace/name`, or `name` for cluster-scoped kinds. */
export function objectKey(object: Readonly<Record<string, unknown>>): string {
  const { namespace, name } = metadataOf(object);
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}/${String(name)}` : String(name);
}

export function metadataOf({ metadata }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return isJsonObject(metadata) ? metadata : {};
}

const eventTypes = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] as const;

function eventOf(json: unknown, line: number): RecordedEvent {
  if (!isJsonObject(json)) throw new BadRecording('is not a JSON object');
  const { seq = line, ms, by, verb, object } = json;
  const type = eventTypes.find((known) => known === json.type);
  if (type === undefined) throw new BadRecording(`has no watch event's type but ${JSON.stringify(json.type)}`);
  if (!isJsonObject(object)) throw new BadRecording('has no object');
  const kind = json.kind ?? object.kind;
  if (typeof kind !== 'string') throw new BadRecording('does not say of which kind its object is');
  if (typeof seq !== 'number') throw new BadRecording('has a seq that is not a number');
  const isOfAnObject = type !== 'BOOKMARK' && type !== 'ERROR';
  if (isOfAnObject && typeof metadataOf(object).name !== 'string')
    throw new BadRecording('has an object without a name');
  return {
    seq,
    type,
    kind,
    object,
    ...(typeof ms === 'number' && { ms }),
    ...(typeof by === 'string' && { by }),
    ...(typeof verb === 'string' && { verb }),
  };
}
