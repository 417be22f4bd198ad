import { randomUUID } from 'node:crypto';
import { type ConnectOptions, connect, type OvsdbClient } from '#ovsdb/client.ts';
import type { PartitionNetwork } from './partition-network.ts';
import type { RealServer, ServerRoom } from './real-server.ts';
import { testSchema, untypedSchema } from './test-schema.ts';

export const quick = { backoff: { firstMs: 50, longestMs: 200 }, connectTimeoutMs: 2_000 } as const;

/** Three members of a RAFT cluster with the test schema, without its unique index: a transaction that took place twice must show. */
export class Cluster {
  readonly members: readonly RealServer[];

  private constructor(members: readonly RealServer[]) {
    this.members = members;
  }

  static async start(room: ServerRoom, network?: PartitionNetwork): Promise<Cluster> {
    const Thing = untypedSchema.tables.Thing;
    if (!Thing) throw new Error('the test schema has a table Thing');
    const schemaPath = await room.writeSchema({ ...untypedSchema, tables: { Thing: { ...Thing, indexes: [] } } });
    return new Cluster(await room.cluster(schemaPath, 3, network));
  }

  connect(options: Partial<ConnectOptions> = {}): Promise<OvsdbClient> {
    return connect({ remotes: this.members.map(({ remote }) => remote), databases: ['Test'], ...quick, ...options });
  }

  /** The member that leads now. */
  async leader(): Promise<RealServer> {
    let remote = '';
    await using _client = await this.connect({
      onStatus: (status) => {
        if (status.kind === 'connected') remote = status.remote;
      },
    });
    const member = this.members.find((one) => one.remote === remote);
    if (!member) throw new Error(`no member at ${remote}`);
    return member;
  }

  /** Waits until every member has a row written now: the leader reaches each of them. */
  async isWhole(writer: OvsdbClient): Promise<void> {
    const known = `known ${randomUUID()}`;
    const everywhere = this.members.map(async ({ remote }) => {
      await using reader = await this.connect({ leaderOnly: false, remotes: [remote] });
      await using replica = await reader.replicate(testSchema, { Thing: { columns: ['name'] } });
      for await (const { changes } of replica.changes({ initial: true }))
        if (changes.some(({ after }) => after?.name === known)) return;
    });
    const { status } = await writer.transact(testSchema, [{ op: 'insert', table: 'Thing', row: { name: known } }]);
    if (status !== 'committed') throw new Error(`the row every member is to have is ${status}`);
    await Promise.all(everywhere);
  }

  /** Writes `count` rows one by one while `disturb` happens, and counts in the end how often each is there. */
  async writesThrough(writer: OvsdbClient, count: number, disturb: (n: number) => Promise<void>): Promise<Report> {
    const run = randomUUID();
    const outcomes: string[] = [];
    for (let n = 0; n < count; n++) {
      const written = writer.transact(testSchema, [
        { op: 'insert', table: 'Thing', row: { name: `${run} ${n}`, number: n } },
      ]);
      await disturb(n);
      outcomes.push((await written).status);
    }
    await using reader = await this.connect();
    await using replica = await reader.replicate(testSchema, { Thing: { columns: ['name'] } });
    const names = [...replica.tables.Thing.rows.values()].map(({ name }) => name);
    return { outcomes, times: outcomes.map((_, n) => names.filter((name) => name === `${run} ${n}`).length) };
  }
}

export interface Report {
  /** What each write was reported as. */
  readonly outcomes: readonly string[];
  /** How often each took place. */
  readonly times: readonly number[];
}

/** Did every write take place as often as it was reported to: once, never, or at most once if unknown? */
export const isAsReported = ({ outcomes, times }: Report): boolean =>
  outcomes.every((outcome, n) => {
    const often = times[n] ?? 0;
    return outcome === 'committed' ? often === 1 : outcome === 'refused' ? often === 0 : often <= 1;
  });
