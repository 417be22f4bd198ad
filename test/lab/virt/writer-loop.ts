import { KubeRefused, makeWrite, type Transport } from './kube-client.ts';
import type { KubeObject } from './objects.ts';
import type { Write } from './write.ts';

/** Awaited before every write, so that a scenario can look, wait or break something between any two of them. */
export type Gate = (step: string, subject: GateSubject) => Promise<void>;

export interface GateSubject {
  readonly by: string;
  readonly kind: string;
  readonly namespace: string;
  /** Empty for an object that is only being created under a generated name. */
  readonly name: string;
}

export interface WriterLoopOptions {
  /** `virt-controller`, `virt-handler`; for the gate and the log. */
  readonly by: string;
  readonly send: Transport;
  readonly gate: Gate;
  /** Told what the API server answered, before anything else is decided. */
  readonly saw: (object: KubeObject) => void;
  /** Told of refusals that are no conflict. */
  readonly log: (line: string) => void;
}

/**
 * Carries out one level-triggered controller for many keys: as long as `next` says what to write, it is written, and when it
 * says nothing the loop waits to be woken. One write at a time per key; keys do not wait for each other.
 */
export class WriterLoop {
  readonly #options: WriterLoopOptions;
  readonly #next: (key: string) => Write | undefined;
  readonly #running = new Map<string, { again: boolean }>();
  #stopped = false;

  constructor(options: WriterLoopOptions, next: (key: string) => Write | undefined) {
    this.#options = options;
    this.#next = next;
  }

  wake(key: string): void {
    const running = this.#running.get(key);
    if (running) running.again = true;
    else void this.#run(key);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(key: string): Promise<void> {
    const run = { again: true };
    this.#running.set(key, run);
    while (run.again && !this.#stopped) {
      run.again = false;
      // Nothing is decided in the middle of the event that woke us: what belongs together may still be coming in.
      await Promise.resolve();
      while (!this.#stopped && (await this.#writeNext(key)));
    }
    this.#running.delete(key);
  }

  /** @returns whether there may be more to write. */
  async #writeNext(key: string): Promise<boolean> {
    const { by, gate, send, saw, log } = this.#options;
    const planned = this.#next(key);
    if (!planned) return false;
    await gate(planned.step, subjectOf(by, planned));
    // The gate may have taken long: what is written is what is right now.
    const write = this.#next(key);
    if (!write || this.#stopped) return false;
    if (write.step !== planned.step) return true;
    try {
      const object = await makeWrite(send, write);
      if (object) saw(object);
      return true;
    } catch (error) {
      // Our view is old: the watch brings what changed and wakes us. All else is tried again in a while.
      const isStale = error instanceof KubeRefused && [404, 409, 422].includes(error.code);
      if (!isStale) log(`${by}: ${write.step}: ${error}`);
      setTimeout(() => this.wake(key), isStale ? 20 : 500).unref();
      return false;
    }
  }
}

function subjectOf(by: string, write: Write): GateSubject {
  const { kind, metadata } = 'object' in write ? write.object : write.of;
  return { by, kind, namespace: 'namespace' in metadata ? metadata.namespace : '', name: metadata.name ?? '' };
}
