import { KubeApi } from '#controller/kube/api.ts';
import { loadCredentials } from '#controller/kube/credentials.ts';
import { startKubeApi } from '../kube-api/server.ts';
import { plainTransport } from '../virt/kube-client.ts';
import type { StartKubernetes } from './kubernetes.ts';

/** The Kubernetes API in this process: up at once, without authentication. */
export const standInKubernetes: StartKubernetes = async ({ admit }) => {
  const server = await startKubeApi({ admit });
  const controllerKubeconfig = server.kubeconfig();
  const api = new KubeApi(loadCredentials({ text: controllerKubeconfig }));
  const send = plainTransport(server.url);
  return {
    api,
    kubectl: `kubectl --server=${server.url}`,
    controllerKubeconfig,
    asKubelet: send,
    asKubeVirt: send,
    hasScheduler: false,
    [Symbol.asyncDispose]: async () => {
      api.close();
      await server[Symbol.asyncDispose]();
    },
  };
};
