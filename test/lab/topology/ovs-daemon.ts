import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { Daemon } from './daemon.ts';
import { unixctl } from './unixctl.ts';
import { untilSocketAccepts } from './until-socket.ts';

/** What all daemons of a node, or of central, have in common. */
export interface OvsDaemonPlace {
  readonly netns: string;
  readonly env: Readonly<Record<string, string>>;
  /** Holds `<file>.ctl`, `<file>.pid`, `<file>.log` of each daemon. */
  readonly runDir: string;
  readonly onUnexpectedEnd: (sentence: string) => void;
}

/**
 * An OVS or OVN daemon that is ready when it answers on its control socket: its main loop runs then, and the sockets it
 * serves listen. `ready` may add to that. The pidfile is how `ovs-appctl -t <file>` finds it.
 */
export function ovsDaemon(
  place: OvsDaemonPlace,
  spec: {
    readonly name: string;
    readonly command: string;
    readonly file: string;
    readonly args: readonly string[];
    /** ovn-controller before 23.09 has no `--unixctl` and chooses this path itself. */
    readonly controlSocket?: (pid: number) => string;
    readonly ready?: () => Promise<unknown>;
  },
): Daemon {
  const path = (extension: string) => join(place.runDir, `${spec.file}.${extension}`);
  return new Daemon({
    ...place,
    name: spec.name,
    // As ovs-ctl and ovn-ctl start it (OVS_VSWITCHD_PRIORITY and its like): guests do not hold up the switch.
    command: 'nice',
    args: [
      '-n',
      '-10',
      spec.command,
      ...spec.args,
      '-vsyslog:off',
      '-vfile:off',
      '-vconsole:info', // Standard error, which `Daemon` appends to the log file.
      `--pidfile=${path('pid')}`,
      '--overwrite-pidfile',
      ...(spec.controlSocket ? [] : [`--unixctl=${path('ctl')}`]),
    ],
    logFile: path('log'),
    ready: async (pid, signal) => {
      const controlSocket = spec.controlSocket?.(pid) ?? path('ctl');
      await untilSocketAccepts(controlSocket, signal);
      await unixctl(controlSocket, 'version');
      await spec.ready?.();
    },
  });
}

/** Starts an ovsdb-server for the standalone database `<file>.db`, served at `<file>.sock`; a restart keeps its content. */
export async function startDatabaseServer(
  place: OvsDaemonPlace,
  spec: {
    readonly name: string;
    readonly file: string;
    /** Path of the .ovsschema the database is created with. */
    readonly schema: string;
    /** Further remotes besides the unix socket. */
    readonly remotes: readonly string[];
  },
): Promise<Daemon> {
  const database = join(place.runDir, `${spec.file}.db`);
  if (!existsSync(database)) await run('ovsdb-tool', ['create', database, spec.schema], place);
  const remotes = [`punix:${join(place.runDir, `${spec.file}.sock`)}`, ...spec.remotes];
  const server = ovsDaemon(place, {
    name: spec.name,
    command: 'ovsdb-server',
    file: spec.file,
    args: [database, ...remotes.map((remote) => `--remote=${remote}`)],
  });
  await server.start();
  return server;
}
