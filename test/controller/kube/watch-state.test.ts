import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { nodes } from '#controller/kube/kinds.ts';
import type { Node } from '#controller/kube/objects/node.ts';
import { watchKind } from '#controller/kube/watch.ts';
import { initialState, nextState, type Outcome, type WatchState } from '#controller/kube/watch-state.ts';
import { Shelf } from './shelf.ts';
import { TestClock } from './test-clock.ts';

const empty = initialState;
const listing: WatchState = { name: 'listing', pageSize: 500, continueToken: 't' };
const listed: WatchState = { name: 'listed', resourceVersion: '7' };
const watchingState: WatchState = { name: 'watching', resourceVersion: '7' };

const arrows: [string, WatchState, Outcome, WatchState][] = [
  ['a page that is not the last', empty, { type: 'page', resourceVersion: '7', continueToken: 't' }, listing],
  ['a last page', listing, { type: 'page', resourceVersion: '7' }, listed],
  ['the watch opens', listed, { type: 'opened' }, watchingState],
  ['an event', watchingState, { type: 'advanced', resourceVersion: '8' }, { ...watchingState, resourceVersion: '8' }],
  ['the stream ends', watchingState, { type: 'interrupted' }, listed],
  ['a page could not be had', listing, { type: 'interrupted' }, listing],
  ['410 on a watch', watchingState, { type: 'expired' }, empty],
  ['410 instead of a watch', listed, { type: 'expired' }, empty],
  ['410 instead of a page', listing, { type: 'expired' }, { name: 'empty', pageSize: 0 }],
  ['nonsense', watchingState, { type: 'lost' }, empty],
];

for (const [what, from, outcome, to] of arrows) {
  test(`${what}: ${from.name} becomes ${to.name}`, () => {
    expect(nextState(from, outcome)).toEqual(to);
  });
}

test('a bookmark from before what is known means that the server went back in time: a new list follows', async () => {
  const lists = [listOf('90', 'node-a'), listOf('40', 'node-b')];
  const streams = [[bookmark('30')], []];
  const shelf = new Shelf<Node>();
  const end = new AbortController();
  const done = watchKind(nodes, shelf, {
    signal: end.signal,
    clock: new TestClock(),
    onNotice: shelf.notice,
    api: {
      get: () => Promise.resolve(lists.shift()),
      stream: (_path, { signal } = {}) => Promise.resolve(endless(streams.shift() ?? [], signal)),
    },
  });
  await shelf.until(() => shelf.objects.has('node-b'));
  expect(shelf.calls).toEqual(['put node-a', 'synced', 'put node-b', 'remove node-a', 'synced']);
  end.abort();
  await done;
});

function listOf(resourceVersion: string, name: string): object {
  return { metadata: { resourceVersion }, items: [{ metadata: { name, uid: name, resourceVersion } }] };
}

function bookmark(resourceVersion: string): string {
  return `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } })}\n`;
}

/** A body that says `lines` and then stays open. */
function endless(lines: string[], signal: AbortSignal | undefined): Readable {
  const stream = new Readable({ read: () => undefined });
  for (const line of lines) stream.push(Buffer.from(line));
  signal?.addEventListener('abort', () => stream.destroy(new Error('aborted')));
  return stream;
}
