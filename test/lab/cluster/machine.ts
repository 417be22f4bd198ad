import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '#test/lab/topology/command.ts';
import { Daemon, type DaemonSpec } from '#test/lab/topology/daemon.ts';
import type { TopologyNode } from '#test/lab/topology/node.ts';

/**
 * A node that looks to its programs like a machine of its own: beside its network namespace it has a mount namespace in which the
 * usual folders (`/run`, `/etc/cni`, `/opt/cni/bin`, `/var/lib/kubelet`, …) are the node's. So container runtime, kubelet and
 * manifests are used as on any node. Its mounts end with its last process.
 */
export interface Machine {
  readonly node: TopologyNode;
  /** Where the node's `/var/lib/containerd` and the like are, on this machine. */
  readonly folder: string;
  /** For `nsenter --mount=`. */
  readonly mountNamespace: string;
  /** Runs a command to its end on the node. */
  exec(command: string, args?: readonly string[], input?: string): Promise<string>;
  /** A daemon on the node; not started yet. */
  daemon(spec: Pick<DaemonSpec, 'command' | 'args' | 'ready' | 'readyTimeoutMs'> & { readonly name: string }): Daemon;
  /** A file of the node as this machine's programs reach it: a socket below `/run`, a sandbox below `/run/netns`. */
  pathOf(file: string): string;
}

export async function startMachine(node: TopologyNode): Promise<Machine> {
  const folder = join(node.runDir, 'root');
  const marker = join(folder, 'ready');
  await mkdir(folder, { recursive: true });
  const place = { netns: node.netns, env: node.env };
  const holder = new Daemon({
    ...place,
    name: `${node.name}: mounts`,
    command: 'unshare',
    args: ['--mount', '--propagation=slave', 'sh', '-ec', mounts, 'sh', folder, node.runDir, marker],
    logFile: join(node.runDir, 'mounts.log'),
    ready: async (_pid, signal) => {
      while (!existsSync(marker)) await delay(5, undefined, { signal });
    },
  });
  await holder.start();
  const pid = holder.pid;
  if (pid === undefined) throw new Error(`${node.name}: its mounts are not held`);
  const mountNamespace = `/proc/${pid}/ns/mnt`;
  const inside = (command: string, args: readonly string[]) => [
    `--mount=${mountNamespace}`,
    '--wd=/',
    '--',
    command,
    ...args,
  ];
  return {
    node,
    folder,
    mountNamespace,
    exec: (command, args = [], input = '') => run('nsenter', inside(command, args), { ...place, input }),
    daemon: ({ name, command, args, ...rest }) =>
      new Daemon({
        ...place,
        ...rest,
        name: `${node.name}: ${name}`,
        command: 'nsenter',
        args: inside(command, args),
        logFile: join(node.runDir, `${name}.log`),
      }),
    pathOf: (file) => `/proc/${pid}/root${file}`,
  };
}

/**
 * What is above the node's own folders and has to be writable for them is overlaid, with a tmpfs to write to: this machine's own stays
 * as it is. All is shared in the end, so that a mount made later (a sandbox's namespace, a volume) shows in the containers that
 * ask for it.
 */
const mounts = `
folder=$1 rundir=$2 marker=$3
mkdir -p $folder/over $folder/containerd $folder/kubelet $folder/logs
mount -t tmpfs tmpfs $folder/over
for top in etc opt var; do
  mkdir $folder/over/$top $folder/over/$top.work
  mount -t overlay overlay -o lowerdir=/$top,upperdir=$folder/over/$top,workdir=$folder/over/$top.work /$top
done
mkdir -p /etc/cni/net.d /opt/cni/bin /var/lib/containerd /var/lib/kubelet /var/log/pods /var/log/containers
# As the package kubernetes-cni has them there.
ln -s /usr/lib/cni/* /opt/cni/bin/
mount --bind $folder/containerd /var/lib/containerd
mount --bind $folder/kubelet /var/lib/kubelet
mount --bind $folder/logs /var/log/pods
run=$folder/over/run
mkdir -p $run/hawser-lab $run/openvswitch $run/netns $run/lock
mount --bind /run/hawser-lab $run/hawser-lab
mount --bind $rundir $run/openvswitch
mount --rbind $run /run
mount --make-rshared /
touch $marker
exec sleep infinity
`;
