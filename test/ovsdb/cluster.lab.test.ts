import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConnectOptions, connect, type OvsdbClient } from '#ovsdb/client.ts';
import type { Status } from '#ovsdb/status.ts';
import { nextStatus } from './fake-client.ts';
import { type RealServer, ServerRoom } from './real-server.ts';
import { testSchema, untypedSchema } from './test-schema.ts';

let room: ServerRoom;
let members: RealServer[];
let schemaPath: string;
const quick = { backoff: { firstMs: 50, longestMs: 200 }, connectTimeoutMs: 2_000 } as const;

beforeAll(async () => {
  room = await ServerRoom.open();
  // No unique index: a transaction that took place twice must show.
  const Thing = untypedSchema.tables.Thing;
  if (!Thing) throw new Error('the test schema has a table Thing');
  schemaPath = await room.writeSchema({ ...untypedSchema, tables: { Thing: { ...Thing, indexes: [] } } });
  members = await room.cluster(schemaPath, 3);
});

afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
});

const clusterClient = (options: Partial<ConnectOptions> = {}) =>
  connect({ remotes: members.map(({ remote }) => remote), databases: ['Test'], ...quick, ...options });

const memberOf = (remote: string) => {
  const member = members.find((one) => one.remote === remote);
  if (!member) throw new Error(`no member at ${remote}`);
  return member;
};

/** The member a client is connected to. */
async function leader(): Promise<RealServer> {
  let remote = '';
  await using client = await clusterClient({
    onStatus: (status) => {
      if (status.kind === 'connected') remote = status.remote;
    },
  });
  return client.isConnected ? memberOf(remote) : memberOf('');
}

/** Writes `count` rows one by one while `disturb` happens, and holds every outcome against what is there in the end. */
async function writesThrough(writer: OvsdbClient, count: number, disturb: (n: number) => Promise<void>) {
  const run = randomUUID();
  const outcomes: string[] = [];
  for (let n = 0; n < count; n++) {
    const written = writer.transact(testSchema, [
      { op: 'insert', table: 'Thing', row: { name: `${run} ${n}`, number: n } },
    ]);
    await disturb(n);
    outcomes.push((await written).status);
  }
  await using reader = await clusterClient();
  await using replica = await reader.replicate(testSchema, { Thing: { columns: ['name'] } });
  const names = [...replica.tables.Thing.rows.values()].map(({ name }) => name);
  const times = outcomes.map((_, n) => names.filter((name) => name === `${run} ${n}`).length);
  return { outcomes, times };
}

const isAsReported = ({ outcomes, times }: { outcomes: readonly string[]; times: readonly number[] }) =>
  outcomes.every((outcome, n) => (outcome === 'committed' ? times[n] === 1 : (times[n] ?? 0) <= 1));

describe('a cluster of three', () => {
  test('only the leader is used, and following it through an election the client loses no outcome', async () => {
    const statuses: Status[] = [];
    await using writer = await clusterClient({ onStatus: (status) => statuses.push(status) });
    const killed = await leader();
    const report = await writesThrough(writer, 40, async (n) => {
      if (n === 15) await killed.kill();
    });
    expect(isAsReported(report)).toBe(true);
    expect(report.outcomes.filter((outcome) => outcome === 'committed').length).toBeGreaterThanOrEqual(39);
    expect(statuses.filter(({ kind }) => kind === 'connected').length).toBeGreaterThanOrEqual(2);
    await killed.start();
  });

  test('a leader cut off from its cluster is left for the new one, and every transaction is once or unknown', async () => {
    const cutOff = await leader();
    const events: Status[] = [];
    await using writer = await clusterClient({ onStatus: (status) => events.push(status) });
    const report = await writesThrough(writer, 30, async (n) => {
      if (n !== 10) return;
      await cutOff.appctl('cluster/failure-test', 'stop-raft-rpc');
    });
    expect(isAsReported(report)).toBe(true);
    expect(report.outcomes.at(-1)).toBe('committed');
    await cutOff.kill();
    await cutOff.start();
  });

  test('a replica resumes on another member after its server is gone, hearing only what it missed', async () => {
    await using writer = await clusterClient();
    for (let n = 0; n < 60; n++) {
      await writer.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name: `filler ${n}` } }]);
    }
    const killed = await leader();
    const hows: Status[] = [];
    await using client = await clusterClient({
      leaderOnly: false,
      remotes: [killed.remote, ...members.map((one) => one.remote)],
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

  test('a relay serves readers who do not insist on a leader, and passes writes on', async () => {
    const source = members.map(({ remote }) => remote).join(',');
    const relay = await room.start(`relay:Test:${source}`);
    await using client = await connect({ remotes: [relay.remote], databases: ['Test'], leaderOnly: false, ...quick });
    await using replica = await client.replicate(testSchema, { Thing: { columns: ['name'] } });
    const name = randomUUID();
    const outcome = await client.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name } }]);
    if (outcome.status !== 'committed') throw new Error(JSON.stringify(outcome));
    expect(replica.tables.Thing.get(outcome.results[0].uuid)?.name).toBe(name);
  });

  test('a relay is never the leader', async () => {
    const relay = await room.start(`relay:Test:${members.map(({ remote }) => remote).join(',')}`);
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
