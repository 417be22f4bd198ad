import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Status } from '#ovsdb/status.ts';
import { Cluster, isAsReported } from './cluster.ts';
import { nextStatus } from './fake-client.ts';
import { PartitionNetwork } from './partition-network.ts';
import { ServerRoom } from './real-server.ts';
import { testSchema } from './test-schema.ts';

// The network between the members is cut, not the members: they live on and serve whom they can.

let network: PartitionNetwork;
let room: ServerRoom;
let cluster: Cluster;

beforeAll(async () => {
  network = await PartitionNetwork.open(3);
  room = await ServerRoom.open();
  cluster = await Cluster.start(room, network);
});
afterAll(async () => {
  await room?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

test('a leader the network cuts off is left for the one the others elect, and every write is once or unknown', async () => {
  const statuses: Status[] = [];
  await using writer = await cluster.connect({ onStatus: (status) => statuses.push(status) });
  const cutOff = await cluster.leader();
  const report = await cluster.writesThrough(writer, 40, async (n) => {
    if (n === 10) await network.unplug(cluster.members.indexOf(cutOff));
  });
  expect(isAsReported(report)).toBe(true);
  expect(report.outcomes.at(-1)).toBe('committed');
  const connections = statuses.flatMap((status) => (status.kind === 'connected' ? [status.remote] : []));
  expect(connections[0]).toBe(cutOff.remote);
  expect(connections.at(-1)).not.toBe(cutOff.remote);

  // Back in the network the old leader follows: nothing it had written alone comes up.
  await network.plugIn(cluster.members.indexOf(cutOff));
  const after = await cluster.writesThrough(writer, 5, async () => {});
  expect(isAsReported(after)).toBe(true);
  expect((await cluster.leader()).remote).not.toBe(cutOff.remote);
});

test('readers leave a follower the network cuts off, and hear from another of what they missed', async () => {
  await using writer = await cluster.connect();
  // One member may only just have come back.
  await cluster.isWhole(writer);
  const leader = await cluster.leader();
  let remote = '';
  await using reader = await cluster.connect({
    leaderOnly: false,
    remotes: [...cluster.members.filter((member) => member !== leader), leader].map((member) => member.remote),
    onStatus: (status) => {
      if (status.kind === 'connected') ({ remote } = status);
    },
  });
  await using replica = await reader.replicate(testSchema, { Thing: { columns: ['name'] } });
  const follower = cluster.members.findIndex((member) => member.remote === remote);
  expect(cluster.members[follower]).not.toBe(leader);
  const left = nextStatus(reader, ({ kind }) => kind === 'unsuitable');
  const synced = nextStatus(reader, ({ kind }) => kind === 'synced');
  const told: unknown[] = [];
  const missed = `missed ${randomUUID()}`;
  const heard = new Promise<void>((resolve) =>
    replica.onChanges(({ changes }) => {
      told.push(...changes.map(({ before, after }) => [before?.name, after?.name]));
      if (changes.some(({ after }) => after?.name === missed)) resolve();
    }),
  );
  await network.unplug(follower);
  const outcome = await writer.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name: missed } }]);
  expect(outcome.status).toBe('committed');
  expect(await left).toMatchObject({ reason: 'notConnected' });
  expect(await synced).toMatchObject({ how: 'resume' });
  await heard;
  expect(told).toEqual([[undefined, missed]]);
  await network.plugIn(follower);
});
