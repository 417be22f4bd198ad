import { isDeepStrictEqual } from 'node:util';
import { type PodState, podStatus } from '#test/lab/kubelet/pod-status.ts';
import { ClusterView } from './cluster-view.ts';
import { KubeRefused, makeWrite, type Transport } from './kube-client.ts';
import { isFinal, type Pod } from './objects.ts';
import { rfc3339 } from './write.ts';

/** A kubelet whose pods run as soon as they are bound and end when they are told to; nothing is behind them. */
export class PlayedKubelet {
  readonly hostIP: string;
  /** While true, bound pods stay in ContainerCreating. */
  isStuck = false;
  readonly #send: Transport;
  readonly #node: string;
  readonly #view: ClusterView;
  readonly #states = new Map<string, PodState>();
  readonly #writing = new Map<string, Promise<void>>();
  readonly #unseen = new Set<string>();

  constructor(send: Transport, node: string, hostIP: string) {
    this.#send = send;
    this.#node = node;
    this.hostIP = hostIP;
    this.#view = new ClusterView(send, ['Pod']);
  }

  async start(): Promise<void> {
    this.#view.onChange((object) => {
      if (object.kind === 'Pod' && object.spec.nodeName === this.#node) this.#sync(object.metadata.uid);
    });
    await this.#view.start();
  }

  /** Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    this.#view.stop();
    await Promise.all(this.#writing.values());
  }

  sandboxOf(podUid: string): { netns: string } | undefined {
    return this.#states.get(podUid)?.kind === 'running' ? { netns: `pod-${podUid}` } : undefined;
  }

  launcherExited(podUid: string, exitCode: number): void {
    this.#states.set(podUid, { kind: 'exited', exitCode, finishedAt: rfc3339(new Date()) });
    this.#sync(podUid);
  }

  /** Goes on with pods that stuck. */
  unstick(): void {
    this.isStuck = false;
    for (const pod of this.#view.pods()) if (pod.spec.nodeName === this.#node) this.#sync(pod.metadata.uid);
  }

  #sync(uid: string): void {
    // What comes while a write is under way is looked at after it.
    this.#unseen.add(uid);
    if (this.#writing.has(uid)) return;
    const writing = this.#writeWhatIsUnseen(uid).finally(() => this.#writing.delete(uid));
    this.#writing.set(uid, writing);
  }

  async #writeWhatIsUnseen(uid: string): Promise<void> {
    while (this.#unseen.delete(uid)) {
      for (let pod = this.#podOf(uid); pod; pod = this.#podOf(uid)) {
        const written = await this.#next(pod).catch(unlessRefused);
        if (!written) break;
        this.#view.saw(written);
      }
    }
  }

  #podOf(uid: string): Pod | undefined {
    return this.#view.pods().find(({ metadata }) => metadata.uid === uid);
  }

  async #next(pod: Pod): Promise<Pod | undefined> {
    const { uid, deletionTimestamp } = pod.metadata;
    const state = this.#states.get(uid) ?? { kind: 'creating' };
    const status = statusOf(pod, state, this.hostIP);
    if (!isDeepStrictEqual(status, pod.status)) return await this.#put({ ...pod, status });
    if (state.kind === 'creating' && deletionTimestamp !== undefined) {
      this.#states.set(uid, { kind: 'exited', exitCode: 137, finishedAt: rfc3339(new Date()) });
      return pod;
    }
    if (state.kind === 'creating' && !this.isStuck) {
      const podIPs = pod.spec.hostNetwork ? [this.hostIP] : ['10.244.0.5', 'fd00:10:244::5'];
      this.#states.set(uid, { kind: 'running', podIPs, startedAt: rfc3339(new Date()) });
      return pod;
    }
    if (deletionTimestamp !== undefined && isFinal(pod.status?.phase)) {
      const options = { method: 'DELETE', body: '{"gracePeriodSeconds":0}' };
      await this.#send(`/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`, options);
    }
    return undefined;
  }

  async #put(pod: Pod): Promise<Pod | undefined> {
    const written = await makeWrite(this.#send, { step: 'kubelet', verb: 'update/status', object: pod });
    return written?.kind === 'Pod' ? written : undefined;
  }
}

/** A conflict: the watch is about to bring what is newer. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof KubeRefused)) throw error;
}

/** The lab's kubelet knows a condition without a time as one that has none, the API as one whose time is null. */
function statusOf(pod: Pod, state: PodState, hostIP: string): NonNullable<Pod['status']> {
  const { conditions, containerStatuses: _recomputed, ...status } = pod.status ?? {};
  const known = conditions?.map(({ lastTransitionTime, lastProbeTime: _unused, ...condition }) => ({
    ...condition,
    ...(lastTransitionTime != null && { lastTransitionTime }),
  }));
  const seen = { ...pod, status: { ...status, ...(known && { conditions: known }) } };
  return podStatus(seen, state, [hostIP], rfc3339(new Date()));
}
