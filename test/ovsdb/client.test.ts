import { describe, expect, test } from 'vitest';
import { connect } from '#ovsdb/client.ts';
import { FakeServer } from '#ovsdb/fake-server/fake-server.ts';
import type { ChangeBatch } from '#ovsdb/replica/change.ts';
import type { Status } from '#ovsdb/status.ts';
import { fakePair, isSynced, nextStatus } from './fake-client.ts';
import { testSchema, untypedSchema } from './test-schema.ts';

const insert = (name: string) => ({ op: 'insert', table: 'Thing', row: { name } }) as const;
const names = { Thing: { columns: ['name'] } } as const;
const sent = (server: FakeServer, method: string) => server.received.filter((one) => one.method === method);

describe('transactions and the connection', () => {
  test('cut off after it was sent its outcome is unknown, whether it took place or not', async () => {
    for (const when of ['before', 'after'] as const) {
      await using pair = await fakePair();
      const { server, client } = pair;
      server.cutOn('transact', when);
      expect(await client.transact(testSchema, [insert('a')])).toMatchObject({ status: 'outcomeUnknown' });
      expect(server.database.rows('Thing').size).toBe(when === 'after' ? 1 : 0);
      await client.connected();
      expect(sent(server, 'transact')).toHaveLength(1);
    }
  });

  test('an edit that was refused as the connection ended is built again, since nothing took place', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    server.transact(insert('a'));
    const replica = await client.replicate(testSchema, { Thing: { columns: ['name', 'number'] } });
    const [uuid = ''] = replica.tables.Thing.rows.keys();
    server.cutOn('echo', 'before');
    const { outcome, attempts } = await client.edit(testSchema, replica, async (edit) => {
      if (!replica.isCurrent) await nextStatus(client, isSynced);
      const row = edit.get('Thing', uuid);
      if (!row) throw new Error('no row');
      edit.verify('Thing', row, ['number']);
      edit.update('Thing', uuid, { number: row.number + 1 });
      if (row.number === 0) server.transact({ op: 'update', table: 'Thing', where: [], row: { number: 7 } });
    });
    expect([outcome.status, attempts, server.database.rows('Thing').get(uuid)?.number]).toEqual(['committed', 2, 8]);
  });

  test('without a connection it waits; aborted there it was never sent', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    server.isDown = true;
    const down = nextStatus(client, ({ kind }) => kind === 'disconnected');
    server.cut();
    await down;
    const abort = new AbortController();
    const aborted = client.transact(testSchema, [insert('aborted')], { signal: abort.signal });
    const waiting = client.transact(testSchema, [insert('waiting')]);
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    server.isDown = false;
    expect(await waiting).toMatchObject({ status: 'committed' });
    expect([...server.database.rows('Thing').values()].map(({ name }) => name)).toEqual(['waiting']);
  });

  test('after a reconnect none goes before the replica it may be based on is current', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const replica = await client.replicate(testSchema, names);
    // The first is for _Server, by which the server is chosen.
    const [releaseServer, release] = [1, 2].map(() => server.holdReply('monitor_cond_since'));
    const connected = nextStatus(client, ({ kind }) => kind === 'connected');
    server.cut();
    releaseServer?.();
    await connected;
    const isCurrentAtCommit = client.transact(testSchema, [insert('a')]).then(() => replica.isCurrent);
    await client.serverSchema('Test');
    expect(sent(server, 'transact')).toEqual([]);
    release?.();
    expect(await isCurrentAtCommit).toBe(true);
    expect(sent(server, 'transact')).toHaveLength(1);
  });

  test('more than maxInFlight are held back, so that the replies never pile up unread', async () => {
    await using pair = await fakePair({}, { maxInFlight: 3 });
    const { server, client } = pair;
    const release = server.holdReply('transact');
    const outcomes = Array.from({ length: 10 }, (_, n) => client.transact(testSchema, [insert(`n${n}`)]));
    expect(await outcomes[1]).toMatchObject({ status: 'committed' });
    release();
    expect((await Promise.all(outcomes)).every(({ status }) => status === 'committed')).toBe(true);
  });

  test('replies may come in another order than the requests', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const release = server.holdReply('transact');
    const order: string[] = [];
    const first = client.transact(testSchema, [insert('first')]).then(() => order.push('first'));
    await client.transact(testSchema, [insert('second')]).then(() => order.push('second'));
    release();
    await first;
    expect(order).toEqual(['second', 'first']);
  });
});

describe('choosing a server', () => {
  test('the session is made change-aware first, or a canceled transaction would never be answered', async () => {
    await using pair = await fakePair();
    expect(pair.server.received[0]).toEqual({ method: 'set_db_change_aware', params: [true] });
  });

  test('after leadership is lost the other remotes come first, without delay', async () => {
    const servers = [0, 1].map(() => new FakeServer({ schema: untypedSchema, model: 'clustered' }));
    const [one, two] = servers;
    if (!one || !two) throw new Error('two servers');
    two.describe({ leader: false });
    const statuses: Status[] = [];
    await using client = await connect({
      remotes: ['unix:/one', 'unix:/two'],
      databases: ['Test'],
      dial: (remote, events, signal) => (remote === 'unix:/one' ? one : two).dial(remote, events, signal),
      onStatus: (status) => statuses.push(status),
    });
    const connected = nextStatus(client, ({ kind }) => kind === 'connected');
    two.describe({ leader: true });
    one.describe({ leader: false });
    expect(await connected).toMatchObject({ remote: 'unix:/two' });
    expect(statuses).toContainEqual({ kind: 'unsuitable', remote: 'unix:/one', database: 'Test', reason: 'notLeader' });
    expect(statuses.filter(({ kind }) => kind === 'disconnected')).toMatchObject([{ retryMs: 0 }]);
  });

  test('a server too old to have _Server serves what it has', async () => {
    await using pair = await fakePair({
      lacks: ['get_schema', 'monitor_cond', 'monitor_cond_since', 'set_db_change_aware'],
    });
    expect(pair.client.isConnected).toBe(true);
  });

  test('how far a database has come is followed only where any member will do: it costs a notification per commit', async () => {
    for (const leaderOnly of [true, false]) {
      await using pair = await fakePair({}, { leaderOnly });
      const asked = JSON.stringify(sent(pair.server, 'monitor_cond_since')[0]?.params[2]);
      expect(asked.includes('"index"')).toBe(!leaderOnly);
    }
  });
});

describe('replicas', () => {
  test('a batch is the same however the bytes are cut', async () => {
    for (const chunkBytes of [1, 7, 4_096]) {
      await using pair = await fakePair();
      const { server, client } = pair;
      server.chunkBytes = chunkBytes;
      const replica = await client.replicate(testSchema, names);
      server.transact(insert('ü€😀'), insert('b'));
      await replica.barrier();
      expect([...replica.tables.Thing.rows.values()].map(({ name }) => name).sort()).toEqual(['b', 'ü€😀']);
    }
  });

  test('what piled up behind a slow connection comes as one batch, of whole transactions', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const replica = await client.replicate(testSchema, names);
    const batches: ChangeBatch[] = [];
    replica.onChanges((batch) => batches.push(batch));
    server.isBacklogged = true;
    server.transact(insert('a'));
    server.transact({ op: 'update', table: 'Thing', where: [['name', '==', 'a']], row: { name: 'b' } });
    server.flush();
    await replica.barrier();
    expect(batches.map(({ changes }) => changes.map(({ after }) => after?.name))).toEqual([['b']]);
  });

  test('two replicas of one database live side by side, each with its own rows', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    server.transact(insert('a'), insert('b'));
    const [all, some] = await Promise.all([
      client.replicate(testSchema, names),
      client.replicate(testSchema, { Thing: { columns: ['name'], where: [['name', '==', 'a']] } }),
    ]);
    server.transact(insert('c'));
    await all.barrier();
    expect([all.tables.Thing.rows.size, some.tables.Thing.rows.size]).toEqual([3, 1]);
  });

  test('the present content may come first, as a batch of its own', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    server.transact(insert('a'));
    const replica = await client.replicate(testSchema, names);
    const causes: string[] = [];
    replica.onChanges(({ cause, changes }) => causes.push(`${cause} ${changes.length}`), { initial: true });
    server.transact(insert('b'));
    await replica.barrier();
    expect(causes).toEqual(['initial 1', 'update 1']);
  });

  test('indexes answer by column, by several, by map entry and by element', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const row = { name: 'a', number: 7, options: ['map', [['owner', 'me']]], tags: ['set', ['x', 'y']] };
    server.transact({ op: 'insert', table: 'Thing', row }, insert('b'));
    const replica = await client.replicate(
      testSchema,
      { Thing: { columns: ['name', 'number', 'options', 'tags', 'maybe'] } },
      {
        indexes: {
          Thing: {
            name: 'name',
            both: ['name', 'number'],
            owner: [{ column: 'options', key: 'owner' }],
            tag: [{ each: 'tags' }],
            maybe: 'maybe',
          },
        },
      },
    );
    const { Thing } = replica.tables;
    const found = [
      Thing.by('name', 'a'),
      Thing.by('both', 'a', 7),
      Thing.by('owner', 'me'),
      Thing.by('tag', 'x'),
      Thing.by('tag', 'y'),
    ];
    expect(found.map((rows) => rows.map(({ name }) => name))).toEqual([['a'], ['a'], ['a'], ['a'], ['a']]);
    expect([Thing.by('both', 'a', 8), Thing.by('tag', 'z'), Thing.by('maybe', undefined)]).toEqual([[], [], []]);
    server.transact({
      op: 'update',
      table: 'Thing',
      where: [['name', '==', 'a']],
      row: { tags: ['set', ['y']], name: 'c' },
    });
    await replica.barrier();
    expect([Thing.by('tag', 'x'), Thing.by('name', 'a')].flat()).toEqual([]);
    expect(Thing.by('name', 'c')).toEqual(Thing.by('tag', 'y'));
  });

  test('an index finds no row that is gone, and a row under its new value alone', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    server.transact(insert('gone'), insert('old'));
    const replica = await client.replicate(testSchema, names, { indexes: { Thing: { name: 'name' } } });
    server.transact(
      { op: 'delete', table: 'Thing', where: [['name', '==', 'gone']] },
      { op: 'update', table: 'Thing', where: [['name', '==', 'old']], row: { name: 'new' } },
    );
    await replica.barrier();
    const found = ['gone', 'old', 'new'].map((name) => replica.tables.Thing.by('name', name).length);
    expect(found).toEqual([0, 0, 1]);
  });

  test('a barrier waits for everything committed before it, and for nothing once it is aborted', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const replica = await client.replicate(testSchema, names);
    server.isBacklogged = true;
    server.transact(insert('a'));
    const passed = replica.barrier().then(() => replica.tables.Thing.rows.size);
    const abort = new AbortController();
    const aborted = replica.barrier({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    expect(replica.tables.Thing.rows.size).toBe(0);
    server.flush();
    expect(await passed).toBe(1);
  });

  test('a condition that cannot be sent is refused by the call', async () => {
    await using pair = await fakePair();
    const replica = await pair.client.replicate(testSchema, names);
    await expect(replica.setCondition('Thing', [['name', '==', 'a\0']])).rejects.toThrow('NUL');
    await expect(replica.setCondition('Thing', [])).rejects.toThrow('ambiguous');
  });
});

describe('locks', () => {
  test('a lock is asked for again after a reconnect, before any transaction', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const lock = client.lock('leader');
    await lock.acquired;
    const { lost } = lock;
    const synced = nextStatus(client, ({ kind }) => kind === 'locked');
    server.cut();
    const outcome = client.transact(testSchema, [{ op: 'assert', lock: 'leader' }, insert('a')]);
    await synced;
    expect(lost.aborted).toBe(true);
    expect((await outcome).status).not.toBe('refused');
    expect(sent(server, 'lock')).toHaveLength(2);
  });

  test('a lock is stolen once: after a reconnect it is queued for', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const lock = client.lock('leader', { steal: true });
    await lock.acquired;
    const locked = nextStatus(client, ({ kind }) => kind === 'locked');
    server.cut();
    await locked;
    expect([sent(server, 'steal').length, sent(server, 'lock').length]).toEqual([1, 1]);
  });

  test('aborting gives a lock back, or up', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    const abort = new AbortController();
    const lock = client.lock('leader', { signal: abort.signal });
    await lock.acquired;
    const { lost } = lock;
    abort.abort(new Error('enough'));
    expect([lock.isHeld, lost.aborted]).toEqual([false, true]);
    await expect(lock.acquired).rejects.toThrow('enough');
    await client.lock('leader').acquired;
    expect(server.received.map(({ method }) => method)).toContain('unlock');
  });
});

describe('ending', () => {
  test('an aborted signal ends every wait, and what was asked stays as it was', async () => {
    await using pair = await fakePair();
    const { server, client } = pair;
    server.transact(insert('a'));
    const replica = await client.replicate(testSchema, { Thing: { columns: ['name'], where: false } });
    server.isBacklogged = true;
    const abort = new AbortController();
    const { signal } = abort;
    const waits = [
      client.replicate(testSchema, names, { signal }),
      client.serverSchema('Other', { signal }),
      replica.setCondition('Thing', true, { signal }),
      replica.barrier({ signal }),
      replica.audit({ signal }),
      replica.changes({ signal }).next(),
    ];
    abort.abort(new Error('enough'));
    const ends = await Promise.allSettled(waits);
    expect(ends.map((end) => end.status === 'rejected' && end.reason.message)).toEqual(waits.map(() => 'enough'));
    server.flush();
    await replica.setCondition('Thing', true);
    expect(replica.tables.Thing.rows.size).toBe(1);
  });

  test('await using leaves nothing behind: no monitor, no lock, no connection', async () => {
    const server = new FakeServer({ schema: untypedSchema });
    {
      await using client = await connect({ remotes: ['unix:/fake'], dial: server.dial });
      await using _replica = await client.replicate(testSchema, names);
      await using lock = client.lock('leader');
      await lock.acquired;
    }
    expect(server.received.map(({ method }) => method)).toEqual(expect.arrayContaining(['monitor_cancel', 'unlock']));
    expect(server.connections).toBe(0);
  });
});

test('every session ends the claims of the one before: statuses come in pairs', async () => {
  await using pair = await fakePair();
  const { server, client, statuses } = pair;
  await client.replicate(testSchema, names);
  for (let n = 0; n < 3; n++) {
    const synced = nextStatus(client, isSynced);
    server.cut();
    await synced;
  }
  const kinds = statuses.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'connected')).toHaveLength(4);
  expect(kinds.filter((kind) => kind === 'disconnected')).toHaveLength(3);
  expect(server.connections).toBe(1);
});
