import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OvnInstallation } from '#test/setup/ovn-root.ts';
import { run } from './command.ts';
import { Daemon, type DaemonSpec } from './daemon.ts';
import { ovsDaemon, startDatabaseServer } from './ovs-daemon.ts';
import { type UnderlayMember, underlayMtu, underlayPrefix, uplink } from './underlay.ts';
import { unixctl } from './unixctl.ts';

/**
 * A node as a cluster's administrator would hand it over: Open vSwitch and ovn-controller run, `br-phys` has the uplink
 * and the address for tunnels. `br-int` and the `external_ids` that make it a chassis are the node agent's to write.
 */
export interface TopologyNode {
  /** `node-a`, `node-b`, …; what the Kubernetes node and the chassis are to be called. */
  readonly name: string;
  readonly netns: string;
  /** IPv4 address on the underlay, for `ovn-encap-ip`. */
  readonly encapIp: string;
  /** Databases, sockets and logs of the node; free for whatever else runs on it. */
  readonly runDir: string;
  /** Socket of its Open_vSwitch database. */
  readonly ovsSocket: string;
  /** The environment of the OVS tools for this node: `ovs-vsctl show` just works in it. */
  readonly env: Readonly<Record<string, string>>;
  readonly ovsdbServer: Daemon;
  readonly vswitchd: Daemon;
  readonly ovnController: Daemon;

  /** Runs a command to its end in the node's namespace and environment; gives its standard output. */
  exec(command: string, args?: readonly string[], input?: string): Promise<string>;
  vsctl(...args: string[]): Promise<string>;
  /** A command to ovs-vswitchd's control socket, as `ovs-appctl` sends it. */
  appctl(command: string, ...args: string[]): Promise<string>;
  /** A daemon of somebody else's on this node, in its namespace and environment, logging to `runDir`; not started yet. */
  daemon(spec: Pick<DaemonSpec, 'command' | 'args' | 'ready'> & { readonly name: string }): Daemon;
}

export interface NodeOptions {
  readonly name: string;
  readonly member: UnderlayMember;
  /** The other nodes, whose MAC addresses it is told. */
  readonly peers: readonly UnderlayMember[];
  readonly runDir: string;
  readonly ovn: OvnInstallation;
  readonly env: Readonly<Record<string, string>>;
  readonly onUnexpectedEnd: (sentence: string) => void;
}

/** Starts the daemons of a node in its namespace, which is there already; they are ready when this resolves. */
export async function startNode(options: NodeOptions): Promise<TopologyNode> {
  const { name, member, runDir, ovn, onUnexpectedEnd } = options;
  const { netns } = member;
  const env = { ...options.env, OVS_RUNDIR: runDir, OVS_DBDIR: runDir, OVS_LOGDIR: runDir, OVN_RUNDIR: runDir };
  const place = { netns, env, runDir, onUnexpectedEnd };
  const ovsSocket = join(runDir, 'db.sock');
  const exec = (command: string, args: readonly string[] = [], input = '') => run(command, args, { netns, env, input });
  const appctl = (...command: [string, ...string[]]) => unixctl(join(runDir, 'ovs-vswitchd.ctl'), ...command);

  const vswitchd = ovsDaemon(place, {
    name: `${name}: ovs-vswitchd`,
    command: 'ovs-vswitchd',
    file: 'ovs-vswitchd',
    args: [`unix:${ovsSocket}`, '--disable-system'],
    // Not only the first time: what it knows of its neighbours goes with it.
    ready: () => setUpPhysicalBridge(options, exec, appctl),
  });
  const ovnController = ovsDaemon(place, {
    name: `${name}: ovn-controller`,
    command: 'ovn-controller',
    file: 'ovn-controller',
    args: [`unix:${ovsSocket}`],
    controlSocket: (pid) => join(runDir, `ovn-controller.${pid}.ctl`),
  });

  await mkdir(runDir, { recursive: true });
  const ovsdbServer = await startDatabaseServer(place, {
    name: `${name}: ovsdb-server`,
    file: 'db',
    schema: join(ovn.ovsSchemas, 'vswitch.ovsschema'),
    remotes: [],
  });
  // As ovs-ctl does before it starts anything: ovn-controller 23.03 crashes when it meets an empty Open_vSwitch table. It
  // makes br-int when nobody else has yet, and then has to know that only the userspace datapath is there.
  await exec('ovs-vsctl', [
    ...['--no-wait', 'init', '--', 'set', 'Open_vSwitch', '.', 'external_ids:ovn-bridge-datapath-type=netdev'],
  ]);
  await Promise.all([vswitchd.start(), ovnController.start()]);

  return {
    name,
    netns,
    encapIp: member.ip,
    runDir,
    ovsSocket,
    env,
    ovsdbServer,
    vswitchd,
    ovnController,
    exec,
    vsctl: (...args) => exec('ovs-vsctl', args),
    appctl,
    daemon: (spec) =>
      new Daemon({ ...place, ...spec, name: `${name}: ${spec.name}`, logFile: join(runDir, `${spec.name}.log`) }),
  };
}

/**
 * `br-phys`: a bridge of the userspace datapath with the uplink as its port. The tunnels' address is on the bridge itself
 * and not on the uplink, because a userspace tunnel is routed only to a device that the same datapath has as a port.
 */
async function setUpPhysicalBridge(
  { member, peers }: NodeOptions,
  exec: (command: string, args?: readonly string[], input?: string) => Promise<string>,
  appctl: (...command: [string, ...string[]]) => Promise<string>,
): Promise<void> {
  // Returns when ovs-vswitchd has done it.
  await exec('ovs-vsctl', [
    ...['--may-exist', 'add-br', 'br-phys', '--', 'set', 'Bridge', 'br-phys', 'datapath_type=netdev'],
    ...[`other_config:hwaddr="${member.mac}"`, '--', 'set', 'Interface', 'br-phys', `mtu_request=${underlayMtu}`],
    ...['--', '--may-exist', 'add-port', 'br-phys', uplink],
  ]);
  const address = `addr replace ${member.ip}/${underlayPrefix} dev br-phys`;
  await exec('ip', ['-batch', '-'], `${address}\nlink set br-phys up\n`);
  // The kernel keeps a packet until ARP has answered, the userspace datapath drops it; that loss is not to be measured.
  await Promise.all(peers.map(({ ip, mac }) => appctl('tnl/neigh/set', 'br-phys', ip, mac)));
}
