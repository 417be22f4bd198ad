import type { Machine } from '#test/lab/qemu/machine.ts';
import type { Migration, MigrationOutcome } from '#test/lab/qemu/migration.ts';
import type { Attachment } from '../attachments.ts';
import type { Hypervisor } from '../hypervisor.ts';

/**
 * The virt-launcher of one pod and the libvirt in it: at most one domain, and what is known of its migration. Whatever it does
 * is asked of it by the virt-handler of its node; `onChange` tells that one when the domain's state is another.
 */
export class Launcher {
  /** Of the pod whose `compute` container it is. */
  readonly podUid: string;
  readonly podName: string;
  attachments: readonly Attachment[] | undefined;
  /** Ports of its migration proxies and what they lead to. */
  migrationPorts: Readonly<Record<string, number>> | undefined;
  machine: Machine | undefined;
  /** The state of the domain, as libvirt has it. */
  domain: 'none' | 'incoming' | 'running' | 'ended' = 'none';
  /** The job of a domain that migrates away, or that came here; undefined when there never was one. */
  migration: MigrationJob | undefined;
  isEnded = false;
  readonly #hypervisor: Hypervisor;
  readonly #onChange: () => void;

  constructor(pod: { uid: string; name: string }, hypervisor: Hypervisor, onChange: () => void) {
    this.podUid = pod.uid;
    this.podName = pod.name;
    this.#hypervisor = hypervisor;
    this.#onChange = onChange;
  }

  async startDomain(memoryMiB: number): Promise<void> {
    await this.#start(memoryMiB);
    this.domain = 'running';
    this.#onChange();
  }

  /**
   * Sends the domain to another launcher, through libvirt's phases: the target's QEMU is started only now, in Prepare.
   * Returns when memory begins to be copied, or when it has failed to come to that.
   */
  async migrateTo(target: Launcher, options: MigrationRequest): Promise<void> {
    if (!this.machine) throw new Error(`${this.podName} has no domain to migrate`);
    const { migrationUid, memoryMiB, postCopy, bandwidthBytesPerSecond, postCopyAfterMs } = options;
    const job: MigrationJob = { migrationUid, mode: 'PreCopy', outcome: undefined, running: undefined };
    this.migration = job;
    target.migration = job;
    this.#onChange();
    const settle = (outcome: MigrationOutcome): void => {
      job.outcome = outcome;
      job.mode = outcome.mode;
      this.#onChange();
      target.#onChange();
    };
    let incoming: Machine;
    try {
      incoming = await target.prepareIncoming(memoryMiB, postCopy);
    } catch (error) {
      settle(neverBegan(error));
      return;
    }
    const running = this.machine.migrateTo(incoming, {
      postCopy,
      ...(bandwidthBytesPerSecond > 0 && { bandwidthBytesPerSecond }),
    });
    job.running = running;
    const timer = postCopy && setTimeout(() => this.#switchToPostCopy(job, running), postCopyAfterMs);
    void running.outcome.then((outcome) => {
      if (timer) clearTimeout(timer);
      settle(outcome);
    });
    await running.copying;
    this.#onChange();
  }

  /** libvirt's Prepare: the domain is there, paused, and waits for its guest. */
  async prepareIncoming(memoryMiB: number, postCopy: boolean): Promise<Machine> {
    const machine = await this.#start(memoryMiB, { postCopy });
    this.domain = 'incoming';
    this.#onChange();
    void machine.untilRuns().then((runsSinceMs) => {
      if (runsSinceMs === undefined || this.domain === 'ended') return;
      this.domain = 'running';
      this.#onChange();
    });
    return machine;
  }

  async cancelMigration(): Promise<void> {
    await this.migration?.running?.cancel();
  }

  /** The domain ends, the launcher stays to be told so. */
  async shutDown(): Promise<void> {
    await this.machine?.kill();
  }

  /** Ends the domain, gives the NICs back and is no more. */
  async end(): Promise<void> {
    this.isEnded = true;
    await this.machine?.kill();
    for (const attachment of this.attachments ?? []) await attachment.detach();
  }

  async #start(memoryMiB: number, incoming?: { postCopy: boolean }): Promise<Machine> {
    const { attachments } = this;
    if (!attachments) throw new Error(`${this.podName} has no network yet`);
    const machine = await this.#hypervisor({
      name: this.podName,
      attachments,
      memoryMiB,
      ...(incoming && { incoming }),
    });
    this.machine = machine;
    // Its pod ended while QEMU started.
    if (this.isEnded) await machine.kill();
    void machine.untilEnd().then(() => {
      this.domain = 'ended';
      this.#onChange();
    });
    return machine;
  }

  #switchToPostCopy(job: MigrationJob, running: Migration): void {
    if (job.outcome) return;
    job.mode = 'PostCopy';
    this.#onChange();
    // When it comes too late, the migration's outcome says what happened instead.
    void running.startPostCopy().catch(() => {});
  }
}

/** The same object at both ends. */
export interface MigrationJob {
  readonly migrationUid: string;
  mode: 'PreCopy' | 'PostCopy';
  outcome: MigrationOutcome | undefined;
  running: Migration | undefined;
}

export interface MigrationRequest {
  readonly migrationUid: string;
  readonly memoryMiB: number;
  readonly postCopy: boolean;
  readonly postCopyAfterMs: number;
  /** 0 is no limit. */
  readonly bandwidthBytesPerSecond: number;
}

function neverBegan(error: unknown): MigrationOutcome {
  return {
    ...{ status: 'failed', mode: 'PreCopy', error: error instanceof Error ? error.message : String(error) },
    ...{ downtimeMs: undefined, stoppedMs: undefined, totalMs: undefined, ramTransferredBytes: undefined },
  };
}
