import { describe, expect, test } from 'vitest';
import { whereaboutsOf } from '#controller/features/live-migration.ts';
import { trimPod } from '#controller/kube/objects/pod.ts';
import { trimVirtualMachineInstance } from '#controller/kube/objects/virtual-machine-instance.ts';
import { trimVirtualMachineInstanceMigration } from '#controller/kube/objects/virtual-machine-instance-migration.ts';
import { objectId, type RecordedEvent } from '#controller/replay/recording.ts';
import { freshReplay, portOf, recording } from '../recordings.ts';

/** The steps through which a port's `requested-chassis` goes while KubeVirt does what the recording shows. */
const chassisSteps: Readonly<Record<string, readonly string[]>> = {
  '01-boot': ['', 'node-a'],
  '02-precopy-success': ['', 'node-a', 'node-a,node-b rarp', 'node-b'],
  '04-target-dies-before-handoff': ['', 'node-a', 'node-a,node-b rarp', 'node-a'],
  '05-target-dies-in-preparingtarget': ['', 'node-a', 'node-a,node-b rarp', 'node-a'],
  '06-target-dies-in-targetready': ['', 'node-a', 'node-a,node-b rarp', 'node-a'],
  '08-source-reports-failure': ['', 'node-a', 'node-a,node-b rarp', 'node-a'],
  '09-cancel-before-handoff': ['', 'node-a', 'node-a,node-b rarp', 'node-a'],
  '14-stop-start': ['', 'node-a', 'no port', '', 'node-b'],
  '16-vm-deleted-during-migration': ['', 'node-a', 'node-a,node-b rarp', 'node-a', 'no port'],
  '18-node-evacuation': ['', 'node-a', 'node-a,node-b rarp', 'node-b'],
  '20-bare-vmi-migration': ['', 'node-a', 'node-a,node-b rarp', 'node-b'],
};

describe('the port follows what KubeVirt was recorded to do', () => {
  for (const [name, expected] of Object.entries(chassisSteps)) {
    test(`${name}: ${expected.map((step) => step || 'no chassis yet').join(' → ')}`, async () => {
      const replay = freshReplay();
      const steps: string[] = [];
      const addresses = new Set<unknown>();
      for (const event of recording(name)) {
        replay.apply(event);
        const port = portOf(await replay.rows());
        if (port === undefined && steps.length === 0) continue;
        const step = chassisOf(port);
        if (step !== steps.at(-1)) steps.push(step);
        if (port !== undefined) addresses.add(JSON.stringify(port.addresses));
      }
      expect(steps).toEqual(expected);
      expect(addresses.size).toBe(1);
    });

    test(`${name}: after any event the rows are those of a controller started just then`, async () => {
      const events = recording(name);
      const running = freshReplay();
      for (const [index, event] of events.entries()) {
        running.apply(event);
        const started = freshReplay();
        for (const latest of latestOfEach(events.slice(0, index + 1))) started.apply(latest);
        expect(await running.rows(), `after event ${event.seq}`).toEqual(await started.rows());
      }
    });

    test(`${name}: whichever events a watch leaves out, the rows end the same`, async () => {
      const events = recording(name);
      const random = mulberry32(events.length);
      const whole = freshReplay();
      for (const event of events) whole.apply(event);
      const expectedRows = await whole.rows();
      for (let round = 0; round < 20; round += 1) {
        const coalesced = freshReplay();
        for (const event of withoutSome(events, random)) {
          coalesced.apply(event);
          if (random() < 0.5) await coalesced.rows();
        }
        expect(await coalesced.rows()).toEqual(expectedRows);
      }
    });
  }
});

describe('where no recording goes', () => {
  const vmi = (migrationState: object, status: object = {}) =>
    trimVirtualMachineInstance({
      metadata: { namespace: 'default', name: 'db', uid: 'vmi' },
      spec: {},
      status: { phase: 'Running', nodeName: 'a', migrationState, ...status },
    });
  const vmim = (phase: string, uid = 'mig') =>
    trimVirtualMachineInstanceMigration({
      metadata: { namespace: 'default', name: uid, uid },
      spec: { vmiName: 'db' },
      status: { phase },
    });
  const launcher = (name: string, nodeName: string, labels: object = {}, annotations: object = {}) => {
    const metadata = { namespace: 'default', name, uid: name, labels, annotations };
    return { ...trimPod({ metadata, spec: { nodeName }, status: { phase: 'Running' } }), nodeName };
  };
  const handedOff = { migrationUid: 'mig', sourceNode: 'a', targetNode: 'b', sourcePod: 'p1', targetPod: 'p2' };
  const domainReady = { targetNodeDomainReadyTimestamp: '2026-08-22T10:00:20Z' };
  const source = launcher('p1', 'a');
  const target = launcher('p2', 'b', { 'kubevirt.io/migrationJobUID': 'mig' });
  const moving = { kind: 'moving', source: 'a', target: 'b' };
  const atTarget = { kind: 'settled', node: 'b' };

  test('a post-copy guest is on the target as soon as its domain runs there', () => {
    const running = vmi({ ...handedOff, mode: 'PostCopy', ...domainReady });
    expect(whereaboutsOf(running, [vmim('Running')], [source, target], true)).toEqual(atTarget);
  });

  test('a post-copy migration that fails does not go back', () => {
    const failed = vmi({ ...handedOff, mode: 'PostCopy', ...domainReady, failed: true, completed: true });
    expect(whereaboutsOf(failed, [vmim('Failed')], [source], true)).toEqual(atTarget);
  });

  test('a pre-copy migration whose target domain runs waits for its end, and for the guest to announce itself', () => {
    const ready = vmi({ ...handedOff, mode: 'PreCopy', ...domainReady });
    expect(whereaboutsOf(ready, [vmim('Running')], [source, target], true)).toEqual(moving);
  });

  test('a guest whose RARP cannot reach the port is on the target when its domain runs there', () => {
    const ready = vmi({ ...handedOff, mode: 'PreCopy', ...domainReady });
    expect(whereaboutsOf(ready, [vmim('Running')], [source, target], false)).toEqual(atTarget);
    const annotated = launcher('p2', 'b', target.labels, {
      'kubevirt.io/migration-target-ready-timestamp': '2026-07-27 15:21:17 +0000 UTC',
    });
    const notYetReady = vmi({ ...handedOff, mode: 'PreCopy' });
    expect(whereaboutsOf(notYetReady, [vmim('Running')], [source, annotated], false)).toEqual(atTarget);
    expect(whereaboutsOf(notYetReady, [vmim('Running')], [source, target], false)).toEqual(moving);
  });

  test('a VMIM that fails before its VMI says so ends the migration', () => {
    expect(whereaboutsOf(vmi(handedOff), [vmim('Failed')], [source, target], true)).toBeUndefined();
  });

  test('a VMIM that succeeds before its VMI says so ends it at the target', () => {
    expect(whereaboutsOf(vmi(handedOff), [vmim('Succeeded')], [source, target], true)).toEqual(atTarget);
  });

  test('an abort that came too late is a success', () => {
    const late = vmi({ ...handedOff, abortRequested: true, completed: true }, { nodeName: 'b' });
    expect(whereaboutsOf(late, [], [source, target], true)).toBeUndefined();
  });

  test('the state of the last migration does not hide the next one', () => {
    const settled = vmi({ ...handedOff, completed: true }, { nodeName: 'b' });
    const next = launcher('p3', 'c', { 'kubevirt.io/migrationJobUID': 'mig2' });
    expect(
      whereaboutsOf(settled, [vmim('Succeeded'), vmim('Scheduling', 'mig2')], [source, target, next], true),
    ).toEqual({
      kind: 'moving',
      source: 'b',
      target: 'c',
    });
  });

  test('a target pod whose VMIM is gone says nothing', () => {
    expect(whereaboutsOf(vmi({}), [], [source, target], true)).toBeUndefined();
    expect(whereaboutsOf(vmi(handedOff), [], [source, target], true)).toBeUndefined();
  });

  test('two live pods alone say nothing', () => {
    expect(whereaboutsOf(vmi({}), [], [source, launcher('p2', 'b')], true)).toBeUndefined();
  });
});

function chassisOf(port: Readonly<Record<string, unknown>> | undefined): string {
  if (port === undefined) return 'no port';
  const options: Readonly<Record<string, string>> = { ...(port.options ?? {}) };
  return [options['requested-chassis'], options['activation-strategy']].filter(Boolean).join(' ');
}

function latestOfEach(events: readonly RecordedEvent[]): RecordedEvent[] {
  const latest = new Map<string, RecordedEvent>();
  for (const event of events) {
    latest.delete(objectId(event));
    latest.set(objectId(event), event);
  }
  // A claim is made while its VM runs and stays: a started controller finds it, which a VMI long gone would not show it.
  return [...latest.values()].sort((a, b) => a.seq - b.seq);
}

/** Of the events of one object any but the last may be left out. */
function withoutSome(events: readonly RecordedEvent[], random: () => number): RecordedEvent[] {
  return events.filter(
    (event, index) => random() < 0.4 || !events.slice(index + 1).some((later) => objectId(later) === objectId(event)),
  );
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
