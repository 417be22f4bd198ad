import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OvnInstallation } from '#test/setup/ovn-root.ts';
import { run } from './command.ts';
import type { Daemon } from './daemon.ts';
import { ovsDaemon, startDatabaseServer } from './ovs-daemon.ts';
import { type UnderlayMember, underlayPrefix, uplink } from './underlay.ts';

/** The OVN central services: the northbound and southbound databases and northd, in a namespace of their own. */
export interface Central {
  readonly netns: string;
  /** IPv4 address on the underlay. */
  readonly ip: string;
  /** Sockets of the daemons; also what OVN_RUNDIR has to be for `ovn-appctl -t ovn-northd`. */
  readonly runDir: string;
  readonly nbSocket: string;
  readonly sbSocket: string;
  /** The same as OVSDB remotes: `unix:<path>`; they work from every network namespace of the machine. */
  readonly nbRemote: string;
  readonly sbRemote: string;
  /** On the underlay, for what runs in a node's namespace as a real node would: `tcp:192.0.2.1:6641`, `…:6642`. */
  readonly nbTcp: string;
  readonly sbTcp: string;
  /** The environment of the OVN tools for this lab: `ovn-nbctl show` just works in it. */
  readonly env: Readonly<Record<string, string>>;
  readonly nbServer: Daemon;
  readonly sbServer: Daemon;
  readonly northd: Daemon;
}

const nbPort = 6641;
const sbPort = 6642;

/** Starts them in the namespace, which is there already; they are ready when this resolves. */
export async function startCentral(options: {
  readonly member: UnderlayMember;
  readonly runDir: string;
  readonly ovn: OvnInstallation;
  readonly env: Readonly<Record<string, string>>;
  readonly onUnexpectedEnd: (sentence: string) => void;
}): Promise<Central> {
  const { member, runDir, ovn, onUnexpectedEnd } = options;
  const { netns, ip } = member;
  const [nbSocket, sbSocket] = [join(runDir, 'nb.sock'), join(runDir, 'sb.sock')];
  const [nbRemote, sbRemote] = [`unix:${nbSocket}`, `unix:${sbSocket}`];
  const env = { ...options.env, OVN_RUNDIR: runDir, OVN_NB_DB: nbRemote, OVN_SB_DB: sbRemote };
  const place = { netns, env, runDir, onUnexpectedEnd };
  const startServer = (file: string, database: string, global: string) =>
    startDatabaseServer(place, {
      name: `central: ${file} ovsdb-server`,
      file,
      schema: join(ovn.ovnSchemas, `ovn-${file}.ovsschema`),
      remotes: [`db:${database},${global},connections`],
    });
  const northd = ovsDaemon(place, {
    name: 'central: ovn-northd',
    command: 'ovn-northd',
    file: 'ovn-northd',
    args: [`--ovnnb-db=${nbRemote}`, `--ovnsb-db=${sbRemote}`],
  });

  await mkdir(runDir, { recursive: true });
  const [nbServer, sbServer] = await Promise.all([
    startServer('nb', 'OVN_Northbound', 'NB_Global'),
    startServer('sb', 'OVN_Southbound', 'SB_Global'),
    run('ip', ['addr', 'add', `${ip}/${underlayPrefix}`, 'dev', uplink], { netns }),
  ]);
  await Promise.all([
    northd.start(),
    listen('ovn-nbctl', `ptcp:${nbPort}:${ip}`, env),
    listen('ovn-sbctl', `ptcp:${sbPort}:${ip}`, env),
  ]);
  return {
    netns,
    ip,
    runDir,
    nbSocket,
    sbSocket,
    nbRemote,
    sbRemote,
    nbTcp: `tcp:${ip}:${nbPort}`,
    sbTcp: `tcp:${ip}:${sbPort}`,
    env,
    nbServer,
    sbServer,
    northd,
  };
}

/**
 * A Connection row and not a `--remote`: it can raise the inactivity probe, whose default of 5 s drops clients when two
 * busy cores starve them for that long.
 */
async function listen(ctl: 'ovn-nbctl' | 'ovn-sbctl', target: string, env: Readonly<Record<string, string>>) {
  await run(ctl, ['--inactivity-probe=60000', 'set-connection', target], { env });
}
