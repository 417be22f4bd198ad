import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPlugin } from '#node-agent/cni/build.ts';
import type { NodeAssets } from '#test/kube/assets.ts';
import { onPath } from '#test/kube/programs.ts';
import { unpackedPackage } from '#test/lab/guest/unpacked-package.ts';
import { launcherImage } from '#test/lab/virt/controller/launcher-pod.ts';
import { buildProgram } from '../../../deploy/build.ts';
import { writeOciImage } from './oci-image.ts';
import { rootFolder } from './root-folder.ts';

/** What a container runtime starts a sandbox from; set as its `sandbox_image`. */
export const pauseImage = 'registry.k8s.io/pause:3.10.2';

/** As `e2e.test --list-images` names them. */
export const agnhostImage = 'registry.k8s.io/e2e-test-images/agnhost:2.63.0';
export const busyboxImage = 'registry.k8s.io/e2e-test-images/busybox:1.37.0-1';

/** What runs in a launcher pod. */
export const launcherProgram = '/usr/bin/virt-launcher-monitor';

/** Hawser's own, by the name that the cluster's overlay of `deploy/` gives it. */
export const hawserImage = 'hawser.test/hawser:lab';

/**
 * Makes the images that nodes without a registry are given, from programs of this machine and of the modules.
 *
 * @returns tar files for `ctr images import`.
 */
export async function makeImages(folder: string, assets: NodeAssets): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const [busybox, agnhost, hawser, launcher] = await Promise.all([
    busyboxLayer(folder),
    agnhostLayer(folder, assets),
    hawserLayer(folder),
    launcherLayer(folder),
  ]);
  const file = (name: string) => join(folder, name);
  const environment = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] };
  await writeOciImage(file('pause.tar'), {
    names: [pauseImage],
    layers: [busybox],
    config: { ...environment, Entrypoint: ['sleep', '2147483647'] },
  });
  await writeOciImage(file('busybox.tar'), {
    names: [busyboxImage],
    layers: [busybox],
    config: { ...environment, Cmd: ['sh'] },
  });
  await writeOciImage(file('agnhost.tar'), {
    names: [agnhostImage],
    layers: [busybox, agnhost],
    config: { ...environment, Entrypoint: ['/agnhost'], Cmd: ['pause'] },
  });
  await writeOciImage(file('hawser.tar'), {
    names: [hawserImage],
    layers: [hawser],
    config: { ...environment, WorkingDir: '/hawser', Cmd: ['node'] },
  });
  await writeOciImage(file('launcher.tar'), {
    names: [launcherImage],
    layers: [busybox, launcher],
    config: { ...environment, Entrypoint: [launcherProgram] },
  });
  return ['pause.tar', 'busybox.tar', 'agnhost.tar', 'hawser.tar', 'launcher.tar'].map(file);
}

async function busyboxLayer(folder: string): Promise<string> {
  const path = join(folder, 'busybox');
  const root = await rootFolder(path);
  await root.busybox();
  await root.pack(`${path}.layer`);
  return `${path}.layer`;
}

/** What upstream's Dockerfile adds to its base (kubernetes, test/images/agnhost/Dockerfile) and the suite's checks run. */
async function agnhostLayer(folder: string, { agnhost }: NodeAssets): Promise<string> {
  const path = join(folder, 'agnhost');
  const root = await rootFolder(path);
  await root.program(agnhost, '/agnhost');
  await root.program(program('sh'), '/bin/sh');
  await root.program(program('curl'), '/usr/bin/curl');
  await root.program(join(await unpackedPackage('netcat-openbsd'), 'bin/nc.openbsd'), '/usr/bin/nc');
  await root.pack(`${path}.layer`);
  return `${path}.layer`;
}

/** As `deploy/Containerfile` makes it, out of what this machine has. */
async function hawserLayer(folder: string): Promise<string> {
  const path = join(folder, 'hawser');
  const root = await rootFolder(path);
  await root.program(process.execPath, '/usr/local/bin/node');
  // Not busybox, whose shell takes its own ip and nsenter for any on the PATH.
  for (const name of [
    'sh',
    'sed',
    'cat',
    'cp',
    'mv',
    'rm',
    'mkdir',
    'ls',
    'ip',
    'tc',
    'bridge',
    'ethtool',
    'nsenter',
  ]) {
    await root.program(program(name), `/usr/bin/${name}`);
  }
  const built = await Promise.all([buildPlugin(), buildProgram('node-agent'), buildProgram('controller')]);
  for (const file of built) await cp(file, join(path, 'hawser/dist', file.slice(file.lastIndexOf('/') + 1)));
  await root.pack(`${path}.layer`);
  return `${path}.layer`;
}

/**
 * What stands in for virt-launcher: it does nothing, since QEMU is started in its pod's network namespace from outside. Its container
 * `compute` goes on when the pod is deleted, as the guest has to be shut down first, and ends when it is told how the domain did
 * (`launcher-pods.ts`). Which container it is in it sees by where kubelet has put its termination log.
 */
async function launcherLayer(folder: string): Promise<string> {
  const path = join(folder, 'launcher');
  const root = await rootFolder(path);
  await root.script(
    launcherProgram,
    `#!/bin/sh
trap 'exit 0' TERM
if grep -q /containers/compute/ /proc/self/mountinfo; then
  trap '' TERM
  trap 'exit 0' USR1
  trap 'exit 1' USR2
fi
while :; do sleep 3600 & wait; done
`,
  );
  await root.pack(`${path}.layer`);
  return `${path}.layer`;
}

function program(name: string): string {
  const path = onPath(name) ?? onPath(`../sbin/${name}`);
  if (path === undefined) throw new Error(`${name} is not on the PATH`);
  return path;
}
