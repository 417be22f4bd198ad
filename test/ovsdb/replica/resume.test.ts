import { expect, test } from 'vitest';
import { connect } from '#ovsdb/client.ts';
import { FakeServer } from '#ovsdb/fake-server/fake-server.ts';
import type { ChangeBatch } from '#ovsdb/replica/change.ts';
import { fakePair, isSynced, nextStatus } from '../fake-client.ts';
import { allColumns, testSchema, untypedSchema } from '../test-schema.ts';

const everything = { Thing: { columns: allColumns } } as const;
const insert = (name: string, more: object = {}) => ({ op: 'insert', table: 'Thing', row: { name, ...more } });
const update = (name: string, row: object) => ({ op: 'update', table: 'Thing', where: [['name', '==', name]], row });
const remove = (name: string) => ({ op: 'delete', table: 'Thing', where: [['name', '==', name]] });

/** What a batch says, by names. */
const told = ({ changes, cause }: ChangeBatch) => ({
  cause,
  changes: changes.map(({ before, after }) => [before && nameOf(before), after && nameOf(after)]).sort(),
});
const nameOf = (row: object) => ('name' in row ? row.name : undefined);

/** Rows in the order of their names: a replica has none of its own. */
const byName = <R extends { readonly name: string }>(rows: ReadonlyMap<string, R>): R[] =>
  [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

const lastIdAsked = (received: readonly { method: string; params: readonly unknown[] }[]) =>
  received.findLast(({ method }) => method === 'monitor_cond_since')?.params[3];

test('a replica resumes from the last transaction it applied and gets the missed ones as one difference', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client } = pair;
  server.transact(insert('a', { tags: ['set', ['x', 'y']] }));
  const replica = await client.replicate(testSchema, everything, { indexes: { Thing: { name: 'name' } } });
  const batches: object[] = [];
  replica.onChanges((batch) => batches.push(told(batch)));

  server.isDown = true;
  server.cut();
  server.transact(update('a', { tags: ['set', ['y', 'z']] }));
  server.transact(insert('b'));
  server.transact(update('a', { tags: ['set', ['z']] }));
  const synced = nextStatus(client, isSynced);
  server.isDown = false;

  expect(await synced).toMatchObject({ how: 'resume' });
  expect(replica.tables.Thing.by('name', 'a')[0]?.tags).toEqual(['z']);
  expect(batches).toEqual([
    {
      cause: 'update',
      changes: [
        ['a', 'a'],
        [undefined, 'b'],
      ].sort(),
    },
  ]);
});

test('the id that comes with found:false is kept, so a second disconnect right after it applies no difference twice', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client } = pair;
  server.transact(insert('a', { tags: ['set', ['x']] }));
  const replica = await client.replicate(testSchema, everything);
  const known = server.lastId;
  server.forget();
  server.transact(update('a', { tags: ['set', ['x', 'y']] }));
  await replica.barrier();
  server.forget();
  server.transact(insert('b'));
  await replica.barrier();
  const current = server.lastId;
  expect(current).not.toBe(known);

  // Disconnects at once after each reply; both times the client resumes from the id of that reply.
  for (const how of ['resume', 'resume']) {
    const synced = nextStatus(client, isSynced);
    server.cut();
    expect(await synced).toMatchObject({ how });
    expect(lastIdAsked(server.received)).toBe(current);
  }
  const [row] = byName(replica.tables.Thing.rows);
  expect(row?.tags).toEqual(['x', 'y']);
});

test('a second disconnect right after a resume reply that found nothing still resumes from that reply', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client } = pair;
  server.transact(insert('a', { tags: 'x' }));
  const replica = await client.replicate(testSchema, everything);

  server.isDown = true;
  server.cut();
  server.transact(update('a', { tags: ['set', ['x', 'y']] }));
  server.forget();
  server.transact(update('a', { number: 7 }));
  server.isDown = false;
  expect(await nextStatus(client, isSynced)).toMatchObject({ how: 'resync' });
  const synced = nextStatus(client, isSynced);
  server.cut();
  expect(await synced).toMatchObject({ how: 'resume' });
  expect(lastIdAsked(server.received)).toBe(server.lastId);
  expect(byName(replica.tables.Thing.rows)).toMatchObject([{ tags: ['x', 'y'], number: 7 }]);
});

test('after a resync consumers hear only of what really differs, never of a mass delete', async () => {
  await using pair = await fakePair();
  const { server, client } = pair;
  server.transact(insert('same', { options: ['map', [['k', 'v']]] }), insert('changed'), insert('gone'));
  const replica = await client.replicate(testSchema, everything, { indexes: { Thing: { name: 'name' } } });
  const same = replica.tables.Thing.by('name', 'same')[0];
  const batches: object[] = [];
  replica.onChanges((batch) => batches.push(told(batch)));

  server.isDown = true;
  server.cut();
  server.transact(update('changed', { number: 1 }), remove('gone'), insert('new'));
  const synced = nextStatus(client, isSynced);
  server.isDown = false;

  expect(await synced).toMatchObject({ how: 'resync' });
  expect(batches).toEqual([
    {
      cause: 'resync',
      changes: [
        ['changed', 'changed'],
        ['gone', undefined],
        [undefined, 'new'],
      ].sort(),
    },
  ]);
  expect(replica.tables.Thing.by('name', 'same')[0]).toBe(same);
});

test('a condition change that the disconnect cut off is followed by a full dump, never by a resume', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client } = pair;
  server.transact(insert('a'), insert('b'));
  const replica = await client.replicate(testSchema, { Thing: { columns: ['name'], where: [['name', '==', 'a']] } });
  server.cutOn('monitor_cond_change', 'after');
  const synced = nextStatus(client, isSynced);
  const changed = replica.setCondition('Thing', [['name', '==', 'b']]);
  expect(await synced).toMatchObject({ how: 'resync' });
  await changed;
  expect(byName(replica.tables.Thing.rows).map(({ name }) => name)).toEqual(['b']);
  expect(lastIdAsked(server.received)).toMatch(/^0+-/);
});

test('a server that lacks a column is asked for everything: a difference of other columns would be of no use', async () => {
  const { Thing } = untypedSchema.tables;
  if (!Thing) throw new Error('the test schema has a table Thing');
  const { maybe: _lacking, ...columns } = Thing.columns;
  const older = { ...untypedSchema, tables: { Thing: { ...Thing, columns } } };
  const servers = [untypedSchema, older].map((schema) => new FakeServer({ schema, model: 'clustered' }));
  let turn = 0;
  await using client = await connect({
    remotes: ['unix:/fake'],
    dial: (...dialled) => {
      const server = servers[Math.min(turn++, 1)];
      if (!server) throw new Error('two servers');
      return server.dial(...dialled);
    },
    backoff: { firstMs: 1, longestMs: 1 },
  });
  servers[0]?.transact(insert('a', { maybe: 'x' }));
  servers[1]?.transact(insert('a'));
  const replica = await client.replicate(testSchema, everything);
  const synced = nextStatus(client, isSynced);
  servers[0]?.cut();
  expect(await synced).toMatchObject({ how: 'resync' });
  expect(lastIdAsked(servers[1]?.received ?? [])).toMatch(/^0+-/);
  expect(byName(replica.tables.Thing.rows)).toMatchObject([{ name: 'a', maybe: undefined }]);
});

test('the rows of a condition change come as one batch with that cause, before the call resolves', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client } = pair;
  server.transact(insert('a'), insert('b'));
  const replica = await client.replicate(testSchema, { Thing: { columns: ['name'], where: false } });
  const batches: object[] = [];
  replica.onChanges((batch) => batches.push(told(batch)));
  await replica.setCondition('Thing', [
    ['name', '==', 'a'],
    ['name', '==', 'b'],
  ]);
  await replica.setCondition('Thing', [['name', '==', 'b']]);
  expect(batches).toEqual([
    {
      cause: 'condition',
      changes: [
        [undefined, 'a'],
        [undefined, 'b'],
      ],
    },
    { cause: 'condition', changes: [['a', undefined]] },
  ]);
});

test('one condition change is in flight at a time and the last one asked for wins', async () => {
  await using pair = await fakePair();
  const { server, client } = pair;
  server.transact(insert('a'), insert('b'), insert('c'));
  const replica = await client.replicate(testSchema, { Thing: { columns: ['name'], where: false } });
  const release = server.holdReply('monitor_cond_change');
  const settled = ['a', 'b', 'c'].map((name) => replica.setCondition('Thing', [['name', '==', name]]));
  await replica.barrier();
  expect(server.received.filter(({ method }) => method === 'monitor_cond_change')).toHaveLength(1);
  release();
  await Promise.all(settled);
  expect(server.received.filter(({ method }) => method === 'monitor_cond_change')).toHaveLength(2);
  expect(byName(replica.tables.Thing.rows).map(({ name }) => name)).toEqual(['c']);
});

test('an insert of a row the replica has makes it distrust itself, reconnect and compare everything', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client, statuses } = pair;
  server.transact(insert('a'));
  const replica = await client.replicate(testSchema, everything);
  const [uuid] = replica.tables.Thing.rows.keys();
  const monitor = server.received.findLast(({ method }) => method === 'monitor_cond_since')?.params[1];
  const synced = nextStatus(client, isSynced);
  server.sendToAll('update3', [monitor, server.lastId, { Thing: { [String(uuid)]: { insert: { name: 'a' } } } }]);
  expect(await synced).toMatchObject({ how: 'resync' });
  expect(lastIdAsked(server.received)).toMatch(/^0+-/);
  expect(statuses.findLast(({ kind }) => kind === 'disconnected')).toMatchObject({ retryMs: 0 });
  expect(byName(replica.tables.Thing.rows)).toMatchObject([{ name: 'a' }]);
});

test('an audit finds a row that differs from the server, says which, and has the replica start over', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client, statuses } = pair;
  server.transact(insert('right'), insert('wrong'));
  const replica = await client.replicate(testSchema, everything, { indexes: { Thing: { name: 'name' } } });
  expect(await replica.audit()).toEqual([]);
  const uuid = String(replica.tables.Thing.by('name', 'wrong')[0]?._uuid);
  const monitor = server.received.findLast(({ method }) => method === 'monitor_cond_since')?.params[1];
  // A change that never took place: what a lost or doubled update would leave.
  server.sendToAll('update3', [monitor, server.lastId, { Thing: { [uuid]: { modify: { number: 7 } } } }]);
  await replica.barrier();
  const batches: object[] = [];
  replica.onChanges((batch) => batches.push(told(batch)));
  const synced = nextStatus(client, isSynced);
  expect(await replica.audit()).toEqual([{ table: 'Thing', uuid }]);
  expect(await synced).toMatchObject({ how: 'resync' });
  expect(statuses).toContainEqual({ kind: 'auditFailed', database: 'Test', rows: [{ table: 'Thing', uuid }] });
  expect(batches).toEqual([{ cause: 'resync', changes: [['wrong', 'wrong']] }]);
  expect(replica.tables.Thing.get(uuid)?.number).toBe(0);
});

test('an edit refused for a value that its replica still shows is evidence of a stale replica, which is audited', async () => {
  await using pair = await fakePair({ model: 'clustered' });
  const { server, client } = pair;
  server.transact(insert('a'));
  const replica = await client.replicate(testSchema, everything);
  const [uuid = ''] = replica.tables.Thing.rows.keys();
  const monitor = server.received.findLast(({ method }) => method === 'monitor_cond_since')?.params[1];
  server.sendToAll('update3', [monitor, server.lastId, { Thing: { [uuid]: { modify: { number: 7 } } } }]);
  await replica.barrier();
  const { outcome, attempts, value } = await client.edit(testSchema, replica, async (edit) => {
    await client.connected();
    if (!replica.isCurrent) await nextStatus(client, isSynced);
    const row = edit.get('Thing', uuid);
    if (!row) throw new Error('no row');
    edit.verify('Thing', row, ['number']);
    edit.update('Thing', uuid, { number: row.number + 1 });
    return row.number;
  });
  expect([outcome.status, attempts, value]).toEqual(['committed', 2, 0]);
});

test('a replica is handed out with its first content, so nobody can read it too early', async () => {
  await using pair = await fakePair();
  const { server, client } = pair;
  server.transact(insert('a'));
  const release = server.holdReply('monitor_cond_since');
  let isHandedOut = false;
  const replicated = client
    .replicate(testSchema, everything, { indexes: { Thing: { name: 'name' } } })
    .then((replica) => {
      isHandedOut = true;
      return replica.tables.Thing.by('name', 'a').length;
    });
  await client.serverSchema('Test');
  expect(isHandedOut).toBe(false);
  release();
  expect(await replicated).toBe(1);
});

test('the connect timeout does not cover the dump, or a large database would be reconnected to for ever', async () => {
  await using pair = await fakePair({}, { connectTimeoutMs: 1 });
  const { server, client, statuses } = pair;
  server.transact(insert('a'));
  const release = server.holdReply('monitor_cond_since');
  const replicated = client.replicate(testSchema, everything);
  const later = AbortSignal.timeout(30);
  await new Promise((resolve) => later.addEventListener('abort', resolve));
  release();
  expect((await replicated).tables.Thing.rows.size).toBe(1);
  expect(statuses.filter(({ kind }) => kind === 'disconnected')).toEqual([]);
});

test('a request names its columns, or every update would carry _version', async () => {
  await using pair = await fakePair();
  await pair.client.replicate(testSchema, { Thing: { columns: ['name'] } });
  const { params } = pair.server.received.findLast(({ method }) => method === 'monitor_cond_since') ?? {};
  expect(params?.[2]).toEqual({ Thing: { columns: ['name'], where: [true] } });
});

test('a notification of a monitor of an earlier session changes nothing', async () => {
  await using pair = await fakePair();
  const { server, client } = pair;
  const replica = await client.replicate(testSchema, everything);
  const old = server.received.findLast(({ method }) => method === 'monitor_cond_since')?.params[1];
  const synced = nextStatus(client, isSynced);
  server.cut();
  await synced;
  server.sendToAll('update3', [old, server.lastId, { Thing: { [crypto.randomUUID()]: { insert: { name: 'old' } } } }]);
  await replica.barrier();
  expect(replica.tables.Thing.rows.size).toBe(0);
});

test('a monitor that the server cancels starts over with the schema as it is now', async () => {
  await using pair = await fakePair();
  const { server, client } = pair;
  server.transact(insert('a'));
  const replica = await client.replicate(testSchema, everything);
  const synced = nextStatus(client, isSynced);
  server.cancelMonitors();
  expect(await synced).toMatchObject({ how: 'resync' });
  expect(server.received.filter(({ method, params }) => method === 'get_schema' && params[0] === 'Test')).toHaveLength(
    2,
  );
  server.transact(insert('b'));
  await replica.barrier();
  expect(replica.tables.Thing.rows.size).toBe(2);
});

test.for([
  { lacks: [], method: 'monitor_cond_since' },
  { lacks: ['monitor_cond_since'], method: 'monitor_cond' },
  { lacks: ['monitor_cond_since', 'monitor_cond'], method: 'monitor' },
])('against a server without $lacks the replica uses $method', async ({ lacks, method }) => {
  await using pair = await fakePair({ lacks });
  const { server, client, statuses } = pair;
  server.transact(insert('a', { tags: ['set', ['x', 'y']], options: ['map', [['k', 'v']]] }));
  const replica = await client.replicate(testSchema, everything);
  expect(statuses.at(-1)).toMatchObject({ kind: 'synced', method });
  server.transact(update('a', { tags: ['set', ['y']], options: ['map', [['k', 'w']]], maybe: 'yes' }));
  server.transact(update('a', { maybe: ['set', []] }), insert('b'));
  await replica.barrier();
  const rows = byName(replica.tables.Thing.rows).map(({ name, tags, options, maybe, number }) => ({
    name,
    tags,
    options: new Map(options),
    maybe,
    number,
  }));
  expect(rows).toEqual([
    { name: 'a', tags: ['y'], options: new Map([['k', 'w']]), maybe: undefined, number: 0 },
    { name: 'b', tags: [], options: new Map(), maybe: undefined, number: 0 },
  ]);
});
