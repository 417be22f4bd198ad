import { objectId, type RecordedEvent } from './recording.ts';

/** What reaches the controller at once, up to and with the event `seq`. */
export interface Window {
  readonly seq: number;
  readonly events: readonly RecordedEvent[];
}

/** Every event for itself, as a watch tells them that keeps up. */
export function eventByEvent(events: readonly RecordedEvent[]): readonly Window[] {
  return events.map((event) => ({ seq: event.seq, events: [event] }));
}

/**
 * The recording as a watch tells it that was away now and then: it is cut at places that `seed` chooses, and between two cuts only the
 * last state of each object is seen, kinds and objects in any order. There is always a cut after the event `cutAt`.
 */
export function coalesced(events: readonly RecordedEvent[], seed: number, cutAt?: number): readonly Window[] {
  const random = mulberry32(seed);
  const windows: Window[] = [];
  let latest = new Map<string, RecordedEvent>();
  for (const [index, event] of events.entries()) {
    latest.set(objectId(event), event);
    const isCut = random() < cutProbability || event.seq === cutAt || index === events.length - 1;
    if (!isCut) continue;
    windows.push({ seq: event.seq, events: shuffled([...latest.values()], random) });
    latest = new Map();
  }
  return windows;
}

const cutProbability = 0.3;

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** A small generator of numbers in [0, 1): the same for the same seed on any machine. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
