import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';
import { pauseImage } from './images.ts';
import type { Machine } from './machine.ts';

/** Where a node's containerd listens, on the node. */
export const runtimeSocket = '/run/containerd/containerd.sock';

/** Starts containerd on a node and gives it the images, tar files of this machine, once they are there. */
export async function startContainerRuntime(machine: Machine, images: Promise<readonly string[]>): Promise<Daemon> {
  const configFile = join(machine.folder, 'containerd.toml');
  await writeFile(configFile, config);
  const runFolder = machine.pathOf('/run/containerd');
  await mkdir(runFolder, { recursive: true });
  const containerd = machine.daemon({
    name: 'containerd',
    command: 'containerd',
    args: ['--config', configFile],
    ready: (_pid, signal) => untilSocketAccepts(join(runFolder, 'containerd.sock'), signal),
  });
  await containerd.start();
  for (const image of await images) await machine.exec('ctr', ['--namespace=k8s.io', 'images', 'import', image]);
  return containerd;
}

/** `restrict_oom_score_adj`: a machine that is itself a container may lack CAP_SYS_RESOURCE, and runc then fails to start pods. */
const config = `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/opt/cni/bin"
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
