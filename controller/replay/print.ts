import { isSame } from '../engine/same.ts';
import type { PlainValue, RowState } from './northbound-rows.ts';
import type { Remark, Step } from './play.ts';
import { metadataOf, type RecordedEvent } from './recording.ts';

/** Says each event, and below it what changed in the northbound database for its sake. */
export class Printer {
  readonly #print: (line: string) => void;
  readonly #events: ReadonlyMap<number, RecordedEvent>;
  readonly #shown = new Map<string, RowState>();

  constructor(events: readonly RecordedEvent[], print: (line: string) => void) {
    this.#events = new Map(events.map((event) => [event.seq, event]));
    this.#print = print;
  }

  remark({ seq, sentence }: Remark): void {
    this.#print(`${seq}: ${sentence}`);
  }

  step({ seq, changed }: Step): void {
    const event = this.#events.get(seq);
    if (event !== undefined) this.#print(headline(event));
    for (const [id, row] of Object.entries(changed)) {
      const before = this.#shown.get(id);
      if (row === null) this.#shown.delete(id);
      else this.#shown.set(id, row);
      if (before === undefined) this.#print(`  + ${id} ${JSON.stringify(row)}`);
      else if (row === null) this.#print(`  - ${id}`);
      else for (const difference of differences(before, row)) this.#print(`  ~ ${id} ${difference}`);
    }
  }
}

function headline({ seq, ms, type, kind, by, verb, object }: RecordedEvent): string {
  const { namespace, name } = metadataOf(object);
  const status = Object(object.status);
  const phase = typeof status.phase === 'string' ? ` (${status.phase})` : '';
  const writer = by === undefined ? '' : ` by ${[by, verb].filter(Boolean).join(' ')}`;
  const time = ms === undefined ? '' : ` ${ms} ms`;
  return `${seq}:${time} ${type} ${kind} ${[namespace, name].filter(Boolean).join('/')}${phase}${writer}`;
}

function* differences(before: RowState, after: RowState): Iterable<string> {
  for (const column of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const [from, to] = [before[column], after[column]];
    if (isSame(from, to)) continue;
    const [fromParts, toParts] = [partsOf(from), partsOf(to)];
    for (const part of [...new Set([...fromParts.keys(), ...toParts.keys()])].sort()) {
      const [a, b] = [fromParts.get(part), toParts.get(part)];
      if (a !== b) yield `${column}${part === '' ? '' : ` ${part}`}: ${a ?? '–'} → ${b ?? '–'}`;
    }
  }
}

/** A map's entries and a set's members, each for itself; a single value is its own part. */
function partsOf(value: PlainValue | undefined): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  if (Array.isArray(value)) return new Map(value.map((member: string) => [member, 'there']));
  if (typeof value === 'object') return new Map(Object.entries(value));
  return new Map([['', String(value)]]);
}
