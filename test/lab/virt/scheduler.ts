import { setTimeout as delay } from 'node:timers/promises';
import { ClusterView } from './cluster-view.ts';
import { bindPod, KubeRefused, type Transport } from './kube-client.ts';
import { isFinal, type Node, type Pod, type Strings } from './objects.ts';
import type { Gate } from './writer-loop.ts';

/**
 * Plays kube-scheduler as far as launcher pods and ordinary pods of the lab need it: node selectors, required pod
 * anti-affinity, and of the nodes that are left the one with the fewest pods.
 */
export async function startScheduler(options: {
  readonly send: Transport;
  /** Asked with `T3a` before a launcher pod is bound. */
  readonly gate?: Gate;
  readonly log?: (line: string) => void;
}): Promise<{ stop(): void }> {
  const { send, gate = async () => {}, log = () => {} } = options;
  const view = new ClusterView(send, ['Node', 'Pod']);
  const waiting = new Set<string>();

  async function schedule(pod: Pod): Promise<void> {
    const { uid, namespace, name } = pod.metadata;
    if (waiting.has(uid) || !isUnscheduled(pod)) return;
    waiting.add(uid);
    try {
      await gate('T3a', { by: 'kube-scheduler', kind: 'Pod', namespace, name });
      const nodeName = nodeFor(pod, view.nodes(), view.pods());
      if (nodeName !== undefined) await bindPod(send, pod, nodeName);
    } catch (error) {
      // Bound or deleted meanwhile is no news.
      if (!(error instanceof KubeRefused && [404, 409].includes(error.code))) log(`kube-scheduler: ${error}`);
      await delay(100);
    } finally {
      waiting.delete(uid);
    }
  }

  // Any change may make room: a node that came, a pod that went.
  view.onChange(() => {
    for (const pod of view.pods()) if (isUnscheduled(pod)) void schedule(pod);
  });
  await view.start();
  return { stop: () => view.stop() };
}

/** @returns undefined when no node fits now. */
export function nodeFor(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): string | undefined {
  const live = pods.filter(({ status, spec }) => !isFinal(status?.phase) && spec.nodeName !== undefined);
  const isApart = (nodeName: string): boolean =>
    (pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).every(
      ({ labelSelector }) =>
        !live.some(
          ({ metadata, spec }) =>
            spec.nodeName === nodeName &&
            metadata.namespace === pod.metadata.namespace &&
            hasAll(metadata.labels, labelSelector.matchLabels),
        ),
    );
  const load = (nodeName: string): number => live.filter(({ spec }) => spec.nodeName === nodeName).length;
  return nodes
    .filter(({ spec, metadata }) => !spec?.unschedulable && hasAll(labelsOf(metadata), pod.spec.nodeSelector ?? {}))
    .map(({ metadata }) => metadata.name)
    .filter(isApart)
    .sort((one, other) => load(one) - load(other) || one.localeCompare(other))[0];
}

function isUnscheduled({ metadata, spec, status }: Pod): boolean {
  return spec.nodeName === undefined && metadata.deletionTimestamp === undefined && !isFinal(status?.phase);
}

/** A node has its host name as a label whether somebody has set it or not. */
function labelsOf({ name, labels }: Node['metadata']): Strings {
  return { 'kubernetes.io/hostname': name, ...labels };
}

function hasAll(labels: Strings = {}, wanted: Strings): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}
