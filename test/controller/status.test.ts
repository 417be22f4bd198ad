import { expect, test } from 'vitest';
import { Problems } from '#controller/engine/problems.ts';
import { Letterbox } from '#controller/status.ts';

const object = { kind: 'VirtualMachine', namespace: 'default', name: 'db', uid: 'vm-db' };
const problem = { object, condition: 'AddressConflict', sentence: '10.0.0.5 is taken' };

/** A letterbox with a clock, in milliseconds, and what it has told. */
function letterbox() {
  const told: string[] = [];
  let nowMs = 0;
  const problems = new Problems();
  const box = new Letterbox({
    events: {
      report: async ({ kind, name }, { reason, message }) => {
        told.push(`${kind} ${name}: ${reason}: ${message}`);
        return { type: 'written' };
      },
    },
    onProblem: () => {},
    now: () => nowMs,
  });
  problems.listeners.add(box);
  const at = (ms: number, change: () => void = () => {}, mayTell = true) => {
    nowMs = ms;
    change();
    box.report(mayTell);
  };
  const say = () => problems.say('feature', problem);
  const unsay = () => problems.unsay('feature', problem);
  return { told, at, problems, say, unsay };
}

test('a problem that passes by itself is nobody told of', () => {
  const { told, at, say, unsay } = letterbox();
  at(0, say);
  at(1500);
  at(1600, unsay);
  at(3000, say);
  at(4900);
  expect(told).toEqual([]);
});

test('a problem that stays is told once, and again when it comes back', () => {
  const { told, at, say, unsay } = letterbox();
  at(0, say);
  at(2000);
  at(60_000);
  expect(told).toEqual(['VirtualMachine db: AddressConflict: 10.0.0.5 is taken']);
  at(61_000, unsay);
  at(62_000, say);
  at(64_000);
  expect(told).toHaveLength(2);
});

test('a problem that is said anew while things are worked out has not been right meanwhile', () => {
  const { told, at, say, unsay } = letterbox();
  at(0, say);
  at(2000);
  at(3000, () => {
    unsay();
    say();
  });
  at(6000);
  expect(told).toHaveLength(1);
});

test('who does not lead tells nobody, and what is wrong still when it leads is told', () => {
  const { told, at, say } = letterbox();
  at(0, say, false);
  at(60_000, () => {}, false);
  expect(told).toEqual([]);
  at(61_000);
  expect(told).toHaveLength(1);
});

test('when a whole cluster waits for one thing, everybody is told, some at a time', () => {
  const { told, at, problems } = letterbox();
  at(0, () => {
    for (let i = 0; i < 250; i += 1) problems.say(`pod ${i}`, { ...problem, object: { ...object, uid: `uid-${i}` } });
  });
  const counts = [2000, 4000, 6000, 8000].map((ms) => {
    at(ms);
    return told.length;
  });
  expect(counts).toEqual([100, 200, 250, 250]);
});
