import { expect, test } from 'vitest';
import { EventRecorder, type Involved } from '#controller/kube/events.ts';
import type { Place, Write, WriteResult } from '#controller/kube/writes.ts';

const vm: Involved = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  namespace: 'default',
  name: 'db',
  uid: 'u1',
};
const conflict = { type: 'Warning', reason: 'AddressConflict', message: '10.0.0.5 belongs to web' } as const;

test('the same words about the same object are one Event with a count', async () => {
  const { recorder, written, passTime } = recording();
  await recorder.report(vm, conflict);
  passTime(60_000);
  await recorder.report(vm, conflict);
  await recorder.report(vm, conflict);
  expect(written.map(({ write }) => write.verb)).toEqual(['create', 'patch', 'patch']);
  expect(new Set(written.map(({ place }) => place.name)).size).toBe(1);
  expect(written[0]?.write).toMatchObject({
    body: {
      metadata: { namespace: 'default' },
      involvedObject: vm,
      ...conflict,
      count: 1,
      firstTimestamp: '2026-11-21T00:00:00Z',
    },
  });
  expect(written.at(-1)?.write).toEqual({
    verb: 'patch',
    body: { count: 3, lastTimestamp: '2026-11-21T00:01:00Z' },
  });
});

test('other words, another object, or the same words an hour later are an Event of their own', async () => {
  const { recorder, written, passTime } = recording();
  await recorder.report(vm, conflict);
  await recorder.report(vm, { ...conflict, message: '10.0.0.5 belongs to mail' });
  await recorder.report({ ...vm, uid: 'u2' }, conflict);
  passTime(3_600_000);
  await recorder.report(vm, conflict);
  expect(written.map(({ write }) => write.verb)).toEqual(['create', 'create', 'create', 'create']);
  expect(new Set(written.map(({ place }) => place.name)).size).toBe(4);
});

function recording() {
  const written: { place: Place; write: Write }[] = [];
  let nowMs = Date.parse('2026-11-21T00:00:00Z');
  const write = (place: Place, what: Write): Promise<WriteResult> => {
    written.push({ place, write: what });
    return Promise.resolve({ type: 'written' });
  };
  const passTime = (ms: number): void => {
    nowMs += ms;
  };
  return { recorder: new EventRecorder({ write }, () => nowMs), written, passTime };
}
