import { createHash } from 'node:crypto';
import type { Place, WriteResult, Writer } from './writes.ts';

/** What an Event is about. */
export interface Involved {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** One CamelCase word, such as `AddressConflict`. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Core/v1 Events of ours. The same text about the same object is one Event with a count, as `client-go`'s recorder makes it, within
 * `forgetAfterMs` (the API server drops Events after an hour by default).
 */
export class EventRecorder {
  readonly #writer: Pick<Writer, 'write'>;
  readonly #now: () => number;
  /** What is reported → the Event that says so, oldest first. */
  readonly #reported = new Map<string, { readonly name: string; readonly firstMs: number; count: number }>();

  /** `now`: milliseconds since 1970. */
  constructor(writer: Pick<Writer, 'write'>, now: () => number = Date.now) {
    this.#writer = writer;
    this.#now = now;
  }

  report(involved: Involved, text: EventText): Promise<WriteResult> {
    const nowMs = this.#now();
    this.#forgetOld(nowMs);
    const said = [involved.uid, text.type, text.reason, text.message].join('\n');
    const before = this.#reported.get(said);
    const name = before?.name ?? eventName(involved, said, nowMs);
    const place: Place = {
      kind: { apiVersion: 'v1', kind: 'Event', resource: 'events' },
      namespace: involved.namespace ?? 'default',
      name,
    };
    if (before === undefined) {
      this.#reported.set(said, { name, count: 1, firstMs: nowMs });
      return this.#writer.write(place, { verb: 'create', body: eventObject(place, involved, text, nowMs) });
    }
    before.count += 1;
    return this.#writer.write(place, { verb: 'patch', body: { count: before.count, lastTimestamp: time(nowMs) } });
  }

  #forgetOld(nowMs: number): void {
    for (const [said, { firstMs }] of this.#reported) {
      if (nowMs - firstMs < forgetAfterMs) return;
      this.#reported.delete(said);
    }
  }
}

const forgetAfterMs = 30 * 60_000;

/** With the time in it, because an Event that an earlier process made of the same words may still be there. */
function eventName(involved: Involved, said: string, nowMs: number): string {
  const words = createHash('sha256').update(said).digest('hex').slice(0, 8);
  return `${involved.name.slice(0, 200)}.${nowMs.toString(16)}${words}`;
}

function eventObject(place: Place, involved: Involved, text: EventText, nowMs: number): object {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: place.name, namespace: place.namespace },
    involvedObject: involved,
    ...text,
    source: { component: 'hawser' },
    reportingComponent: 'hawser',
    reportingInstance: '',
    count: 1,
    firstTimestamp: time(nowMs),
    lastTimestamp: time(nowMs),
  };
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
