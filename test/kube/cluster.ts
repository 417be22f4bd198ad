import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { cleanUpDeadLabs, down } from '#test/lab/topology/clean-up.ts';
import { claimFolder, labMark, withLabsLock } from '#test/lab/topology/lab-folder.ts';
import { Undertaker } from '#test/lab/topology/undertaker.ts';
import { kubeAssets } from './assets.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

/** The kinds Hawser installs, and KubeVirt's. */
export const crds: readonly string[] = [
  join(import.meta.dirname, '../../deploy/crds'),
  join(import.meta.dirname, 'crds/kubevirt.yaml'),
];

/** A control plane for a suite. Whatever happens to this process, nothing of it stays: it counts as a lab for the cleaning up. */
export async function startCluster(log: (line: string) => void = console.log): Promise<ControlPlane> {
  const assets = await kubeAssets(log);
  await cleanUpDeadLabs();
  const id = `kube${randomBytes(4).toString('hex')}`;
  const folder = await withLabsLock(() => claimFolder(id));
  const undertaker = new Undertaker();
  const tearDown = async (): Promise<void> => {
    await down(id);
    await undertaker.dismiss();
  };
  try {
    const plane = await startControlPlane({ assets, folder: join(folder, 'kube'), env: labMark(id), crds });
    const { [Symbol.asyncDispose]: stop } = plane;
    return {
      ...plane,
      [Symbol.asyncDispose]: async () => {
        await stop();
        await tearDown();
      },
    };
  } catch (error) {
    await tearDown();
    throw error;
  }
}
