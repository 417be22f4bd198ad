import { join } from 'node:path';
import { kubeAssets } from '#test/kube/assets.ts';
import { crds } from '#test/kube/cluster.ts';
import { startControlPlane } from '#test/kube/control-plane.ts';
import { kubeconfigText } from '#test/kube/kubeconfig.ts';
import { fetchFrom } from '#test/kube/transport.ts';
import type { Daemon } from '#test/lab/topology/daemon.ts';
import { startAdmissionWebhook } from './admission-webhook.ts';
import type { Kubernetes, KubernetesOptions } from './kubernetes.ts';
import { kubeletAccount, kubeVirtAccount, playersRbac } from './players.ts';
import { followToken } from './rotating-token.ts';

export interface RealKubernetes extends Kubernetes {
  /** kube-controller-manager and kube-scheduler. */
  readonly managers: readonly Daemon[];
  /** Kills kube-apiserver and, as they end by themselves when they lose their Leases, what is built on it. */
  outage(): Promise<void>;
  outageEnds(): Promise<void>;
}

export interface RealKubernetesOptions extends Omit<KubernetesOptions, 'admit'> {
  /** Absent: KubeVirt's objects are taken as they come. */
  readonly admit?: KubernetesOptions['admit'];
}

/**
 * etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes. Everybody has a ServiceAccount: our controller the one
 * of `deploy/`, with just the rights given there; its token file is rotated.
 */
export async function realKubernetes({ admit, folder, env, log }: RealKubernetesOptions): Promise<RealKubernetes> {
  await using stack = new AsyncDisposableStack();
  const assets = await kubeAssets(log);
  const plane = stack.use(await startControlPlane({ assets, folder: join(folder, 'kube'), env, crds }));
  const { api, url, ca, apiServer, managers } = plane;
  const deploy = join(import.meta.dirname, '../../../deploy/base');
  await plane.kubectl(['apply', '-f', join(deploy, 'namespace.yaml')]);
  await plane.kubectl(['apply', '-n', 'hawser-system', '-f', join(deploy, 'controller-rbac.yaml')]);
  await plane.kubectl(['apply', '-f', '-'], playersRbac);
  const tokenFile = join(folder, 'kube/hawser-controller.token');
  const controllerAccount = { namespace: 'hawser-system', name: 'hawser-controller' };
  stack.use(await followToken(api, controllerAccount, { file: tokenFile, log }));
  const kubeletToken = stack.use(await followToken(api, kubeletAccount, { log }));
  const kubeVirtToken = stack.use(await followToken(api, kubeVirtAccount, { log }));
  if (admit !== undefined) stack.use(await startAdmissionWebhook({ api, admit, folder: join(folder, 'kube') }));
  const whole = stack.move();
  return {
    api,
    managers,
    outage: async () => {
      for (const daemon of [apiServer, ...managers]) await daemon.kill();
    },
    outageEnds: async () => {
      for (const daemon of [apiServer, ...managers]) await daemon.start();
    },
    kubectl: `${assets.kubectl} --kubeconfig=${plane.adminKubeconfig}`,
    controllerKubeconfig: kubeconfigText({ url, ca, tokenFile }),
    asKubelet: fetchFrom(plane, () => kubeletToken.current),
    asKubeVirt: fetchFrom(plane, () => kubeVirtToken.current),
    hasScheduler: true,
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}
