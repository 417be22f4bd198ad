import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Problem } from '#controller/engine/facts.ts';
import { Problems } from '#controller/engine/problems.ts';

const pod = (name: string, uid = name) => ({ kind: 'Pod', namespace: 'shop', name, uid });
const exhausted = (name: string, uid?: string): Problem => ({
  object: pod(name, uid),
  condition: 'AddressesExhausted',
  sentence: 'the network has no address left',
});

/** Problems, and what a listener makes of them. */
function bed() {
  const problems = new Problems();
  const told: string[] = [];
  problems.listeners.add({
    problemSaid: ({ object }) => told.push(`+ ${object.uid}`),
    problemUnsaid: ({ object }) => told.push(`- ${object.uid}`),
  });
  return { problems, told };
}

test('a problem is there while anybody says it', () => {
  const { problems, told } = bed();
  problems.say('one', exhausted('db'));
  problems.say('other', exhausted('db'));
  problems.unsay('one', exhausted('db'));
  expect([...problems]).toEqual([exhausted('db')]);
  problems.unsay('other', exhausted('db'));
  problems.unsay('other', exhausted('db'));
  expect([...problems]).toEqual([]);
  expect(told).toEqual(['+ db', '- db']);
});

test('of an object is told what is wrong with it, and with a former one of its name', () => {
  const { problems } = bed();
  problems.say('one', exhausted('db', 'former'));
  problems.say('one', exhausted('db', 'now'));
  problems.say('one', exhausted('web'));
  expect(problems.of(pod('db')).map(({ object }) => object.uid)).toEqual(['former', 'now']);
  expect(problems.of({ kind: 'VirtualMachine', namespace: 'shop', name: 'db' })).toEqual([]);
});

test('whatever is said and taken back, in whatever order, listeners know what there is', () => {
  const step = fc.record({
    isSaid: fc.boolean(),
    owner: fc.constantFrom('a', 'b', 'c'),
    name: fc.constantFrom('db', 'web'),
    uid: fc.constantFrom('1', '2'),
    sentence: fc.constantFrom('no address', 'no network'),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const problems = new Problems();
      const known = new Set<string>();
      const said = new Set<string>();
      const textOf = ({ object: { name, uid }, sentence }: Problem) => `${name} ${uid} ${sentence}`;
      problems.listeners.add({
        problemSaid: (problem) => known.add(textOf(problem)),
        problemUnsaid: (problem) => known.delete(textOf(problem)),
      });
      for (const { isSaid, owner, name, uid, sentence } of steps) {
        const problem = { object: pod(name, uid), condition: 'Ready', sentence };
        problems[isSaid ? 'say' : 'unsay'](owner, problem);
        said[isSaid ? 'add' : 'delete'](`${owner}: ${textOf(problem)}`);
      }
      const expected = [...new Set([...said].map((text) => text.slice(3)))].sort();
      expect([...known].sort()).toEqual(expected);
      expect([...problems].map(textOf).sort()).toEqual(expected);
      expect(problems.size).toBe(expected.length);
    }),
  );
});
