import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type OvsdbClient } from '#ovsdb/client.ts';
import type { Replica } from '#ovsdb/replica/replica.ts';
import type { Mutation, Operation } from '#ovsdb/transaction/operation.ts';
import { type RealServer, ServerRoom } from './real-server.ts';
import type { Thing } from './test-schema.ts';
import { allColumns, testSchema, untypedSchema } from './test-schema.ts';

let room: ServerRoom;
let server: RealServer;
let client: OvsdbClient;
let replica: Replica<{ Thing: { readonly _uuid: string } & Thing }>;

beforeAll(async () => {
  room = await ServerRoom.open();
  server = await room.standalone(await room.writeSchema(untypedSchema));
  client = await connect({ remotes: [server.remote] });
  replica = await client.replicate(testSchema, { Thing: { columns: allColumns } });
});

afterAll(async () => {
  await client?.close();
  await room?.[Symbol.asyncDispose]();
});

/** Inserts one row and gives its UUID. */
async function inserted(row: Parameters<typeof insertOf>[0] = {}): Promise<string> {
  const outcome = await client.transact(testSchema, [insertOf(row)]);
  if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
  return outcome.results[0].uuid;
}
const insertOf = (row: Partial<Thing>) =>
  ({ op: 'insert', table: 'Thing', row: { name: randomUUID(), ...row } }) as const;
const errorOf = async (operations: readonly Operation[]) => {
  const outcome = await client.transact(untypedSchema, operations);
  return outcome.status === 'refused' ? outcome.error : outcome;
};

describe('transactions', () => {
  test('own writes are visible when the outcome resolves', async () => {
    const uuid = await inserted({ tags: ['x'], options: new Map([['k', 'v']]), maybe: 'yes', number: 7 });
    expect(replica.tables.Thing.get(uuid)).toMatchObject({ tags: ['x'], maybe: 'yes', number: 7 });
    expect(replica.tables.Thing.get(uuid)?.options.get('k')).toBe('v');
  });

  test('a commit that fails as a whole has no operation index; one that fails in an operation has', async () => {
    const name = randomUUID();
    await inserted({ name });
    expect(await errorOf([insertOf({ name })])).toMatchObject({
      kind: 'constraintViolation',
      operationIndex: undefined,
    });
    expect(await errorOf([insertOf({}), { op: 'abort' }, insertOf({})])).toMatchObject({
      kind: 'aborted',
      operationIndex: 1,
    });
  });

  test('delete and insert of the same unique value in one transaction is fine', async () => {
    const name = randomUUID();
    const uuid = await inserted({ name });
    const outcome = await client.transact(testSchema, [
      { op: 'delete', table: 'Thing', where: { _uuid: uuid } },
      insertOf({ name }),
    ]);
    expect(outcome.status).toBe('committed');
  });

  test('a wait with timeout 0 looks once', async () => {
    const uuid = await inserted({ number: 1 });
    const wait = {
      op: 'wait',
      table: 'Thing',
      where: { _uuid: uuid },
      columns: ['number'],
      until: '==',
      timeoutMs: 0,
    } as const;
    expect(await errorOf([{ ...wait, rows: [{ number: 2 }] }])).toMatchObject({ kind: 'timedOut', operationIndex: 0 });
    expect((await client.transact(testSchema, [{ ...wait, rows: [{ number: 1 }] }])).status).toBe('committed');
  });

  test('a wait without a timeout, which would hang, is refused here; one for no rows asserts that there are none', async () => {
    const absent = { op: 'wait', table: 'Thing', where: [['name', '==', randomUUID()]], columns: ['name'] } as const;
    // As it may come out of a file or off a command line.
    const hanging: Operation = JSON.parse(JSON.stringify({ ...absent, until: '==', rows: [] }));
    expect(await errorOf([hanging])).toMatchObject({ kind: 'invalid', message: /without timeoutMs/ });
    const assertion = { ...absent, until: '==', rows: [], timeoutMs: 0 } as const;
    expect((await client.transact(testSchema, [assertion, { op: 'commit', durable: true }])).status).toBe('committed');
  });

  test('a wait compares a set of one with the element alone as equal', async () => {
    const uuid = await inserted({ tags: ['x'] });
    const wait = {
      op: 'wait',
      table: 'Thing',
      where: { _uuid: uuid },
      columns: ['tags'],
      until: '==',
      timeoutMs: 0,
    } as const;
    expect((await client.transact(testSchema, [{ ...wait, rows: [{ tags: ['x'] }] }])).status).toBe('committed');
    expect((await client.transact(untypedSchema, [{ ...wait, rows: [{ tags: 'x' }] }])).status).toBe('committed');
  });

  test('text that looks dangerous comes back as it went, and so do extreme reals but for the sign of zero', async () => {
    const name = `${randomUUID()}\u0001\u2028\ufeff\u007f😀"\\`;
    const [one, other] = [await inserted({ name, ratio: 1e300 }), await inserted({ ratio: -0 })];
    expect(replica.tables.Thing.get(one)).toMatchObject({ name, ratio: 1e300 });
    expect(replica.tables.Thing.get(other)?.ratio).toBe(0);
  });

  test('a real one computes with loses its sixteenth digit, so a verification of it never holds', async () => {
    const uuid = await inserted({ ratio: 2 / 3 });
    const { outcome, attempts } = await client.edit(
      testSchema,
      replica,
      (edit) => {
        const row = edit.get('Thing', uuid);
        if (row) edit.verify('Thing', row, ['ratio']);
      },
      { retries: 1 },
    );
    expect([outcome, attempts]).toMatchObject([{ status: 'refused', error: { kind: 'timedOut' } }, 2]);
    expect(client.isConnected).toBe(true);
  });

  test('a uuidName given twice, and a UUID given twice, are refused', async () => {
    const twice = { ...insertOf({}), uuidName: 'x' };
    expect(await errorOf([twice, { ...twice, row: {} }])).toMatchObject({
      kind: 'duplicateUuidName',
      operationIndex: 1,
    });
    const uuid = randomUUID();
    expect(
      await errorOf([
        { ...insertOf({}), uuid },
        { ...insertOf({}), uuid },
      ]),
    ).toMatchObject({ kind: 'duplicateUuid' });
  });

  test('a wait on a real that is not itself in 15 digits never comes true', async () => {
    const uuid = await inserted({ ratio: 0.1 + 0.2 });
    expect(replica.tables.Thing.get(uuid)?.ratio).toBe(0.3);
    const wait = {
      op: 'wait',
      table: 'Thing',
      where: { _uuid: uuid },
      columns: ['ratio'],
      until: '==',
      timeoutMs: 0,
    } as const;
    expect(await errorOf([{ ...wait, rows: [{ ratio: 0.3 }] }])).toMatchObject({ kind: 'timedOut' });
  });

  test('replies overtake a transaction that waits; aborting it takes nothing back but ends it', async () => {
    const uuid = await inserted({ number: 1 });
    const abort = new AbortController();
    const waiting = client.transact(
      testSchema,
      [
        {
          op: 'wait',
          table: 'Thing',
          where: { _uuid: uuid },
          columns: ['number'],
          until: '==',
          rows: [{ number: 2 }],
          timeoutMs: 60_000,
        },
      ],
      { signal: abort.signal },
    );
    await inserted();
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  test('aborting one that waits for nothing still gives its outcome', async () => {
    const abort = new AbortController();
    const outcome = client.transact(testSchema, [insertOf({})], { signal: abort.signal });
    await Promise.resolve();
    abort.abort();
    expect((await outcome).status).toBe('committed');
  });

  test('named UUIDs may be used before the insert that defines them; undefined ones are refused here', async () => {
    const part = randomUUID();
    const outcome = await client.transact(testSchema, [
      { op: 'insert', table: 'Thing', row: { name: randomUUID(), parts: [{ named: 'later' }] } },
      { op: 'insert', table: 'Thing', row: { name: part }, uuidName: 'later' },
    ]);
    if (outcome.status !== 'committed') throw new Error('not committed');
    const [whole, later] = outcome.results;
    expect(replica.tables.Thing.get(whole.uuid)?.parts).toEqual([later.uuid]);
    expect(await errorOf([{ op: 'insert', table: 'Thing', row: { parts: [{ named: 'nobody' }] } }])).toMatchObject({
      kind: 'invalid',
      operationIndex: 0,
    });
  });

  test('a client-chosen UUID makes an insert sent twice one insert', async () => {
    const uuid = randomUUID();
    const operation = { ...insertOf({}), uuid };
    expect((await client.transact(testSchema, [operation])).status).toBe('committed');
    expect(await errorOf([{ ...operation, row: {} }])).toMatchObject({ kind: 'duplicateUuid' });
  });

  test('map insert does not overwrite: a key is set by deleting and inserting it in one list', async () => {
    const uuid = await inserted({ options: new Map([['k', 'old']]) });
    const mutate = (...mutations: Mutation[]) =>
      client.transact(untypedSchema, [{ op: 'mutate', table: 'Thing', where: { _uuid: uuid }, mutations }]);
    await mutate(['options', 'insert', { k: 'new' }]);
    expect(replica.tables.Thing.get(uuid)?.options.get('k')).toBe('old');
    await mutate(['options', 'delete', ['k']], ['options', 'insert', { k: 'new' }]);
    expect(replica.tables.Thing.get(uuid)?.options.get('k')).toBe('new');
    await mutate(['options', 'delete', { k: 'other' }]);
    expect(replica.tables.Thing.get(uuid)?.options.size).toBe(1);
  });

  test('division by zero, an unknown column and an unknown table are told apart', async () => {
    const uuid = await inserted({ number: 1 });
    const divide = { op: 'mutate', table: 'Thing', where: { _uuid: uuid }, mutations: [['number', '/=', 0]] } as const;
    expect(await errorOf([divide])).toMatchObject({ kind: 'domainError' });
    expect(await errorOf([{ op: 'insert', table: 'Thing', row: { nope: 1 } }])).toMatchObject({ kind: 'invalid' });
    expect(await errorOf([{ op: 'insert', table: 'Nope', row: {} }])).toMatchObject({ kind: 'invalid' });
  });

  test('an empty condition is refused as ambiguous; all rows are asked for by true', async () => {
    expect(await errorOf([{ op: 'delete', table: 'Thing', where: [] }])).toMatchObject({ kind: 'invalid' });
    const outcome = await client.transact(testSchema, [
      { op: 'select', table: 'Thing', where: true, columns: ['name'] },
    ]);
    if (outcome.status !== 'committed') throw new Error('not committed');
    expect(outcome.results[0].rows).toHaveLength(replica.tables.Thing.rows.size);
  });

  test('text the server would drop the connection for is refused here, and the connection lives', async () => {
    expect(await errorOf([insertOf({ name: 'a\0' })])).toMatchObject({ kind: 'invalid', operationIndex: 0 });
    expect(await errorOf([insertOf({ ratio: 5e-324 })])).toMatchObject({ kind: 'invalid' });
    expect(client.isConnected).toBe(true);
  });

  test('a thousand transactions at once are pipelined, and their outcomes are their own', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        client.transact(testSchema, [{ op: 'comment', comment: `${n}` }, insertOf({ number: n })]),
      ),
    );
    const numbers = outcomes.map((outcome) =>
      outcome.status === 'committed' ? replica.tables.Thing.get(outcome.results[1].uuid)?.number : undefined,
    );
    expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  test('integers beyond 2^53 are exact in bigint columns, NaN with a notice in others, and survive differences', async () => {
    const big = 2n ** 62n + 1n;
    const notices: unknown[] = [];
    const stop = client.onStatus((status) => status.kind === 'inexactInteger' && notices.push(status.value));
    const row = { name: randomUUID(), number: big, numbers: [1, big], counters: { k: big, j: 1 } };
    const outcome = await client.transact(testSchema, [{ op: 'insert', table: 'Thing', row }]);
    if (outcome.status !== 'committed') throw new Error('not committed');
    const { uuid } = outcome.results[0];
    expect(replica.tables.Thing.get(uuid)).toMatchObject({ number: Number.NaN, numbers: [1, Number.NaN] });
    expect(notices).toContain(big);
    await using exact = await client.replicate(testSchema, {
      Thing: { columns: ['number', 'numbers', 'counters'], bigint: ['number', 'numbers', 'counters'] },
    });
    expect(exact.tables.Thing.get(uuid)).toMatchObject({ number: big, numbers: [1n, big] });
    await client.transact(testSchema, [
      {
        op: 'mutate',
        table: 'Thing',
        where: { _uuid: uuid },
        mutations: [
          ['numbers', 'delete', [big]],
          ['numbers', 'insert', [5]],
        ],
      },
    ]);
    expect(replica.tables.Thing.get(uuid)?.numbers).toEqual([1, 5]);
    expect(exact.tables.Thing.get(uuid)?.numbers).toEqual([1n, 5n]);
    stop();
  });
});

describe('updates', () => {
  test('insert and delete in one transaction, and a write of what is there, are no update', async () => {
    const uuid = await inserted({ number: 1 });
    const batches: unknown[] = [];
    const stop = replica.onChanges((batch) => batches.push(batch));
    await client.transact(testSchema, [
      { op: 'insert', table: 'Thing', row: { name: randomUUID() }, uuidName: 'x' },
      { op: 'delete', table: 'Thing', where: { _uuid: { named: 'x' } } },
      { op: 'update', table: 'Thing', where: { _uuid: uuid }, row: { number: 1 } },
    ]);
    expect(batches).toEqual([]);
    stop();
  });

  test('a batch is told once per transaction, after all of it is applied', async () => {
    const [a, b] = [await inserted({ number: 1 }), await inserted({ number: 1 })];
    const seen: unknown[] = [];
    const stop = replica.onChanges(({ changes }) =>
      seen.push([changes.length, ...[a, b].map((uuid) => replica.tables.Thing.get(uuid)?.number)]),
    );
    await client.transact(
      testSchema,
      [a, b].map((uuid) => ({ op: 'update', table: 'Thing', where: { _uuid: uuid }, row: { number: 2 } }) as const),
    );
    expect(seen).toEqual([[2, 2, 2]]);
    stop();
  });

  test('two rows may swap a unique value in one transaction, and the index follows', async () => {
    await using indexed = await client.replicate(
      testSchema,
      { Thing: { columns: ['name'] } },
      { indexes: { Thing: { name: 'name' } } },
    );
    const names = [randomUUID(), randomUUID()] as const;
    const uuids = [await inserted({ name: names[0] }), await inserted({ name: names[1] })] as const;
    await client.transact(testSchema, [
      { op: 'update', table: 'Thing', where: { _uuid: uuids[0] }, row: { name: names[1] } },
      { op: 'update', table: 'Thing', where: { _uuid: uuids[1] }, row: { name: names[0] } },
    ]);
    expect(names.map((name) => indexed.tables.Thing.by('name', name).map(({ _uuid }) => _uuid))).toEqual([
      [uuids[1]],
      [uuids[0]],
    ]);
  });

  test('a reference to a deleted row does no harm', async () => {
    const part = await inserted();
    const whole = await inserted({ parts: [part] });
    await client.transact(testSchema, [{ op: 'delete', table: 'Thing', where: { _uuid: part } }]);
    expect(replica.tables.Thing.get(part)).toBeUndefined();
    expect(replica.tables.Thing.get(whole)?.parts).toEqual([]);
  });

  test('a consumer that falls behind gets what it missed as one batch', async () => {
    const stream = replica.changes({ highWaterMark: 2 });
    const uuid = await inserted({ number: 0 });
    for (let number = 1; number <= 10; number++) {
      await client.transact(testSchema, [{ op: 'update', table: 'Thing', where: { _uuid: uuid }, row: { number } }]);
    }
    const first = await stream.next();
    expect(first.value?.changes).toHaveLength(1);
    let last = first.value?.changes.at(-1)?.after?.number;
    while (last !== 10) last = (await stream.next()).value?.changes.at(-1)?.after?.number;
    await stream.return?.();
  });
});

test('a monitor that is refused leaves no half-filled replica behind, and the connection as it was', async () => {
  const statuses: unknown[] = [];
  const stop = client.onStatus(({ kind }) => statuses.push(kind));
  // Strings have no order to the server.
  const refused = client.replicate(testSchema, { Thing: { columns: ['name'], where: [['name', '<', 'x']] } });
  await expect(refused).rejects.toMatchObject({ kind: 'rpc', message: /was refused: syntax error/ });
  expect(statuses).toEqual(['monitorRefused']);
  const uuid = await inserted();
  expect(replica.tables.Thing.rows.has(uuid)).toBe(true);
  stop();
});

describe('audits', () => {
  test('a replica that is right passes an audit while others write, under a condition as well', async () => {
    await using other = await connect({ remotes: [server.remote] });
    await using some = await client.replicate(testSchema, {
      Thing: {
        columns: ['name', 'number', 'counters'],
        where: [
          ['number', '<', 50],
          ['number', '>', 150],
        ],
      },
    });
    await inserted({ counters: new Map([['k', 7]]), number: 200 });
    const writes = Array.from({ length: 300 }, (_, number) => other.transact(testSchema, [insertOf({ number })]));
    for (let n = 0; n < 5; n++) expect([await replica.audit(), await some.audit()]).toEqual([[], []]);
    await Promise.all(writes);
    expect([await replica.audit(), await some.audit()]).toEqual([[], []]);
  });
});

describe('locks', () => {
  test('one client holds a lock; a stolen one is lost, and comes back when the thief lets go', async () => {
    await using other = await connect({ remotes: [server.remote] });
    await using mine = client.lock('test_lock');
    await mine.acquired;
    const { lost } = mine;
    const assert = { op: 'assert', lock: 'test_lock' } as const;
    expect((await client.transact(testSchema, [assert])).status).toBe('committed');
    const theirs = other.lock('test_lock', { steal: true });
    await theirs.acquired;
    if (!lost.aborted) await new Promise((resolve) => lost.addEventListener('abort', resolve));
    expect(mine.isHeld).toBe(false);
    expect(await errorOf([assert])).toMatchObject({ kind: 'notOwner' });
    await theirs.release();
    await mine.acquired;
    expect(mine.isHeld).toBe(true);
  });

  test('a second lock of the same name in one client is refused', async () => {
    await using _held = client.lock('twice');
    expect(() => client.lock('twice')).toThrow(/already/);
  });
});

describe('edits', () => {
  test('an edit whose verified column changed meanwhile is built again from what is there now', async () => {
    const uuid = await inserted({ number: 1 });
    let interfere = true;
    const { outcome, attempts, value } = await client.edit(testSchema, replica, async (edit) => {
      const row = edit.get('Thing', uuid);
      if (!row) throw new Error('no row');
      edit.verify('Thing', row, ['number']);
      if (interfere) {
        interfere = false;
        await client.transact(testSchema, [
          { op: 'update', table: 'Thing', where: { _uuid: uuid }, row: { number: 10 } },
        ]);
      }
      edit.update('Thing', uuid, { number: row.number + 1 });
      return row.number + 1;
    });
    expect([outcome.status, attempts, value]).toEqual(['committed', 2, 11]);
    expect(replica.tables.Thing.get(uuid)?.number).toBe(11);
  });
});

describe('other schemas', () => {
  test('tables and columns the server lacks read as empty and as defaults', async () => {
    const newer = {
      ...untypedSchema,
      tables: {
        Thing: {
          ...testSchema.tables.Thing,
          isRoot: true,
          indexes: [],
          columns: { ...testSchema.tables.Thing?.columns, later: { key: { type: 'string' }, min: 1, max: 1 } },
        },
        Newer: { isRoot: true, indexes: [], columns: { name: { key: { type: 'string' }, min: 1, max: 1 } } },
      },
    } as const;
    const name = randomUUID();
    await inserted({ name });
    await using some = await client.replicate(newer, {
      Thing: {
        columns: ['name', 'later'],
        where: [
          ['name', '==', name],
          ['later', '==', 'x'],
        ],
      },
      Newer: { columns: ['name'] },
    });
    expect([...(some.tables.Thing?.rows.values() ?? [])]).toMatchObject([{ name, later: '' }]);
    expect(some.tables.Newer?.rows.size).toBe(0);
    expect([some.has('Thing'), some.has('Thing', 'later'), some.has('Newer')]).toEqual([true, false, false]);
  });

  test('a database the server lacks is waited for, until the signal says otherwise', async () => {
    await using other = await connect({ remotes: [server.remote] });
    const abort = new AbortController();
    const statuses: unknown[] = [];
    other.onStatus((status) => {
      statuses.push(status);
      if (status.kind === 'unsuitable') abort.abort(new Error('enough'));
    });
    const nowhere = other.replicate(
      { ...untypedSchema, name: 'Nowhere' },
      { Thing: { columns: ['name'] } },
      { signal: abort.signal },
    );
    await expect(nowhere).rejects.toThrow('enough');
    expect(statuses).toContainEqual(expect.objectContaining({ kind: 'unsuitable', reason: 'noSuchDatabase' }));
  });
});
