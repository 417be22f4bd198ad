import { describe, expect, test } from 'vitest';
import { Engine } from '#controller/engine/engine.ts';
import { row } from '#controller/engine/facts.ts';
import { Table } from '#controller/engine/table.ts';

interface Labelled {
  readonly label: string;
}

/** Each item looks for selectors of its label; the items that have run since this was last asked. */
function bed(count: number) {
  const items = new Table<Labelled>('items');
  const selectors = new Table<Labelled, 'label'>('selectors', { label: ({ label }) => [label] });
  const engine = new Engine();
  let ran: string[] = [];
  engine.add<Labelled>({
    name: 'selected',
    from: items,
    *facts(key, { label }, read) {
      ran.push(key);
      for (const selector of read.by(selectors, 'label', label).keys()) yield row('T', `${key} by ${selector}`, {});
    },
  });
  const ranAfter = (change: () => void) => {
    ran = [];
    change();
    engine.runFor(1000);
    return ran;
  };
  const selected = () => [...engine.board.rows('T')].map(({ key }) => key);
  for (let i = 0; i < count; i += 1) items.put(`item-${i}`, { label: `label-${i}` });
  engine.runFor(1000);
  return { items, selectors, ranAfter, selected };
}

describe.each([3, 40, 300])('of %i who look where nothing is', (count) => {
  test('one runs when something is filed there, and when that goes', () => {
    const { selectors, ranAfter, selected } = bed(count);
    const last = count - 1;
    expect(ranAfter(() => selectors.put('a', { label: 'label-1' }))).toEqual(['item-1']);
    expect(ranAfter(() => selectors.put('b', { label: `label-${last}` }))).toEqual([`item-${last}`]);
    expect(ranAfter(() => selectors.put('c', { label: 'nobody' }))).toEqual([]);
    expect(selected()).toEqual(['item-1 by a', `item-${last} by b`]);
    expect(ranAfter(() => selectors.remove('a'))).toEqual(['item-1']);
    expect(ranAfter(() => selectors.put('a', { label: 'label-1' }))).toEqual(['item-1']);
  });

  test('one that looks elsewhere now is left alone', () => {
    const { items, selectors, ranAfter } = bed(count);
    expect(ranAfter(() => items.put('item-2', { label: 'other' }))).toEqual(['item-2']);
    expect(ranAfter(() => selectors.put('a', { label: 'label-2' }))).toEqual([]);
    expect(ranAfter(() => selectors.put('a', { label: 'other' }))).toEqual(['item-2']);
  });

  test('all who look at the same run, and those who go leave nothing', () => {
    const { items, selectors, ranAfter } = bed(count);
    ranAfter(() => {
      for (let i = 0; i < count; i += 1) items.put(`twin-${i}`, { label: `label-${i}` });
    });
    expect(ranAfter(() => selectors.put('a', { label: 'label-1' }))).toEqual(['item-1', 'twin-1']);
    expect(ranAfter(() => selectors.remove('a'))).toEqual(['item-1', 'twin-1']);
    for (const key of items.rows().keys()) items.remove(key);
    ranAfter(() => {});
    expect(selectors.watched).toBe(0);
    expect(ranAfter(() => selectors.put('a', { label: 'label-1' }))).toEqual([]);
  });
});
