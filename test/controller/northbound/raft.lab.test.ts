import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Board } from '#controller/engine/board.ts';
import { LeaderFence } from '#controller/northbound/leader-fence.ts';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { NorthboundWriter } from '#controller/northbound/writer.ts';
import { connect } from '#ovsdb/client.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';
import { PartitionNetwork } from '#test/ovsdb/partition-network.ts';
import { sayPort, saySwitch } from './northbound-bed.ts';

const execute = promisify(execFile);

/** A northbound database on three servers, which talk to each other over a network that can be cut. */
async function cluster() {
  const network = await PartitionNetwork.open(3);
  const folder = await mkdtemp(join(tmpdir(), 'hawser-raft-'));
  const at = (file: string) => join(folder, file);
  const raft = (n: number) => network.address(n);
  await execute('ovsdb-tool', ['create-cluster', at('0.db'), '/usr/share/ovn/ovn-nb.ovsschema', raft(0)]);
  for (const n of [1, 2])
    await execute('ovsdb-tool', ['join-cluster', at(`${n}.db`), 'OVN_Northbound', raft(n), raft(0)]);
  const members = [0, 1, 2].map(
    (n) =>
      new Daemon({
        name: `member ${n}`,
        command: 'nsenter',
        args: [
          ...network.within(n).slice(1),
          'ovsdb-server',
          `--remote=punix:${at(`${n}.sock`)}`,
          `--unixctl=${at(`${n}.ctl`)}`,
          '--no-chdir',
          '-vsyslog:off',
          at(`${n}.db`),
        ],
        logFile: at(`${n}.log`),
        ready: (_pid, signal) => untilSocketAccepts(at(`${n}.sock`), signal),
      }),
  );
  for (const member of members) await member.start();
  const statusOf = async (n: number): Promise<MemberStatus> => {
    const args = ['-T', '5', '-t', at(`${n}.ctl`), 'cluster/status', 'OVN_Northbound'];
    const { stdout } = await execute('ovs-appctl', args).catch(() => ({ stdout: '' }));
    const found = (pattern: RegExp) => pattern.exec(stdout)?.[1] ?? '';
    return {
      role: found(/^Role: (\w+)/m),
      term: Number(found(/^Term: (\d+)/m)),
      logEnd: Number(found(/^Log: \[\d+, (\d+)\]/m)),
      isSettled: /^Leader: (?!unknown)/m.test(stdout) && /^Entries not yet applied: 0$/m.test(stdout),
    };
  };
  return {
    unplug: (member: Daemon) => network.unplug(members.indexOf(member)),
    plugIn: (member: Daemon) => network.plugIn(members.indexOf(member)),
    remotes: [0, 1, 2].map((n) => `unix:${at(`${n}.sock`)}`),
    /** One that was frozen or cut off still takes itself for the leader, of an earlier term. */
    async leader(but?: Daemon): Promise<Daemon> {
      for (;;) {
        const asked = members.flatMap((member, n) => (member === but ? [] : [{ member, n }]));
        const told = await Promise.all(asked.map(async ({ member, n }) => ({ member, ...(await statusOf(n)) })));
        const [leader] = told.filter(({ role }) => role === 'leader').sort((one, other) => other.term - one.term);
        if (leader !== undefined) return leader.member;
        await pause(50);
      }
    },
    /** Resolves when every member has all there is: then the cluster can do without any one of them. */
    async whole(): Promise<void> {
      for (;;) {
        const told = await Promise.all([0, 1, 2].map(statusOf));
        const [first] = told;
        const isSame = ({ term, logEnd, isSettled }: MemberStatus) =>
          isSettled && term === first?.term && logEnd === first.logEnd;
        if (told.every(isSame)) return;
        await pause(50);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const member of members) await member[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** What a member says of itself: `ovs-appctl cluster/status`. */
interface MemberStatus {
  readonly role: string;
  readonly term: number;
  readonly logEnd: number;
  readonly isSettled: boolean;
}

test('a RAFT leader that is frozen, one that is killed and one that is cut off under load lose nothing and double nothing', async () => {
  await using nb = await cluster();
  // While one of them is still joining, the other two can do without nobody.
  await nb.whole();
  await using client = await connect({ remotes: nb.remotes, backoff: { firstMs: 20, longestMs: 100 }, probeMs: 500 });
  const northbound = await replicateNorthbound(client, new AbortController().signal);
  const board = new Board();
  saySwitch(board, 'blue', []);
  const term = { number: 1, identity: 'only' };
  const events: string[] = [];
  const writer = new NorthboundWriter(board, northbound, {
    fence: new LeaderFence({ client, term, outrank: async () => undefined }),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 100)).unref()),
    onEvent: ({ kind }) => events.push(kind),
  });
  await writer.start();
  const wanted: string[] = [];
  const load = async (from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      wanted.push(`pod/default/p${i}`);
      sayPort(board, 'blue', `pod/default/p${i}`);
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await load(0, 200);
  // What it is sent is answered by nobody.
  const frozen = await nb.leader();
  frozen.signal('SIGSTOP');
  await load(200, 400);
  await nb.leader(frozen);
  frozen.signal('SIGCONT');
  await load(400, 500);
  await writer.idle();
  await nb.whole();
  const killed = await nb.leader();
  await load(500, 700);
  await killed.kill();
  await load(700, 900);
  await nb.leader(killed);
  await killed.start();
  await writer.idle();
  await nb.whole();
  // It lives on and takes what it is sent, and cannot commit it.
  const cutOff = await nb.leader();
  await load(900, 1000);
  await nb.unplug(cutOff);
  await load(1000, 1100);
  await nb.leader(cutOff);
  await load(1100, 1200);
  await nb.plugIn(cutOff);
  await writer.idle();
  const names = [...northbound.rows('Logical_Switch_Port').values()].map(({ name }) => name);
  expect(names.sort()).toEqual(wanted.sort());
  expect(events).not.toContain('deposed');
  await writer.close();
});
