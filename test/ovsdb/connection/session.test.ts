import { expect, test } from 'vitest';
import type { Reply } from '#ovsdb/connection/message.ts';
import { openSession } from '#ovsdb/connection/session.ts';
import type { TransportEvents } from '#ovsdb/connection/transport.ts';

/** A session whose server the test plays, by bytes. */
async function open(onNotification: (method: string) => void = () => {}) {
  let events: TransportEvents | undefined;
  const written: string[] = [];
  let closed: Error | undefined;
  const session = await openSession(
    async (_remote, given) => {
      events = given;
      return {
        write: (text) => written.push(text) > 0,
        pause: () => {},
        resume: () => {},
        destroy: () => {},
        end: () => {},
      };
    },
    'unix:/played',
    {
      probeMs: 0,
      dumpSilenceMs: 0,
      onNotification: ({ method }) => onNotification(method),
      rowsOf: () => undefined,
      onClose: (cause) => {
        closed = cause;
      },
    },
    new AbortController().signal,
  );
  return { session, written, receive: (text: string) => events?.onData(Buffer.from(text)), cause: () => closed };
}

test.for<[string, string, Partial<Reply>]>([
  ['a result', '"result":{"locked":true},"error":null', { kind: 'result', result: { locked: true } }],
  ['an error by name, without a result', '"error":"unknown method"', { kind: 'error', error: 'unknown method' }],
  [
    'an error with details',
    '"result":null,"error":{"error":"syntax error","details":"why","syntax":"[]"}',
    { kind: 'error', error: 'syntax error', details: 'why' },
  ],
])('a reply may carry %s', async ([, members, expected]) => {
  const { session, receive } = await open();
  const reply = session.request('lock', ['l']);
  receive(`{"id":0,${members}}`);
  expect(await reply).toMatchObject(expected);
});

test('the members of a message come in any order', async () => {
  const { session, receive } = await open();
  const replies = [session.request('echo', []), session.request('echo', [])];
  receive('{"error":null,"id":1,"result":["b"]}{"result":["a"],"error":null,"id":0}');
  expect(await Promise.all(replies)).toMatchObject([{ result: ['a'] }, { result: ['b'] }]);
});

test('of two members of one name the last counts, as it does to the server', async () => {
  const { session, receive } = await open();
  const reply = session.request('echo', []);
  receive('{"id":7,"result":["first"],"error":null,"result":["last"],"id":0}');
  expect(await reply).toMatchObject({ result: ['last'] });
});

test('replies and updates are handed on in the order of the stream', async () => {
  const order: string[] = [];
  const { session, receive } = await open((method) => order.push(method));
  for (const n of [0, 1]) session.send({ method: 'transact', params: [], onReply: () => order.push(`reply ${n}`) });
  receive('{"id":null,"method":"update2","params":[]}{"id":1,"result":[],"error":null}{"id":null,"method":"update3",');
  receive('"params":[]}{"id":0,"result":[],"error":null}');
  expect(order).toEqual(['update2', 'reply 1', 'update3', 'reply 0']);
});

test('an echo is answered with its own id and params, a reply to nothing is ignored', async () => {
  const { written, receive, cause } = await open();
  receive('{"id":"echo","method":"echo","params":["x"]}{"id":99,"result":[],"error":null}');
  await Promise.resolve();
  expect(written).toEqual(['{"id":"echo","result":["x"],"error":null}']);
  expect(cause()).toBeUndefined();
});

test.for(['[]', '{"id":0,"result":{},}', '{"id":null,"method":"update","params":{}}'])(
  '%s ends the session as no OVSDB, and requests on their way fail',
  async (text) => {
    const { session, receive, cause } = await open();
    const reply = session.request('echo', []);
    receive(text);
    expect(cause()).toMatchObject({ kind: 'protocol' });
    await expect(reply).rejects.toMatchObject({ kind: 'protocol' });
    expect(session.isOpen).toBe(false);
  },
);

test('requests of one turn go out in one write, each with an id of its own', async () => {
  const { session, written } = await open();
  for (let n = 0; n < 3; n++) session.send({ method: 'echo', params: [n], onReply: () => {} });
  await Promise.resolve();
  expect(written).toEqual([
    '{"id":0,"method":"echo","params":[0]}{"id":1,"method":"echo","params":[1]}{"id":2,"method":"echo","params":[2]}',
  ]);
});
