import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type OvsdbClient } from '#ovsdb/client.ts';
import { optional, scalar, set } from '#ovsdb/column-types.ts';
import type { Replica } from '#ovsdb/replica/replica.ts';
import type { DatabaseSchema } from '#ovsdb/schema.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { nextStatus } from './fake-client.ts';
import { type RealServer, ServerRoom } from './real-server.ts';

// What ovsdb-server does with rows on its own account: it follows references, forgets, refuses.

interface Whole {
  readonly name: string;
  readonly kind: string;
  readonly state: string | undefined;
  readonly parts: readonly string[];
  readonly friends: readonly string[];
}
interface Part {
  readonly name: string;
}
type FamilyTables = {
  readonly Whole: { readonly row: Whole; readonly references: 'parts' | 'friends' };
  readonly Part: { readonly row: Part; readonly references: never };
  readonly Single: { readonly row: { readonly color: 'red' | 'green' }; readonly references: never };
};

const schema: DatabaseSchema<FamilyTables> = {
  name: 'Family',
  version: '1.0.0',
  tables: {
    Whole: {
      isRoot: true,
      indexes: [],
      columns: {
        name: scalar('string'),
        kind: scalar('string', { immutable: true }),
        state: optional('string', { ephemeral: true }),
        parts: set({ type: 'uuid', refTable: 'Part', refType: 'strong' }),
        friends: set({ type: 'uuid', refTable: 'Part', refType: 'weak' }),
      },
    },
    Part: { isRoot: false, indexes: [], columns: { name: scalar('string') } },
    Single: {
      isRoot: true,
      indexes: [],
      maxRows: 1,
      columns: { color: scalar({ type: 'string', enum: ['red', 'green'] }) },
    },
  },
};
const untyped: DatabaseSchema = { name: 'Family', version: '1.0.0', tables: schema.tables };

let room: ServerRoom;
let server: RealServer;
let client: OvsdbClient;
let replica: Replica<{ Whole: { _uuid: string } & Whole; Part: { _uuid: string } & Part }>;

beforeAll(async () => {
  room = await ServerRoom.open();
  server = await room.standalone(await room.writeSchema(untyped));
  client = await connect({ remotes: [server.remote], backoff: { firstMs: 20, longestMs: 100 } });
  replica = await client.replicate(schema, {
    Whole: { columns: ['name', 'kind', 'state', 'parts', 'friends'] },
    Part: { columns: ['name'] },
  });
});
afterAll(async () => {
  await client?.close();
  await room?.[Symbol.asyncDispose]();
});

/** Runs operations that must commit; gives the UUIDs of the inserts among them. */
async function committed(...operations: readonly Operation[]): Promise<string[]> {
  const outcome = await client.transact(untyped, operations);
  if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
  return outcome.results.flatMap((result) => ('uuid' in result ? [String(result.uuid)] : []));
}
async function only(...operations: readonly Operation[]): Promise<string> {
  const [uuid = ''] = await committed(...operations);
  return uuid;
}
const errorOf = async (...operations: readonly Operation[]) => {
  const outcome = await client.transact(untyped, operations);
  return outcome.status === 'refused' ? outcome.error : outcome;
};
const whole = (row: object = {}): Operation => ({ op: 'insert', table: 'Whole', row: { name: randomUUID(), ...row } });
const part = (name: string): Operation => ({ op: 'insert', table: 'Part', row: { name }, uuidName: name });
const update = (uuid: string, row: Readonly<Record<string, string>>): Operation => ({
  op: 'update',
  table: 'Whole',
  where: { _uuid: uuid },
  row,
});

describe('references', () => {
  test('a row of a table that is no root, inserted without a reference to it, is gone at once and was never told', async () => {
    const batches: unknown[] = [];
    const stop = replica.onChanges((batch) => batches.push(batch));
    const uuid = await only(part('unreferenced'));
    await replica.barrier();
    expect([uuid.length, replica.tables.Part.get(uuid), batches]).toEqual([36, undefined, []]);
    stop();
  });

  test('it goes with the last strong reference to it, in the same batch', async () => {
    const [partUuid = '', uuid = ''] = await committed(part('kept'), whole({ parts: [{ named: 'kept' }] }));
    expect(replica.tables.Part.get(partUuid)?.name).toBe('kept');
    const told: string[][] = [];
    const stop = replica.onChanges(({ changes }) => told.push(changes.map(({ table }) => table).sort()));
    await committed({ op: 'delete', table: 'Whole', where: { _uuid: uuid } });
    expect(told).toEqual([['Part', 'Whole']]);
    stop();
  });

  test('a row and the one that refers to it come together, whichever is first on the wire', async () => {
    const seen: unknown[] = [];
    const stop = replica.onChanges(({ changes }) => {
      for (const { table, after } of changes) {
        if (table === 'Whole' && after) seen.push(after.parts.map((uuid) => replica.tables.Part.get(uuid)?.name));
      }
    });
    for (const name of ['p1', 'p2', 'p3', 'p4']) await committed(part(name), whole({ parts: [{ named: name }] }));
    expect(seen).toEqual([['p1'], ['p2'], ['p3'], ['p4']]);
    stop();
  });

  test('a weak reference to nothing is dropped at commit; a strong one fails the commit as a whole', async () => {
    const uuid = await only(whole({ friends: [randomUUID()] }));
    expect(replica.tables.Whole.get(uuid)?.friends).toEqual([]);
    expect(await errorOf(whole({ parts: [randomUUID()] }))).toMatchObject({
      kind: 'referentialIntegrityViolation',
      operationIndex: undefined,
    });
  });

  test('a dangling weak reference, as the server may leave one, reads as the UUID of no row', async () => {
    const [friend = '', uuid = ''] = await committed(
      part('friend'),
      whole({ parts: [{ named: 'friend' }], friends: [{ named: 'friend' }] }),
    );
    expect(replica.tables.Whole.get(uuid)?.friends).toEqual([friend]);
    // The strong reference goes, and with it the row; 3.1.0 leaves the weak one in this very row.
    await committed({
      op: 'mutate',
      table: 'Whole',
      where: { _uuid: uuid },
      mutations: [['parts', 'delete', [friend]]],
    });
    expect(replica.tables.Part.get(friend)).toBeUndefined();
    const outcome = await client.transact(schema, [{ op: 'select', table: 'Whole', where: { _uuid: uuid } }]);
    if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
    expect(replica.tables.Whole.get(uuid)?.friends).toEqual(outcome.results[0].rows[0]?.friends);
    await committed(update(uuid, { name: 'goes on' }));
    expect(replica.tables.Whole.get(uuid)?.name).toBe('goes on');
  });

  test('under a condition rows may refer to orphans: rows that are there and not shown', async () => {
    await using some = await client.replicate(schema, {
      Whole: { columns: ['parts'] },
      Part: { columns: ['name'], where: [['name', '==', 'shown']] },
    });
    const [hidden = '', shown = '', uuid = ''] = await committed(
      part('hidden'),
      part('shown'),
      whole({ parts: [{ named: 'hidden' }, { named: 'shown' }] }),
    );
    expect(new Set(some.tables.Whole.get(uuid)?.parts)).toEqual(new Set([hidden, shown]));
    expect([hidden, shown].map((one) => some.tables.Part.get(one)?.name)).toEqual([undefined, 'shown']);
  });
});

describe('columns', () => {
  test('an ephemeral column changes like any other, and is forgotten by a restart', async () => {
    const uuid = await only(whole({ name: 'lasting' }));
    await committed(update(uuid, { state: 'here' }));
    expect(replica.tables.Whole.get(uuid)?.state).toBe('here');
    const synced = nextStatus(client, ({ kind }) => kind === 'synced');
    await server.kill();
    await server.start();
    expect(await synced).toMatchObject({ how: 'resync' });
    expect(replica.tables.Whole.get(uuid)).toMatchObject({ name: 'lasting', state: undefined });
  });

  test('an immutable column is refused in an update, even with the value it has', async () => {
    const uuid = await only(whole({ kind: 'k' }));
    expect(await errorOf(update(uuid, { kind: 'k' }))).toMatchObject({
      kind: 'constraintViolation',
      operationIndex: 0,
    });
  });

  test('an enum that is left out has a default it does not allow, and the insert is refused', async () => {
    expect(await errorOf({ op: 'insert', table: 'Single', row: {} })).toMatchObject({ kind: 'constraintViolation' });
  });

  test('a table that is full fails the commit as a whole', async () => {
    const red: Operation = { op: 'insert', table: 'Single', row: { color: 'red' } };
    await committed(red);
    expect(await errorOf(red)).toMatchObject({ kind: 'constraintViolation', operationIndex: undefined });
  });

  test('a change of a column that is not replicated is not told', async () => {
    await using names = await client.replicate(schema, { Whole: { columns: ['name'] } });
    const uuid = await only(whole());
    const batches: unknown[] = [];
    names.onChanges((batch) => batches.push(batch));
    await committed(update(uuid, { state: 'unseen' }));
    await names.barrier();
    expect(batches).toEqual([]);
  });

  test('a row that an update brings into the condition is told as new, one that it takes out as gone', async () => {
    await using named = await client.replicate(schema, {
      Whole: { columns: ['name'], where: [['name', '==', 'wanted']] },
    });
    const told: unknown[] = [];
    named.onChanges(({ changes, cause }) =>
      told.push([cause, ...changes.map(({ before, after }) => [before?.name, after?.name])]),
    );
    const uuid = await only(whole({ name: 'other' }));
    for (const name of ['wanted', 'unwanted']) await committed(update(uuid, { name }));
    expect(told).toEqual([
      ['update', [undefined, 'wanted']],
      ['update', ['wanted', undefined]],
    ]);
  });
});

test('a database that is taken away makes the server unsuitable, and does again when it is back', async () => {
  const lost = nextStatus(client, ({ kind }) => kind === 'unsuitable');
  await server.appctl('ovsdb-server/remove-db', 'Family');
  expect(await lost).toMatchObject({ reason: 'noSuchDatabase' });
  const synced = nextStatus(client, ({ kind }) => kind === 'synced');
  await server.appctl('ovsdb-server/add-db', server.source);
  await synced;
  await only(whole());
});
