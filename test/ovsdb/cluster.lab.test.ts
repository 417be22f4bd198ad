import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '#ovsdb/client.ts';
import type { Status } from '#ovsdb/status.ts';
import { Cluster, isAsReported, quick } from './cluster.ts';
import { nextStatus } from './fake-client.ts';
import { Gate } from './gate.ts';
import { ServerRoom } from './real-server.ts';
import { testSchema } from './test-schema.ts';

let room: ServerRoom;
let cluster: Cluster;

beforeAll(async () => {
  room = await ServerRoom.open();
  cluster = await Cluster.start(room);
});

afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
});

describe('a cluster of three', () => {
  test('only the leader is used, and following it through an election the client loses no outcome', async () => {
    const statuses: Status[] = [];
    await using writer = await cluster.connect({ onStatus: (status) => statuses.push(status) });
    const killed = await cluster.leader();
    const report = await cluster.writesThrough(writer, 40, async (n) => {
      if (n === 15) await killed.kill();
    });
    expect(isAsReported(report)).toBe(true);
    expect(report.outcomes.filter((outcome) => outcome === 'committed').length).toBeGreaterThanOrEqual(39);
    expect(statuses.filter(({ kind }) => kind === 'connected').length).toBeGreaterThanOrEqual(2);
    await killed.start();
  });

  test('a leader that hears nothing more from its cluster is left for the new one, and every transaction is once or unknown', async () => {
    const cutOff = await cluster.leader();
    const events: Status[] = [];
    await using writer = await cluster.connect({ onStatus: (status) => events.push(status) });
    const report = await cluster.writesThrough(writer, 30, async (n) => {
      if (n !== 10) return;
      await cutOff.appctl('cluster/failure-test', 'stop-raft-rpc');
    });
    expect(isAsReported(report)).toBe(true);
    expect(report.outcomes.at(-1)).toBe('committed');
    await cutOff.kill();
    await cutOff.start();
  });

  test('a replica resumes on another member after its server is gone, hearing only what it missed', async () => {
    await using writer = await cluster.connect();
    for (let n = 0; n < 60; n++) {
      await writer.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name: `filler ${n}` } }]);
    }
    const killed = await cluster.leader();
    const hows: Status[] = [];
    await using client = await cluster.connect({
      leaderOnly: false,
      remotes: [killed.remote, ...cluster.members.map((one) => one.remote)],
      onStatus: (status) => hows.push(status),
    });
    await using replica = await client.replicate(testSchema, { Thing: { columns: ['name', 'number'] } });
    const told: string[] = [];
    const stream = replica.changes();
    replica.onChanges(({ changes }) => told.push(...changes.map(({ after }) => after?.name ?? 'deleted')));
    const synced = nextStatus(client, (status) => status.kind === 'synced');
    await killed.kill();
    const missed = await writer.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name: 'missed' } }]);
    expect(await synced).toMatchObject({ how: 'resume', method: 'monitor_cond_since' });
    expect(missed.status).not.toBe('refused');
    for await (const { changes } of stream) if (changes.some(({ after }) => after?.name === 'missed')) break;
    expect(new Set(told)).toEqual(new Set(['missed']));
    await killed.start();
  });

  test('who missed a hundred transactions hears all of them, who missed more what differs, for the server forgets', async () => {
    await using writer = await cluster.connect();
    const insert = (name: string) => writer.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name } }]);
    // History is also bounded by the size of the database: it is to be the number here.
    await writer.transact(
      testSchema,
      Array.from({ length: 500 }, (_, n) => ({ op: 'insert', table: 'Thing', row: { name: `size ${n}` } }) as const),
    );
    for (const [missed, how] of [
      [90, 'resume'],
      [110, 'resync'],
    ] as const) {
      const gate = new Gate();
      await using client = await cluster.connect({ dial: gate.dial });
      await using replica = await client.replicate(testSchema, { Thing: { columns: ['name'] } });
      const told: unknown[] = [];
      replica.onChanges(({ changes }) => told.push(...changes.map(({ before, after }) => [before, after?.name])));
      const names = Array.from({ length: missed }, (_, n) => `${how} ${n}`);
      gate.close();
      await Promise.all(names.map(insert));
      const synced = nextStatus(client, ({ kind }) => kind === 'synced');
      gate.open();
      expect(await synced).toMatchObject({ how });
      expect(new Set(told)).toEqual(new Set(names.map((name) => [undefined, name])));
    }
  });

  test('every member has a _version of its own for a row, so versions cannot tell what a client has missed', async () => {
    await using writer = await cluster.connect();
    const outcome = await writer.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name: randomUUID() } }]);
    if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
    const [{ uuid }] = outcome.results;
    const versions = new Set<unknown>();
    for (const { remote } of cluster.members) {
      await using reader = await cluster.connect({ remotes: [remote], leaderOnly: false });
      await using replica = await reader.replicate(testSchema, { Thing: { columns: ['name'] } });
      for await (const { changes } of replica.changes({ initial: true }))
        if (changes.some((one) => one.uuid === uuid)) break;
      const found = await reader.transact(testSchema, [{ op: 'select', table: 'Thing', where: { _uuid: uuid } }]);
      const [row] = found.status === 'committed' ? found.results[0].rows : [];
      versions.add(row && '_version' in row ? row._version : undefined);
    }
    expect(versions.size).toBe(3);
  });

  test('a relay serves readers who do not insist on a leader, passes writes on, and what it told can be resumed at a member', async () => {
    const source = cluster.members.map(({ remote }) => remote).join(',');
    const relay = await room.start(`relay:Test:${source}`);
    const leader = await cluster.leader();
    // Before it has found a member it is passed over, and the client would stay with the leader.
    const first = await connect({ remotes: [relay.remote], databases: ['Test'], leaderOnly: false, ...quick });
    await first.close();
    await using client = await connect({
      remotes: [relay.remote, leader.remote],
      databases: ['Test'],
      leaderOnly: false,
      ...quick,
    });
    await using replica = await client.replicate(testSchema, { Thing: { columns: ['name'] } });
    const name = randomUUID();
    const outcome = await client.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name } }]);
    if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
    expect(replica.tables.Thing.get(outcome.results[0].uuid)?.name).toBe(name);

    // The transactions a relay names are the cluster's: a member knows them.
    const synced = nextStatus(client, ({ kind }) => kind === 'synced');
    await relay.kill();
    expect(await synced).toMatchObject({ how: 'resume' });
  });

  test('a relay is never the leader', async () => {
    const relay = await room.start(`relay:Test:${cluster.members.map(({ remote }) => remote).join(',')}`);
    const reasons: string[] = [];
    const abort = new AbortController();
    const never = connect({
      remotes: [relay.remote],
      databases: ['Test'],
      ...quick,
      signal: abort.signal,
      onStatus: (status) => {
        if (status.kind !== 'unsuitable') return;
        reasons.push(status.reason);
        if (status.reason === 'notLeader') abort.abort(new Error('seen'));
      },
    });
    await expect(never).rejects.toThrow('seen');
    expect(reasons.at(-1)).toBe('notLeader');
  });
});
