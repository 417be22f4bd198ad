import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Api } from './api.ts';
import { isLauncher, type Pod } from './pod.ts';
import { type PodState, podStatus } from './pod-status.ts';
import { createSandbox, type Runtime, removeSandbox, type Sandbox } from './sandbox.ts';

export interface WorkerContext {
  readonly api: Api;
  readonly runtime: Runtime;
  readonly hostIPs: readonly string[];
  /** Between two tries of a sandbox or of its removal; a kubelet waits longer and longer, the lab does not. */
  readonly retryMs: number;
  readonly log: (line: string) => void;
}

/** One pod from its binding to its end: syncPod, syncTerminatingPod and syncTerminatedPod of a kubelet's pod worker. */
export class PodWorker {
  sandbox: Sandbox | undefined;
  readonly ended: Promise<void>;
  readonly #context: WorkerContext;
  readonly #stop: AbortSignal;
  /** Ends a sandbox that is still being made, as soon as the pod is to go. */
  readonly #unwanted = new AbortController();
  #pod: Pod;
  #state: PodState = { kind: 'creating' };
  #isGone = false;
  #exitCode: number | undefined;
  #hasNews = false;
  #wakeSleeper = () => {};

  constructor(pod: Pod, context: WorkerContext, stop: AbortSignal) {
    this.#pod = pod;
    this.#context = context;
    this.#stop = stop;
    stop.addEventListener('abort', () => this.#wake());
    this.ended = this.#live();
  }

  /** The pod's object is now this; undefined when it is gone from the API. */
  update(pod: Pod | undefined): void {
    if (pod) this.#pod = pod;
    else this.#isGone = true;
    if (this.#isUnwanted()) this.#unwanted.abort();
    this.#wake();
  }

  containersExited(exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#wake();
  }

  async #live(): Promise<void> {
    await this.#report();
    await this.#start();
    while (!this.#mustStop() && !this.#isUnwanted() && this.#exitCode === undefined) {
      await this.#report();
      await this.#changed();
    }
    if (this.#isUnwanted()) await this.#terminate();
    if (this.#mustStop()) return;
    await this.#retried('sandbox not removed', () => this.#removeSandbox());
    if (this.#state.kind === 'running' || this.#exitCode !== undefined) {
      this.#state = { kind: 'exited', exitCode: this.#exitCode ?? 0, finishedAt: now() };
      await this.#report();
    }
    while (!this.#mustStop() && !this.#isUnwanted()) await this.#changed();
    if (!this.#isGone) await this.#retried('object not removed', () => this.#context.api.remove(this.#pod));
  }

  /** Makes the sandbox, over and over while it fails, and starts the containers. */
  async #start(): Promise<void> {
    await this.#retried('sandbox not made', async () => {
      if (!this.#isUnwanted()) this.sandbox ??= await this.#makeSandbox();
    });
    if (!this.sandbox) return;
    const podIPs = this.sandbox.result
      ? this.sandbox.result.ips.map(({ address }) => address.split('/')[0] ?? '')
      : this.#context.hostIPs;
    this.#state = { kind: 'running', podIPs, startedAt: now() };
  }

  async #makeSandbox(): Promise<Sandbox> {
    const { runtime } = this.#context;
    if (this.#pod.spec.hostNetwork) {
      return { containerId: 'host', netns: runtime.nodeNetns, netnsPath: `/run/netns/${runtime.nodeNetns}` };
    }
    return await createSandbox(runtime, this.#pod, AbortSignal.any([this.#unwanted.signal, this.#stop]));
  }

  /** Signals the containers. An ordinary one ends at once; a launcher when its domain is shut down, or at the end of its grace. */
  async #terminate(): Promise<void> {
    if (!isLauncher(this.#pod) || !this.sandbox || this.#isGone) return;
    const { deletionGracePeriodSeconds = 30 } = this.#pod.metadata;
    const grace = AbortSignal.timeout(deletionGracePeriodSeconds * 1000);
    grace.addEventListener('abort', () => this.#wake());
    while (this.#exitCode === undefined && !grace.aborted && !this.#isGone && !this.#mustStop()) await this.#changed();
    this.#exitCode ??= 137; // 128 + SIGKILL
  }

  async #removeSandbox(): Promise<void> {
    const { sandbox } = this;
    if (sandbox?.result) await removeSandbox(this.#context.runtime, this.#pod, sandbox);
    this.sandbox = undefined;
  }

  async #report(): Promise<void> {
    const compute = (pod: Pod) => podStatus(pod, this.#state, this.#context.hostIPs, now());
    const wanted = compute(this.#pod);
    if (this.#isGone || isDeepStrictEqual(wanted, this.#pod.status)) return;
    await this.#retried('status not written', async () => {
      const written = await this.#context.api.writeStatus(this.#pod, compute);
      // The watch may have been faster, with something newer still.
      if (written && isNewer(written, this.#pod)) this.#pod = written;
    });
  }

  async #retried(failure: string, work: () => Promise<void>): Promise<void> {
    const { metadata } = this.#pod;
    while (!this.#mustStop()) {
      try {
        return await work();
      } catch (error) {
        if (this.#mustStop()) return;
        this.#context.log(`${metadata.namespace}/${metadata.name}: ${failure}: ${error}`);
        await delay(this.#context.retryMs, undefined, { signal: this.#stop }).catch(() => {});
      }
    }
  }

  #wake(): void {
    this.#hasNews = true;
    this.#wakeSleeper();
  }

  /** Resolves when something happened since it last did. */
  async #changed(): Promise<void> {
    if (!this.#hasNews) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakeSleeper = resolve;
      await promise;
    }
    this.#hasNews = false;
  }

  #isUnwanted(): boolean {
    return this.#isGone || this.#pod.metadata.deletionTimestamp !== undefined;
  }

  #mustStop(): boolean {
    return this.#stop.aborted;
  }
}

function isNewer(one: Pod, other: Pod): boolean {
  return BigInt(one.metadata.resourceVersion) > BigInt(other.metadata.resourceVersion);
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
