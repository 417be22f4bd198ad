import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';

const execute = promisify(execFile);

/** A real northbound ovsdb-server on a unix socket, with nothing in it but NB_Global. */
export async function northboundServer(databaseToCopy?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-bench-'));
  const database = join(folder, 'nb.db');
  const socket = join(folder, 'nb.sock');
  if (databaseToCopy === undefined)
    await execute('ovsdb-tool', ['create', database, '/usr/share/ovn/ovn-nb.ovsschema']);
  else await copyFile(databaseToCopy, database);
  const server = new Daemon({
    name: 'northbound ovsdb-server',
    command: 'ovsdb-server',
    args: [`--remote=punix:${socket}`, '--no-chdir', `--unixctl=${join(folder, 'ctl')}`, '-vsyslog:off', database],
    logFile: join(folder, 'server.log'),
    ready: (_pid, signal) => untilSocketAccepts(socket, signal),
  });
  await server.start();
  if (databaseToCopy === undefined) await execute('ovn-nbctl', [`--db=unix:${socket}`, 'init']);
  return {
    folder,
    database,
    socket,
    remote: `unix:${socket}`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
