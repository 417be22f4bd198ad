import type { FormerAddresses } from '../ipam/allocator.ts';
import { coalesced, eventByEvent } from './coalesce.ts';
import type { RowState } from './northbound-rows.ts';
import { BadRecording, objectKey, type RecordedEvent } from './recording.ts';
import { addressesIn, Stage } from './stage.ts';
import { type KubeObject, surroundings } from './surroundings.ts';

export interface PlayOptions {
  readonly events: readonly RecordedEvent[];
  /** Objects beside the recording. */
  readonly objects?: readonly KubeObject[];
  /** Lets a watch miss states between its reads; the seed chooses which. */
  readonly coalesceSeed?: number;
  /** `seq` of the event after which the controller is restarted. */
  readonly restartAt?: number;
}

/** The rows that an event changed, `<table>/<name>` → what it now is; null: it is gone. */
export interface Step {
  readonly seq: number;
  readonly changed: Readonly<Record<string, RowState | null>>;
}

export interface Played {
  readonly steps: readonly Step[];
  readonly final: Readonly<Record<string, RowState>>;
}

/** What happened at a step beside its rows, for whoever reads along. */
export interface Remark {
  readonly seq: number;
  readonly sentence: string;
}

/**
 * Feeds a recording to the controller's core and tells which northbound rows follow, step by step. Where a VM's addresses are
 * found in a cluster, in its IPAMClaim and in the northbound database, a controller that was restarted finds them here, too.
 *
 * @throws BadRecording when there is no event `restartAt`.
 */
export async function play(
  options: PlayOptions,
  onStep: (step: Step) => void = () => {},
  onRemark: (remark: Remark) => void = () => {},
): Promise<Played> {
  const { events, objects = [], coalesceSeed, restartAt } = options;
  if (restartAt !== undefined && !events.some(({ seq }) => seq === restartAt)) {
    throw new BadRecording(`there is no event ${restartAt} in it to restart at`);
  }
  // Who is given which address depends on who comes first; a watch that misses states must not change that.
  const former = coalesceSeed === undefined ? new Map() : await addressesGiven(options);
  const recordedClaims = new Set(
    events.filter(({ kind }) => kind === 'IPAMClaim').map(({ object }) => objectKey(object)),
  );
  const stage = new Stage(surroundings(events, objects), { former, recordedClaims });
  const windows = coalesceSeed === undefined ? eventByEvent(events) : coalesced(events, coalesceSeed, restartAt);
  const steps: Step[] = [];
  for (const window of windows) {
    for (const event of window.events) {
      const problem = stage.apply(event);
      if (problem !== undefined) onRemark({ seq: event.seq, sentence: problem });
    }
    if (window.seq === restartAt) await stage.restart();
    const step = { seq: window.seq, changed: Object.fromEntries(await stage.takeChanges()) };
    steps.push(step);
    onStep(step);
  }
  const final = Object.fromEntries([...stage.rows].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { steps, final };
}

async function addressesGiven({ events, objects = [] }: PlayOptions): Promise<ReadonlyMap<string, FormerAddresses>> {
  const { steps } = await play({ events, objects });
  const given = new Map<string, FormerAddresses>();
  for (const { changed } of steps) {
    const rows = Object.entries(changed).flatMap(([id, row]) => (row === null ? [] : [[id, row] as const]));
    for (const [port, addresses] of addressesIn(rows)) if (!given.has(port)) given.set(port, addresses);
  }
  return given;
}
