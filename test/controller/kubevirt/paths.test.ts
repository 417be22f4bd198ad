import { describe, expect, test } from 'vitest';
import type { RowState } from '#controller/replay/northbound-rows.ts';
import { play } from '#controller/replay/play.ts';
import { objectId, type RecordedEvent } from '#controller/replay/recording.ts';
import { Stage } from '#controller/replay/stage.ts';
import { type KubeObject, surroundings } from '#controller/replay/surroundings.ts';
import { recording } from '../recordings.ts';
import { paths } from './paths.ts';

// Every path there is: recorded ones (test/fixtures/kubevirt-traces) as far as time and restarts go, and the written ones of paths.ts.

for (const [name, { events, steps, objects = [], endsWithClaim = false }] of Object.entries(paths)) {
  describe(name, () => {
    test('the ports go through their steps, and keep their addresses', async () => {
      const stage = new Stage(surroundings(events, objects), {});
      const seen = new Map<string, string[]>();
      const addresses = new Map<string, Set<string>>();
      for (const event of events) {
        stage.apply(event);
        await stage.takeChanges();
        for (const port of Object.keys(steps)) {
          const row = stage.rows.get(`Logical_Switch_Port/${port}`);
          const told = seen.get(port) ?? [];
          const step = requested(row);
          if (row !== undefined || told.length > 0) if (told.at(-1) !== step) told.push(step);
          seen.set(port, told);
          if (String(row?.addresses ?? '') !== '')
            addresses.set(port, (addresses.get(port) ?? new Set()).add(String(row?.addresses)));
        }
        expectNoAddressTwice(stage.rows);
      }
      expect(Object.fromEntries(seen)).toEqual(steps);
      expect(seen.size).toBe(Object.keys(steps).length);
      for (const port of Object.keys(steps)) expect(addresses.get(port)?.size ?? 0, port).toBeLessThanOrEqual(1);
    });

    test('a controller that starts at any moment sees the same', async () => {
      await expectSameAfterRestarts(events, objects);
    });

    test('whatever a watch misses, it ends the same', async () => {
      await expectSameWhateverIsMissed(events, objects);
    });

    if (!endsWithClaim)
      test('the objects as they are say the same as how they came about', async () => {
        await expectSameFromStateAlone(events, objects);
      });
  });
}

describe.each([
  '01-boot',
  '02-precopy-success',
  '04-target-dies-before-handoff',
  '05-target-dies-in-preparingtarget',
  '06-target-dies-in-targetready',
  '08-source-reports-failure',
  '09-cancel-before-handoff',
  '14-stop-start',
  '16-vm-deleted-during-migration',
  '18-node-evacuation',
  '20-bare-vmi-migration',
])('%s, as recorded', (name) => {
  test('a controller that starts at any moment sees the same', async () => {
    await expectSameAfterRestarts(recording(name));
  });

  test('whatever a watch misses, it ends the same', async () => {
    await expectSameWhateverIsMissed(recording(name));
  });

  test('the objects as they are say the same as how they came about', async () => {
    await expectSameFromStateAlone(recording(name));
  });
});

/** A controller that is restarted after each event shows what one shows that was never restarted, and so does the state alone. */
async function expectSameAfterRestarts(
  events: readonly RecordedEvent[],
  objects: readonly KubeObject[] = [],
): Promise<void> {
  const around = surroundings(events, objects);
  const [running, restarted] = [new Stage(around, {}), new Stage(around, {})];
  for (const event of events) {
    running.apply(event);
    restarted.apply(event);
    await running.takeChanges();
    await restarted.restart();
    await restarted.takeChanges();
    expect(Object.fromEntries(restarted.rows), `after event ${event.seq}`).toEqual(Object.fromEntries(running.rows));
  }
}

/** Where a watch was away, it shows the rows of the moment it comes back; so do the first events alone, and the last state of each. */
async function expectSameWhateverIsMissed(
  events: readonly RecordedEvent[],
  objects: readonly KubeObject[] = [],
): Promise<void> {
  const whole = await play({ events, objects });
  const rows = new Map<number, string>();
  const state = new Map<string, RowState>();
  for (const { seq, changed } of whole.steps) {
    for (const [id, row] of Object.entries(changed)) {
      if (row === null) state.delete(id);
      else state.set(id, row);
    }
    rows.set(seq, textOf(Object.fromEntries(state)));
  }
  for (let coalesceSeed = 1; coalesceSeed <= 6; coalesceSeed += 1) {
    const seen = new Map<string, RowState>();
    for (const { seq, changed } of (await play({ events, objects, coalesceSeed })).steps) {
      for (const [id, row] of Object.entries(changed)) {
        if (row === null) seen.delete(id);
        else seen.set(id, row);
      }
      expect(textOf(Object.fromEntries(seen)), `seed ${coalesceSeed}, event ${seq}`).toBe(rows.get(seq));
    }
  }
}

/** After each event: the rows are those of a cluster in which the objects that are there now have always been as they are. */
async function expectSameFromStateAlone(
  events: readonly RecordedEvent[],
  objects: readonly KubeObject[] = [],
): Promise<void> {
  const around = surroundings(events, objects);
  const running = new Stage(around, {});
  const state = new Map<string, RecordedEvent>();
  for (const event of events) {
    if (event.type === 'DELETED') state.delete(objectId(event));
    else state.set(objectId(event), { ...event, type: 'ADDED' });
    running.apply(event);
    await running.takeChanges();
    const alone = new Stage(around, {});
    for (const object of [...state.values()].reverse()) alone.apply(object);
    await alone.takeChanges();
    expect(Object.fromEntries(alone.rows), `after event ${event.seq}`).toEqual(Object.fromEntries(running.rows));
  }
}

function textOf(rows: Readonly<Record<string, RowState>>): string {
  return JSON.stringify(
    Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)),
    null,
    1,
  );
}

function requested(row: RowState | undefined): string {
  if (row === undefined) return 'no port';
  const options: Readonly<Record<string, string>> = Object(row.options);
  return [options['requested-chassis'], options['activation-strategy']].filter(Boolean).join(' ');
}

function expectNoAddressTwice(rows: ReadonlyMap<string, RowState>): void {
  const holders = new Map<string, string>();
  for (const [id, { addresses }] of rows) {
    if (!id.startsWith('Logical_Switch_Port/') || !Array.isArray(addresses)) continue;
    for (const word of addresses.join(' ').split(' ')) {
      if (word === 'router' || word === '') continue;
      expect(holders.get(word), word).toBeUndefined();
      holders.set(word, id);
    }
  }
}
