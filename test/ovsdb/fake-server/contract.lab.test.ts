import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSession, type Session } from '#ovsdb/connection/session.ts';
import { socketDial } from '#ovsdb/connection/socket-transport.ts';
import { FakeServer } from '#ovsdb/fake-server/fake-server.ts';
import type { Json } from '#ovsdb/value/encode.ts';
import { ServerRoom } from '../real-server.ts';
import { untypedSchema } from '../test-schema.ts';

// What tests against the fake server rely on is what a real one does: the same requests, the same answers.

let room: ServerRoom;
beforeAll(async () => {
  room = await ServerRoom.open();
});
afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
});

/** A bare session, and what it was told in order: methods of notifications, and ids of replies. */
async function open(kind: 'real' | 'fake'): Promise<{ session: Session; told: string[] }> {
  const told: string[] = [];
  const fake = new FakeServer({ schema: untypedSchema });
  const dial = kind === 'fake' ? fake.dial : socketDial(undefined);
  const remote = kind === 'fake' ? 'unix:/fake' : (await room.standalone(await room.writeSchema(untypedSchema))).remote;
  const session = await openSession(
    dial,
    remote,
    {
      probeMs: 0,
      dumpSilenceMs: 0,
      onNotification: ({ method }) => told.push(method),
      rowsOf: () => undefined,
      onClose: () => {},
    },
    new AbortController().signal,
  );
  await session.request('set_db_change_aware', [true]);
  return { session, told };
}

/** The reply to a request; `told` gets `done` when it comes. */
const call = (session: Session, told: string[], method: string, ...params: Json[]) =>
  new Promise<unknown>((resolve) => {
    session.send({
      method,
      params,
      onReply: (reply) => {
        told.push(method);
        resolve(reply?.kind === 'result' ? reply.result : reply?.error);
      },
    });
  });
const insert = (row: object, more: object = {}) => ({ op: 'insert', table: 'Thing', row, ...more });
const anyUuid = { uuid: ['uuid', expect.stringMatching(/^[0-9a-f-]{36}$/)] };

describe.for(['real', 'fake'] as const)('the %s server', (kind) => {
  test('sends updates before the reply to what caused them', async () => {
    const { session, told } = await open(kind);
    await call(session, told, 'monitor_cond_since', 'Test', 'm', { Thing: [{ columns: ['name'] }] }, randomUUID());
    await call(session, told, 'transact', 'Test', insert({ name: 'a' }));
    await call(session, told, 'echo');
    expect(told).toEqual(['monitor_cond_since', 'update3', 'transact', 'echo']);
    session.close(new Error('done'));
  });

  test('checks unique values at commit, and says so in one result more', async () => {
    const { session, told } = await open(kind);
    const transact = (...operations: Json[]) => call(session, told, 'transact', 'Test', ...operations);
    expect(await transact(insert({ name: 'a' }))).toEqual([anyUuid]);
    const where = [['name', '==', 'a']];
    expect(await transact(insert({ name: 'a' }), { op: 'delete', table: 'Thing', where })).toMatchObject([
      anyUuid,
      { count: 2 },
    ]);
    await transact(insert({ name: 'b' }));
    expect(await transact(insert({ name: 'b' }), { op: 'comment', comment: 'c' })).toMatchObject([
      anyUuid,
      {},
      { error: 'constraint violation' },
    ]);
    session.close(new Error('done'));
  });

  test('answers successes, one error and nulls', async () => {
    const { session, told } = await open(kind);
    const divide = { op: 'mutate', table: 'Thing', where: [], mutations: [['number', '/=', 0]] };
    const results = await call(session, told, 'transact', 'Test', insert({ name: 'a' }), divide, insert({ name: 'b' }));
    expect(results).toMatchObject([anyUuid, { error: 'domain error' }, null]);
    session.close(new Error('done'));
  });

  test('knows a named UUID before the insert that defines it', async () => {
    const { session, told } = await open(kind);
    const results = await call(
      session,
      told,
      'transact',
      'Test',
      insert({ name: 'whole', parts: ['set', [['named-uuid', 'later']]] }),
      insert({ name: 'part' }, { 'uuid-name': 'later' }),
      { op: 'select', table: 'Thing', where: [['name', '==', 'whole']], columns: ['parts'] },
    );
    if (!Array.isArray(results)) throw new Error(String(results));
    expect(results[2].rows[0].parts).toEqual(results[1].uuid);
    session.close(new Error('done'));
  });

  test('compares a set of one with the element alone as equal, in a wait', async () => {
    const { session, told } = await open(kind);
    const wait = (tags: Json) => ({
      op: 'wait',
      table: 'Thing',
      where: [['name', '==', 'a']],
      columns: ['tags'],
      until: '==',
      rows: [{ tags }],
      timeout: 0,
    });
    const row = insert({ name: 'a', tags: ['set', ['x']] });
    expect(await call(session, told, 'transact', 'Test', row, wait('x'), wait(['set', ['x']]))).toEqual([
      anyUuid,
      {},
      {},
    ]);
    session.close(new Error('done'));
  });

  test('answers a canceled transaction, which other replies had overtaken', async () => {
    const { session, told } = await open(kind);
    const waiting = new Promise((resolve) => {
      const wait = { op: 'wait', table: 'Thing', where: [], columns: ['name'], until: '!=', rows: [], timeout: 60_000 };
      const id = session.send({
        method: 'transact',
        params: ['Test', wait],
        onReply: (reply) => resolve(reply?.kind === 'error' && reply.error),
      });
      void call(session, told, 'echo').then(() => session.notify('cancel', [id]));
    });
    expect(await waiting).toBe('canceled');
    session.close(new Error('done'));
  });

  test('queues for a lock and refuses nothing else meanwhile', async () => {
    const { session, told } = await open(kind);
    expect(await call(session, told, 'lock', 'l')).toEqual({ locked: true });
    expect(await call(session, told, 'transact', 'Test', { op: 'assert', lock: 'l' })).toEqual([{}]);
    expect(await call(session, told, 'unlock', 'l')).toEqual({});
    expect(await call(session, told, 'transact', 'Test', { op: 'assert', lock: 'l' })).toMatchObject([
      { error: 'not owner' },
    ]);
    session.close(new Error('done'));
  });
});
