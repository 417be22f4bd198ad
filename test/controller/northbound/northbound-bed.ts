import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Board } from '#controller/engine/board.ts';
import { row, setEntry } from '#controller/engine/facts.ts';
import { replicateNorthbound } from '#controller/northbound/replica.ts';
import { rowUuid } from '#controller/northbound/row-uuid.ts';
import { NorthboundWriter, type WriterEvent } from '#controller/northbound/writer.ts';
import { connect } from '#ovsdb/client.ts';
import { ovnNorthbound } from '#ovsdb/schemas/ovn-northbound.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';

const execute = promisify(execFile);

/** A real northbound ovsdb-server with a board and a writer on it, and `ovn-nbctl` as the somebody else. */
export async function northboundBed() {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-nb-'));
  const database = join(folder, 'nb.db');
  const socket = join(folder, 'nb.sock');
  await execute('ovsdb-tool', ['create', database, '/usr/share/ovn/ovn-nb.ovsschema']);
  const empty = join(folder, 'empty.db');
  await copyFile(database, empty);
  const server = new Daemon({
    name: 'northbound ovsdb-server',
    command: 'ovsdb-server',
    args: [`--remote=punix:${socket}`, '--no-chdir', `--unixctl=${join(folder, 'ctl')}`, '-vsyslog:off', database],
    logFile: join(folder, 'server.log'),
    ready: (_pid, signal) => untilSocketAccepts(socket, signal),
  });
  await server.start();
  const nbctl = async (...args: string[]) =>
    (await execute('ovn-nbctl', [`--db=unix:${socket}`, '--no-leader-only', ...args])).stdout.trim();
  await nbctl('init');
  const client = await connect({ remotes: [`unix:${socket}`], backoff: { firstMs: 10, longestMs: 50 } });

  return {
    board: new Board(),
    server,
    nbctl,
    client,
    folder,
    /** Puts back the database as it was before anything was written. */
    async loseDatabase() {
      await server.kill();
      await copyFile(empty, database);
      await server.start();
    },
    /** A controller's writer on this board, in sync; `start: false` leaves out that it begins to write. */
    async writer(board: Board, { start = true } = {}) {
      const events: WriterEvent[] = [];
      const northbound = await replicateNorthbound(client, AbortSignal.timeout(20_000));
      const writer = new NorthboundWriter(board, northbound, {
        sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 20)).unref()),
        onEvent: (event) => events.push(event),
      });
      if (start) await writer.start();
      await writer.idle();
      const operations = () =>
        events.reduce((sum, event) => sum + (event.kind === 'committed' ? event.operations : 0), 0);
      return { writer, events, operations, northbound };
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export const mark = (owner: string) => ({ 'hawser:owner': owner });

/** Says that a switch with ports is wanted, as one feature would. */
export function saySwitch(board: Board, name: string, ports: readonly string[], options: Record<string, string> = {}) {
  const dhcp = rowUuid('DHCP_Options', `dhcp/${name}`);
  board.say(
    name,
    row('DHCP_Options', `dhcp/${name}`, { cidr: '10.0.0.0/24', options: { mtu: '1400' }, external_ids: mark(name) }),
  );
  board.say(name, row('Logical_Switch', name, { name, external_ids: mark(name) }));
  for (const port of ports) sayPort(board, name, port, options, dhcp);
}

export function sayPort(
  board: Board,
  network: string,
  port: string,
  options: Record<string, string> = {},
  dhcp?: string,
) {
  board.say(
    port,
    row(
      'Logical_Switch_Port',
      port,
      { name: port, addresses: ['0a:58:0a:00:00:02 10.0.0.2'], options, external_ids: mark(port) },
      { table: 'Logical_Switch', row: network, column: 'ports' },
    ),
  );
  if (dhcp !== undefined) board.say(port, setEntry('Logical_Switch_Port', port, 'dhcpv4_options', dhcp));
}

/** Resolves when the replica of `client` has shown `wanted` of a table. */
export async function until(
  client: Awaited<ReturnType<typeof connect>>,
  isThere: (names: readonly string[]) => boolean,
) {
  await using replica = await client.replicate(ovnNorthbound, {
    Logical_Switch_Port: { columns: ['name', 'options', 'addresses'] },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    const names = [...replica.tables.Logical_Switch_Port.rows.values()].map(
      ({ name, options, addresses }) =>
        `${name} ${[...options]
          .map((pair) => pair.join('='))
          .sort()
          .join(' ')} ${addresses.join()}`,
    );
    if (isThere(names)) resolve();
  };
  replica.onChanges(look);
  look();
  await promise;
}
