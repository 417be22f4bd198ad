import type { KubeApi } from './api.ts';
import { type Clock, pause, wallClock } from './clock.ts';
import { KubeError } from './errors.ts';
import { type Lease, leaseObject, leasePath, microTime, parseLease } from './lease.ts';

export interface LeaderElectionOptions {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  /** Name of the Lease all candidates share. */
  readonly name: string;
  /** Of this candidate; no two may have the same, and a restarted one is another. */
  readonly identity: string;
  readonly signal: AbortSignal;
  /** A lease not renewed for this long may be taken. */
  readonly leaseMs?: number;
  /** A leader that cannot renew for this long stops leading; shorter than `leaseMs`, so that two never lead at once. */
  readonly renewWithinMs?: number;
  /** Between two attempts to take or to renew. */
  readonly retryMs?: number;
  readonly onNotice?: (notice: ElectionNotice) => void;
  readonly clock?: Clock;
}

export type ElectionNotice =
  | { readonly type: 'waiting'; readonly leader: string }
  | { readonly type: 'leading' }
  | { readonly type: 'renewed' }
  | { readonly type: 'lost'; readonly leader: string | undefined }
  | { readonly type: 'failed'; readonly error: KubeError };

/** Held by one process at a time. */
export interface Leadership {
  /** Aborts when the lease could not be kept: stop writing at once. */
  readonly lost: AbortSignal;
  /** Gives the lease up, so that another candidate can lead without waiting for its end. Call it after the last write. */
  release(): Promise<void>;
}

/**
 * Waits until this candidate leads, as client-go's leader election does (a `coordination.k8s.io/v1` Lease), and then keeps the lease
 * until `signal` aborts. Rejects with the signal's reason when that happens before it leads.
 */
export async function lead(options: LeaderElectionOptions): Promise<Leadership> {
  const election = new Election(options);
  await election.acquire();
  const lost = new AbortController();
  const renewing = election.keep().finally(() => lost.abort(new Error('the lease is lost')));
  return {
    lost: lost.signal,
    release: async () => {
      election.stop();
      await renewing;
      await election.giveUp();
    },
  };
}

class Election {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #stopped = new AbortController();
  readonly #signal: AbortSignal;
  readonly #leaseMs: number;
  readonly #retryMs: number;
  /** The lease as last seen, and when it was first seen so: clocks of machines differ, so only our own measures its age. */
  #seen: { readonly lease: Lease; readonly atMs: number } | undefined;
  /** Our last write went through, so that the lease is as last seen unless somebody took it. */
  #isCertain = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#path = leasePath(options.namespace, options.name);
    this.#signal = AbortSignal.any([options.signal, this.#stopped.signal]);
    this.#leaseMs = options.leaseMs ?? 15_000;
    this.#retryMs = options.retryMs ?? 2_000;
  }

  async acquire(): Promise<void> {
    for (;;) {
      this.#signal.throwIfAborted();
      if (await this.#attempt()) {
        this.#notice({ type: 'leading' });
        return;
      }
      await pause(this.#clock, this.#retryMs, this.#signal);
    }
  }

  /** Resolves when the lease is lost, or when asked to stop. */
  async keep(): Promise<void> {
    const { renewWithinMs = 10_000 } = this.#options;
    let renewedAt = this.#clock.now();
    for (;;) {
      await pause(this.#clock, this.#retryMs, this.#signal);
      if (this.#signal.aborted) return;
      if (await this.#attempt()) {
        renewedAt = this.#clock.now();
        this.#notice({ type: 'renewed' });
        continue;
      }
      const leader = this.#seen?.lease.holder;
      const isTaken = leader !== undefined && leader !== '' && leader !== this.#options.identity;
      if (isTaken || this.#clock.now() - renewedAt >= renewWithinMs) {
        this.#notice({ type: 'lost', leader });
        return;
      }
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  async giveUp(): Promise<void> {
    const held = this.#seen?.lease;
    if (held?.holder !== this.#options.identity) return;
    const released = leaseObject({ ...held, holder: '', durationMs: 1000 }, Date.now());
    await this.#options.api.replace(this.#path, released).catch((error: unknown) => {
      // The lease then ends by itself.
      if (!(error instanceof KubeError)) throw error;
      this.#notice({ type: 'failed', error });
    });
  }

  /** Tries once to take or renew the lease; true when it is ours now. */
  async #attempt(): Promise<boolean> {
    const { api, name, namespace, identity } = this.#options;
    // An attempt that hangs must not let the lease run out unnoticed.
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(this.#retryMs * 2)]);
    try {
      // A leader need not look first: whoever took the lease meanwhile makes its write a conflict.
      const current = this.#isCertain ? this.#seen?.lease : await this.#read(signal);
      if (current === undefined) {
        const first = { namespace, name, holder: identity, durationMs: this.#leaseMs, transitions: 0 };
        this.#see(await api.create(leasePath(namespace), leaseObject(first, Date.now()), { signal }));
        return true;
      }
      const isOurs = current.holder === identity;
      const ageMs = this.#clock.now() - (this.#seen?.atMs ?? 0);
      if (!isOurs && current.holder !== '' && ageMs < current.durationMs) {
        this.#notice({ type: 'waiting', leader: current.holder });
        return false;
      }
      const kept = { ...current, durationMs: this.#leaseMs };
      const taken = {
        ...kept,
        holder: identity,
        transitions: current.transitions + 1,
        acquireTime: microTime(Date.now()),
      };
      const next = leaseObject(isOurs ? kept : taken, Date.now());
      this.#see(await api.replace(this.#path, next, { signal }));
      this.#isCertain = true;
      return true;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      this.#isCertain = false;
      // A conflict says that another candidate was faster, which the next look will show.
      if (error.code !== 'conflict' && error.code !== 'already-exists') this.#notice({ type: 'failed', error });
      return false;
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      this.#see(await this.#options.api.get(this.#path, { signal }));
      return this.#seen?.lease;
    } catch (error) {
      if (error instanceof KubeError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  #see(json: unknown): void {
    const lease = parseLease(json);
    if (this.#seen?.lease.resourceVersion === lease.resourceVersion) return;
    this.#seen = { lease, atMs: this.#clock.now() };
  }

  #notice(notice: ElectionNotice): void {
    this.#options.onNotice?.(notice);
  }
}
