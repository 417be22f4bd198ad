import { applyManifest, deleteManifest } from '#test/kube/manifest.ts';
import type { Lab } from '../lab.ts';
import { migrationYaml } from '../manifests.ts';
import { until } from '../until.ts';
import type { Launcher } from '../virt/handler/launcher.ts';
import type { MigrationConfiguration } from '../virt/objects.ts';
import type { LabVm } from '../vm.ts';
import type { StepOutcome } from './scenario.ts';

/** Slow enough that the copy of a guest of 128 MiB has a middle; bytes per second. */
export const slowBandwidth = '4Mi';

export interface LiveMigrationOptions {
  readonly to: string;
  readonly configuration?: Partial<MigrationConfiguration>;
  /** Called when memory is being copied, with the way to delete the VirtualMachineInstanceMigration. */
  readonly whileCopying?: (
    launchers: { source: Launcher; target: Launcher },
    cancel: () => Promise<void>,
  ) => Promise<void>;
}

let count = 0;

/** Migrates a VM as a user does, and waits until everything about it has come to rest. */
export async function liveMigrate(lab: Lab, vm: LabVm, options: LiveMigrationOptions): Promise<StepOutcome> {
  const { to, configuration = {}, whileCopying } = options;
  const { view } = lab;
  const from = vm.node;
  const source = vm.launcher;
  const name = `${vm.name}-migration-${++count}`;
  lab.migrationConfiguration = configuration;
  await applyManifest(lab.kubernetes.api, migrationYaml(name, vm.name, to));
  const vmim = () => view.migrations('default', vm.name).find(({ metadata }) => metadata.name === name);
  const phase = () => vmim()?.status?.phase;

  await until(view, `${name} runs`, () => phase() === 'Running' || isFinal(phase()));
  if (whileCopying !== undefined) {
    const target = await copying(source, () => vm.launcherOn(to));
    await whileCopying({ source, target }, () => deleteManifest(lab.kubernetes.api, migrationYaml(name, vm.name, to)));
  }
  // A cancelled one is gone as soon as it has failed.
  const last = await until(view, `${name} ends`, () => (vmim() === undefined ? 'Gone' : isFinal(phase()) && phase()));
  const isCommitted = last === 'Succeeded';
  const left = isCommitted ? from : to;
  await until(view, `the launcher pod on ${left} has ended`, () =>
    vm.launcherPods.filter(({ spec }) => spec.nodeName === left).every(({ status }) => isFinal(status?.phase)),
  );
  const { outcome } = source.migration ?? {};
  return {
    outcome: isCommitted ? 'completed' : outcome?.status === 'cancelled' ? 'cancelled' : 'failed',
    qemuDowntimeMs: isCommitted ? (outcome?.downtimeMs ?? null) : null,
    stoppedMs: isCommitted ? (outcome?.stoppedMs ?? null) : null,
  };
}

function isFinal(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Resolves with the target's launcher when memory is being copied. The VMIM runs a moment before QEMU has begun. */
async function copying(source: Launcher, target: () => Launcher | undefined): Promise<Launcher> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const [running, launcher] = [source.migration?.running, target()];
    if (running !== undefined && launcher !== undefined && (await running.copying)) return launcher;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${source.podName} has not begun to copy its guest in 30 s`);
}
