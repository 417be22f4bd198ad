import { expect, test } from 'vitest';
import { Busy, CalledOff, OneAtATime } from '#node-agent/one-at-a-time.ts';

const never = new AbortController().signal;

/** Work that ends when it is called off, and says so. */
const untilCalledOff = (events: string[]) => async (signal: AbortSignal) => {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  events.push('cleaned up');
  throw signal.reason;
};

test('a second request for a key is refused while the first runs, and the first goes on', async () => {
  const work = new OneAtATime();
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = work.make('eth0', never, () => promise);
  await expect(work.make('eth0', never, async () => 'second')).rejects.toBeInstanceOf(Busy);
  expect(await work.make('eth1', never, async () => 'another key')).toBe('another key');
  resolve('first');
  expect(await first).toBe('first');
  expect(await work.make('eth0', never, async () => 'third')).toBe('third');
});

test('removal calls off what is being made and starts when that has cleaned up', async () => {
  const work = new OneAtATime();
  const events: string[] = [];
  const made = expect(work.make('eth0', never, untilCalledOff(events))).rejects.toBeInstanceOf(CalledOff);
  await work.takeAway('eth0', async () => {
    events.push('removed');
  });
  await made;
  expect(events).toEqual(['cleaned up', 'removed']);
  expect(work.isBusy('eth0')).toBe(false);
});

test('two removals of one key run one after the other', async () => {
  const work = new OneAtATime();
  const events: string[] = [];
  const remove = (name: string) =>
    work.takeAway('eth0', async () => {
      events.push(`${name} starts`);
      await Promise.resolve();
      events.push(`${name} ends`);
    });
  await Promise.all([remove('one'), remove('two'), remove('three')]);
  expect(events).toEqual(['one starts', 'one ends', 'two starts', 'two ends', 'three starts', 'three ends']);
});

test("the caller's own signal reaches the work", async () => {
  const caller = new AbortController();
  const events: string[] = [];
  const made = new OneAtATime().make('eth0', caller.signal, untilCalledOff(events));
  caller.abort(new Error('gone'));
  await expect(made).rejects.toThrow('gone');
});
