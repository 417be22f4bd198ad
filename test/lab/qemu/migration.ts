import { z } from 'zod';
import type { Machine, QemuMachine } from './machine.ts';
import { QmpClosed, type QmpEvent } from './qmp.ts';

export interface MigrateOptions {
  /** The guest may be switched to post-copy; the target has to have been started with the same. */
  readonly postCopy?: boolean;
  /** Slows the copy down so that there is a middle to it. */
  readonly bandwidthBytesPerSecond?: number;
}

/** A live migration on its way. */
export interface Migration {
  /** Resolves true when memory is being copied and the guest still runs on the source, false when it never came to that. */
  readonly copying: Promise<boolean>;
  /** Never rejects. After `completed` the source machine holds a stopped guest and can be killed. */
  readonly outcome: Promise<MigrationOutcome>;
  /** Too late once the guest runs on the target: then the outcome is `completed` all the same. */
  cancel(): Promise<void>;
  /** From now on the guest runs on the target while its memory is still being fetched. */
  startPostCopy(): Promise<void>;
}

export interface MigrationOutcome {
  readonly status: 'completed' | 'failed' | 'cancelled';
  /** A guest that failed in `PostCopy` is lost on both sides; in `PreCopy` it runs on the source again. */
  readonly mode: 'PreCopy' | 'PostCopy';
  /** `query-migrate` on the source: how long the guest stood still, by QEMU's own account. */
  readonly downtimeMs: number | undefined;
  /** From the source's STOP to the target's RESUME event, so with the time that `cont` took to be sent. */
  readonly stoppedMs: number | undefined;
  readonly totalMs: number | undefined;
  readonly ramTransferredBytes: number | undefined;
  readonly error: string | undefined;
}

/**
 * libvirt's Prepare, on a target started with `-S -incoming defer`: capabilities, then `migrate-incoming`.
 *
 * The capabilities are those libvirt always sets between two QEMUs that have them (src/qemu/qemu_migration_params.c,
 * qemuMigrationParamsAlwaysOn and the return path for every migration that is not tunnelled).
 */
export async function prepareIncoming(target: QemuMachine, postCopy: boolean): Promise<void> {
  await setCapabilities(target, ['events', 'late-block-activate', 'return-path'], postCopy);
  await target.qmp.execute('migrate-incoming', { uri: `unix:${target.migrationSocket}` });
}

/**
 * libvirt's Perform, Finish and Confirm of a pre-copy or post-copy migration (src/qemu/qemu_migration.c).
 *
 * - Perform: `migrate`; at status `pre-switchover` the guest has stopped and `migrate-continue` lets the rest go. It ends
 *   with `completed` on the source, or already with `postcopy-active`.
 * - Finish: when the target too has everything (or runs by post-copy), `cont`. QEMU queued the guest's RARP when the
 *   state was loaded, and a stopped machine sends nothing: the first RARP is on the wire with this `cont`.
 * - Confirm: is the caller's, who ends the source. When Finish failed, the source gets `cont`.
 */
export function migrate(source: QemuMachine, target: Machine, options: MigrateOptions): Migration {
  const copying = Promise.withResolvers<boolean>();
  const outcome = perform(source, target, options, () => copying.resolve(true)).finally(() => copying.resolve(false));
  return {
    copying: copying.promise,
    outcome,
    cancel: async () => {
      target.giveWay();
      await source.qmp.execute('migrate_cancel').catch(unlessClosed);
    },
    startPostCopy: async () => {
      if (await copying.promise) await source.qmp.execute('migrate-start-postcopy').catch(unlessClosed);
    },
  };
}

/** libvirt's Finish; resolves when the guest has been let run, or when the machine has ended. */
export async function finishIncoming(target: QemuMachine, postCopy: boolean): Promise<void> {
  // A post-copy guest is let run before all of it is there; until its state is loaded, QEMU keeps the `cont` in mind.
  if (!postCopy) {
    const events = target.qmp.events();
    const { status } = migrationInfo(await target.qmp.execute('query-migrate').catch(unlessClosed));
    if (status !== 'completed') {
      for await (const event of events) if (migrationStatus(event) === 'completed') break;
    }
    await events.return?.();
  }
  await target.qmp.execute('cont').catch(unlessClosed);
}

async function perform(
  source: QemuMachine,
  target: Machine,
  { postCopy = false, bandwidthBytesPerSecond = unlimitedBandwidth }: MigrateOptions,
  onCopying: () => void,
): Promise<MigrationOutcome> {
  const { qmp } = source;
  const events = qmp.events();
  let mode: MigrationOutcome['mode'] = 'PreCopy';
  let status: MigrationOutcome['status'] = 'failed';
  let error: string | undefined;
  let stoppedAtMs: number | undefined;
  let resumed: Promise<number | undefined> | undefined;
  try {
    await setCapabilities(source, ['events', 'pause-before-switchover', 'return-path'], postCopy);
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': bandwidthBytesPerSecond });
    await qmp.execute('migrate', { uri: `unix:${target.migrationSocket}` });
    for await (const event of events) {
      if (event.name === 'STOP') stoppedAtMs = event.atMs;
      const now = migrationStatus(event);
      if (now === 'active') onCopying();
      if (now === 'pre-switchover') await qmp.execute('migrate-continue', { state: 'pre-switchover' });
      if (now === 'postcopy-active') {
        mode = 'PostCopy';
        resumed = finish(target, true);
      }
      if (now === 'completed' || now === 'failed' || now === 'cancelled') {
        status = now;
        break;
      }
      // The target is lost; QEMU would wait for somebody to bring it back, libvirt reports a failure.
      if (now === 'postcopy-paused') break;
    }
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  await events.return?.();
  if (status === 'completed') {
    resumed ??= finish(target, false);
    // It tidies up, on a host of its own in a real cluster.
    source.giveWay();
  }
  const resumedAtMs = await resumed;
  if (status === 'completed' && resumedAtMs === undefined) {
    status = 'failed';
    error = 'the target ended before its guest ran';
  }
  const info = migrationInfo(await qmp.execute('query-migrate').catch(unlessClosed));
  if (status !== 'completed' && mode === 'PreCopy') await resumeSource(source);
  return {
    status,
    mode,
    downtimeMs: info.downtime,
    stoppedMs: stoppedAtMs === undefined || resumedAtMs === undefined ? undefined : resumedAtMs - stoppedAtMs,
    totalMs: info['total-time'],
    ramTransferredBytes: info.ram?.transferred,
    error: error ?? info['error-desc'],
  };
}

async function finish(target: Machine, postCopy: boolean): Promise<number | undefined> {
  await target.finishIncoming(postCopy);
  return target.untilRuns();
}

/** QEMU resumes the guest itself after most failures, but not when the target was lost after the switch-over. */
async function resumeSource({ qmp }: QemuMachine): Promise<void> {
  const state = await qmp.execute('query-status').catch(unlessClosed);
  if (state !== undefined && runState.parse(state).running === false) await qmp.execute('cont').catch(unlessClosed);
}

async function setCapabilities({ qmp }: QemuMachine, names: readonly string[], postCopy: boolean): Promise<void> {
  const on = names.map((capability) => ({ capability, state: true }));
  await qmp.execute('migrate-set-capabilities', {
    capabilities: [...on, { capability: 'postcopy-ram', state: postCopy }],
  });
}

function migrationStatus(event: QmpEvent): unknown {
  return event.name === 'MIGRATION' ? event.data.status : undefined;
}

function migrationInfo(answer: unknown): z.infer<typeof queryMigrate> {
  return queryMigrate.parse(answer ?? {});
}

/** The part of `query-migrate` that is read; times are milliseconds. */
const queryMigrate = z.object({
  status: z.string().optional(),
  'total-time': z.number().optional(),
  downtime: z.number().optional(),
  'error-desc': z.string().optional(),
  ram: z.object({ transferred: z.number() }).optional(),
});

const runState = z.object({ running: z.boolean() });

/** Bytes per second; QEMU's default of 128 MiB/s is the limit of nothing here. */
const unlimitedBandwidth = 2 ** 40;

/** A QEMU that has gone answers nothing; what follows from that is seen elsewhere. */
function unlessClosed(error: unknown): undefined {
  if (!(error instanceof QmpClosed)) throw error;
}
