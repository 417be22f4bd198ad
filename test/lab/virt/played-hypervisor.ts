import type { Machine } from '#test/lab/qemu/machine.ts';
import type { MigrateOptions, Migration, MigrationOutcome } from '#test/lab/qemu/migration.ts';
import type { DomainRequest } from './hypervisor.ts';

/** Domains without QEMU: they run at once, and migrations end when and how they are told to. */
export class PlayedHypervisor {
  /** Awaited before a target's domain is there; rejecting is a libvirt that cannot start it. */
  incomingAllowed: Promise<void> = Promise.resolve();
  /** By name of the launcher pod. */
  readonly machines = new Map<string, PlayedMachine>();

  async start({ name, incoming }: DomainRequest): Promise<Machine> {
    if (incoming) await this.incomingAllowed;
    const machine = new PlayedMachine(name, incoming === undefined);
    this.machines.set(name, machine);
    return machine;
  }

  /** The migration that is on its way out of a launcher pod. */
  migrationFrom(podName: string): PlayedMigration {
    const migration = this.machines.get(podName)?.outgoing;
    if (!migration) throw new Error(`${podName} migrates nowhere`);
    return migration;
  }
}

class PlayedMachine implements Machine {
  readonly name: string;
  readonly consoleSocket = '';
  readonly reportSocket = '';
  readonly migrationSocket = '';
  readonly runs = Promise.withResolvers<number | undefined>();
  outgoing: PlayedMigration | undefined;
  readonly #ended = Promise.withResolvers<void>();

  constructor(name: string, isRunning: boolean) {
    this.name = name;
    if (isRunning) this.runs.resolve(0);
  }

  migrateTo(target: Machine, options: MigrateOptions): Migration {
    if (!(target instanceof PlayedMachine)) throw new Error('a played guest cannot go to a real machine');
    this.outgoing = new PlayedMigration(target, options);
    return this.outgoing;
  }

  async finishIncoming(): Promise<void> {
    this.runs.resolve(0);
  }

  untilRuns(): Promise<number | undefined> {
    return this.runs.promise;
  }

  untilEnd(): Promise<void> {
    return this.#ended.promise;
  }

  giveWay(): void {}

  async kill(): Promise<void> {
    this.runs.resolve(undefined);
    this.#ended.resolve();
  }
}

export class PlayedMigration implements Migration {
  readonly copying = Promise.resolve(true);
  readonly options: MigrateOptions;
  readonly #target: PlayedMachine;
  readonly #outcome = Promise.withResolvers<MigrationOutcome>();
  #mode: MigrationOutcome['mode'] = 'PreCopy';

  constructor(target: PlayedMachine, options: MigrateOptions) {
    this.#target = target;
    this.options = options;
    void target.untilEnd().then(() => this.fail('the target ended'));
  }

  get outcome(): Promise<MigrationOutcome> {
    return this.#outcome.promise;
  }

  arrive(): void {
    this.#target.runs.resolve(0);
    this.#end('completed');
  }

  fail(error: string): void {
    this.#end('failed', error);
  }

  async cancel(): Promise<void> {
    this.#end('cancelled');
  }

  async startPostCopy(): Promise<void> {
    this.#mode = 'PostCopy';
    this.#target.runs.resolve(0);
  }

  #end(status: MigrationOutcome['status'], error?: string): void {
    this.#outcome.resolve({
      ...{ status, error, mode: this.#mode, ramTransferredBytes: 0 },
      ...{ downtimeMs: 50, stoppedMs: 52, totalMs: 400 },
    });
  }
}
