import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';

const execute = promisify(execFile);

/** A southbound database of its own. */
export interface SouthboundBed extends AsyncDisposable {
  /** `unix:` and the path of its socket. */
  readonly remote: string;
}

/** Starts a real ovsdb-server with an empty southbound database in this folder, which stays the caller's. */
export async function southboundBed(folder: string): Promise<SouthboundBed> {
  const at = (file: string) => join(folder, file);
  await execute('ovsdb-tool', ['create', at('sb.db'), '/usr/share/ovn/ovn-sb.ovsschema']);
  const server = new Daemon({
    name: 'southbound',
    command: 'ovsdb-server',
    args: [`--remote=punix:${at('sb.sock')}`, `--unixctl=${at('sb.ctl')}`, '--no-chdir', '-vsyslog:off', at('sb.db')],
    logFile: at('sb.log'),
    ready: (_pid, signal) => untilSocketAccepts(at('sb.sock'), signal),
  });
  await server.start();
  return { remote: `unix:${at('sb.sock')}`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
