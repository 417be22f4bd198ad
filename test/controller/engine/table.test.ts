import { expect, test } from 'vitest';
import { Engine } from '#controller/engine/engine.ts';
import { row } from '#controller/engine/facts.ts';
import { Table } from '#controller/engine/table.ts';

interface Item {
  readonly shelf: string;
  readonly colours: readonly string[];
  readonly weight: number;
}

/** Items found by colour on a shelf, and a feature of which every key asks one question. */
function bed() {
  const items = new Table<Item, 'colour' | 'weight'>('items', {
    colour: { within: ({ shelf }) => shelf, of: ({ colours }) => colours },
    weight: ({ weight }) => [String(weight)],
  });
  const questions = new Table<'red on a' | 'any red on b' | 'of 5'>('questions');
  const engine = new Engine();
  const runs: string[] = [];
  engine.add<'red on a' | 'any red on b' | 'of 5'>({
    name: 'answers',
    from: questions,
    *facts(key, question, read) {
      runs.push(key);
      const found =
        question === 'of 5'
          ? [...read.by(items, 'weight', '5').keys()]
          : question === 'red on a'
            ? [...read.by(items, 'colour', 'red', 'a').keys()]
            : [String(read.any(items, 'weight', '7'))];
      yield row('T', key, { found: found.sort() });
    },
  });
  for (const [key, question] of [
    ['red', 'red on a'],
    ['any', 'any red on b'],
    ['five', 'of 5'],
  ] as const) {
    questions.put(key, question);
  }
  const settle = () => {
    runs.length = 0;
    engine.runFor(1000);
    return [...runs];
  };
  const found = (key: string) => engine.board.row('T', key)?.column('found');
  settle();
  return { items, questions, settle, found };
}

test('whoever asks an index is woken when a row comes, changes or goes under that value, and for nothing else', () => {
  const { items, settle, found } = bed();
  items.put('x', { shelf: 'a', colours: ['red', 'blue'], weight: 1 });
  expect(settle()).toEqual(['red']);
  expect(found('red')).toEqual(['x']);
  items.put('y', { shelf: 'b', colours: ['red'], weight: 1 });
  items.put('z', { shelf: 'a', colours: ['blue'], weight: 1 });
  expect(settle()).toEqual([]);
  items.put('y', { shelf: 'a', colours: ['red'], weight: 5 });
  expect(settle()).toEqual(['red', 'five']);
  expect([found('red'), found('five')]).toEqual([['x', 'y'], ['y']]);
  items.put('x', { shelf: 'a', colours: ['blue'], weight: 1 });
  expect(settle()).toEqual(['red']);
  expect(found('red')).toEqual(['y']);
});

test('whoever asks whether there is any is woken by the first and the last one only', () => {
  const { items, settle, found } = bed();
  const item = { shelf: 'b', colours: [], weight: 7 };
  items.put('x', item);
  expect(settle()).toEqual(['any']);
  expect(found('any')).toEqual(['true']);
  items.put('y', item);
  items.remove('x');
  expect(settle()).toEqual([]);
  items.remove('y');
  expect(settle()).toEqual(['any']);
});

test('an equal row is no change, and nobody looks any more when who asked is gone', () => {
  const { items, questions, settle } = bed();
  items.put('x', { shelf: 'a', colours: ['red'], weight: 5 });
  settle();
  items.put('x', { shelf: 'a', colours: ['red'], weight: 5 });
  expect(settle()).toEqual([]);
  for (const key of ['red', 'any', 'five']) questions.remove(key);
  settle();
  expect(items.watched).toBe(0);
});

test('of a crowd that looks at one place, those who have left are not woken, and the last one leaves nothing', () => {
  const items = new Table<string>('items');
  const askers = new Table<string>('askers');
  const engine = new Engine();
  const runs: string[] = [];
  engine.add<string>({
    name: 'answers',
    from: askers,
    *facts(key, about, read) {
      runs.push(key);
      yield row('T', key, { found: read.get(items, about) ?? '' });
    },
  });
  const settle = () => {
    runs.length = 0;
    engine.runFor(1000);
    return [...runs].sort();
  };
  const keys = Array.from({ length: 40 }, (_, i) => `k${10 + i}`);
  for (const key of keys) askers.put(key, 'x');
  settle();
  for (const [i, leaving] of [keys.slice(0, 5), keys.slice(5, 30)].entries()) {
    for (const key of leaving) askers.put(key, 'y');
    expect(settle()).toEqual(leaving);
    items.put('x', `version ${i}`);
    expect(settle()).toEqual(keys.slice(keys.indexOf(leaving.at(-1) ?? '') + 1));
  }
  askers.put('k10', 'x');
  expect(settle()).toEqual(['k10']);
  items.put('x', 'once more');
  expect(settle()).toEqual(['k10', ...keys.slice(30)]);
  for (const key of keys) askers.remove(key);
  settle();
  expect([items.watched, engine.tickets, engine.board.size]).toEqual([0, 0, 0]);
});
