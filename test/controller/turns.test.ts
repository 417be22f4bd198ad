import { expect, test } from 'vitest';
import { Turns, turn } from '#controller/turns.ts';

test('those who work have turns of their own, in the order in which they asked', async () => {
  const turns: string[][] = [];
  const work = async (name: string) => {
    await turn();
    turns.at(-1)?.push(name);
    await turn();
    turns.at(-1)?.push(`${name} again`);
  };
  const working = Promise.all([work('settles'), work('plans'), work('sends')]);
  for (let i = 0; i < 7; i += 1) {
    turns.push([]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await working;
  expect(turns).toEqual([['settles'], ['plans'], ['sends'], ['settles again'], ['plans again'], ['sends again'], []]);
});

test('a stretch of work ends after 4 ms, and the next begins with its turn', async () => {
  let now = 100;
  const turns = new Turns(() => now);
  now = 103;
  expect([turns.isTimeUp, turns.leftMs]).toEqual([false, 1]);
  now = 110;
  expect([turns.isTimeUp, turns.leftMs]).toEqual([true, 0]);
  await turns.next();
  expect([turns.isTimeUp, turns.leftMs]).toEqual([false, 4]);
});
