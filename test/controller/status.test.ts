import { expect, test } from 'vitest';
import { Letterbox } from '#controller/status.ts';

const object = { kind: 'VirtualMachine', namespace: 'default', name: 'db', uid: 'vm-db' };
const problem = { kind: 'problem', object, condition: 'AddressConflict', sentence: '10.0.0.5 is taken' } as const;

/** A letterbox with a clock, in milliseconds, and what it has told. */
function letterbox() {
  const told: string[] = [];
  let nowMs = 0;
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
  const at = (ms: number, problems: readonly (typeof problem)[]) => {
    nowMs = ms;
    box.report(problems);
  };
  return { told, at };
}

test('a problem that passes by itself is nobody told of', () => {
  const { told, at } = letterbox();
  at(0, [problem]);
  at(1500, [problem]);
  at(1600, []);
  at(3000, [problem]);
  at(4900, [problem]);
  expect(told).toEqual([]);
});

test('a problem that stays is told once, and again when it comes back', () => {
  const { told, at } = letterbox();
  at(0, [problem]);
  at(2000, [problem]);
  at(60_000, [problem]);
  expect(told).toEqual(['VirtualMachine db: AddressConflict: 10.0.0.5 is taken']);
  at(61_000, []);
  at(62_000, [problem]);
  at(64_000, [problem]);
  expect(told).toHaveLength(2);
});
