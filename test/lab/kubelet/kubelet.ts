import { setTimeout as delay } from 'node:timers/promises';
import type { Transport } from '../virt/kube-client.ts';
import { Api, type PodEvent } from './api.ts';
import { PodWorker } from './pod-worker.ts';
import type { Runtime, Sandbox } from './sandbox.ts';

export interface KubeletOptions extends Runtime {
  /** Name of the Node object, which is made if it is not there. */
  readonly node: string;
  /** Sends its requests to the Kubernetes API. */
  readonly send: Transport;
  /** Addresses of the node, IPv4 first. */
  readonly hostIPs: readonly string[];
  /** Between two tries of what failed; 500 when absent. */
  readonly retryMs?: number;
  /** Told what failed. */
  readonly log?: (line: string) => void;
}

/** Stands in for kubelet and container runtime of one node: real sandboxes and the real CNI plugin, but no containers. */
export interface Kubelet extends AsyncDisposable {
  /** The sandbox of a pod of this node, while there is one. */
  sandboxOf(podUid: string): Sandbox | undefined;
  /** The launcher process of a pod ended (its domain was shut down, migrated away or failed): the pod is completed. */
  launcherExited(podUid: string, exitCode: number): void;
}

/**
 * Starts a kubelet: it registers the Node, then makes each pod that is bound to it run and takes down each that ends or is deleted.
 * Disposing it removes the sandboxes' namespaces and leaves the objects as they are, as a node that loses power does.
 */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { node, hostIPs, retryMs = 500, log = () => {} } = options;
  const api = new Api(options.send);
  const stop = new AbortController();
  const workers = new Map<string, PodWorker>();
  const context = { api, runtime: options, hostIPs, retryMs, log };

  function take(event: PodEvent): void {
    if (event.kind === 'list') {
      const listed = new Set(event.pods.map(({ metadata }) => metadata.uid));
      for (const [uid, worker] of workers) if (!listed.has(uid)) worker.update(undefined);
    }
    for (const pod of event.pods) {
      const { uid } = pod.metadata;
      const worker = workers.get(uid);
      if (worker) worker.update(event.kind === 'gone' ? undefined : pod);
      else if (event.kind !== 'gone' && !hasEnded(pod.status?.phase)) {
        const started = new PodWorker(pod, context, stop.signal);
        workers.set(uid, started);
        void started.ended
          .catch((error: unknown) => log(`${pod.metadata.namespace}/${pod.metadata.name}: ${error}`))
          .finally(() => workers.delete(uid));
      }
    }
  }

  await api.registerNode(node, hostIPs);
  await api.renewLease(node);
  const living = (async () => {
    for (;;) {
      await delay(10_000, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      if (stop.signal.aborted) return;
      await api.renewLease(node).catch((error: unknown) => log(`kubelet of ${node}: ${error}`));
    }
  })();
  const following = (async () => {
    for await (const event of api.follow(node, stop.signal)) take(event);
  })();

  return {
    sandboxOf: (podUid) => workers.get(podUid)?.sandbox,
    launcherExited: (podUid, exitCode) => workers.get(podUid)?.containersExited(exitCode),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await living;
      await following.catch((error: unknown) => log(`kubelet of ${node}: ${error}`));
      const left = [...workers.values()];
      await Promise.allSettled(left.map(({ ended }) => ended));
      for (const { sandbox } of left) if (sandbox?.result) await options.removeNamespace(sandbox.netns);
    },
  };
}

function hasEnded(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
