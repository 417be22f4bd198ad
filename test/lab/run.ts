import { applyManifest, deleteManifest } from '#test/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { leftovers } from './leftovers.ts';
import { attachments, networkYaml, observerYaml } from './manifests.ts';
import { guestProblems, measured } from './measure.ts';
import { Observation, type Observed } from './observation.ts';
import { type GuestResult, type LabResult, labResult, type MigrationResult } from './results.ts';
import { type ScenarioName, scenarios } from './scenarios/index.ts';
import { until } from './until.ts';
import { LabVm } from './vm.ts';

export interface RunOptions {
  readonly vms: number;
  readonly scenarios: readonly ScenarioName[];
  readonly log: (line: string) => void;
  readonly onGuest?: (guest: GuestResult) => void;
  /** Runs what a step does, for a test that does something else meanwhile. */
  readonly aroundStep?: <T>(run: () => Promise<T>) => Promise<T>;
  /** Leaves VMs and pods where they are at the end. */
  readonly keep?: boolean;
}

/** The main job of the lab: boots VMs, moves them about, and says what was seen. */
export async function runLab(lab: Lab, options: RunOptions): Promise<LabResult> {
  const { log, onGuest = () => {}, aroundStep = (run) => run() } = options;
  await applyManifest(lab.kubernetes.api, networkYaml);
  await applyManifest(lab.kubernetes.api, observerYaml);
  const vms = Array.from({ length: options.vms }, (_, index) => {
    const attachment = attachments[index % attachments.length] ?? attachments[0];
    return new LabVm(lab, `vm${index + 1}`, attachment);
  });
  const guests: GuestResult[] = [];
  const migrations: MigrationResult[] = [];
  const first = lab.workers[0]?.name ?? '';
  const observer = await observerNetns(lab);
  for (const vm of vms) log(`${vm.name} (${vm.attach}) boots on ${first}`);
  const reports = await lab.onlyOn(first, () => Promise.all(vms.map(async (vm) => ({ vm, report: await vm.boot() }))));
  for (const { vm, report } of reports) {
    const guest = { vm: vm.name, attach: vm.attach, node: vm.node, report, problems: guestProblems(report, vm.name) };
    guests.push(guest);
    onGuest(guest);
  }
  for (const [index, vm] of vms.entries()) {
    const other = vms[(index + 1) % vms.length];
    const bystander = other === vm ? undefined : other && (await observed(observer, other));
    await using observation = await Observation.start(await observed(observer, vm));
    for (const name of options.scenarios) {
      const context = { lab, vm, observation, bystander, log };
      for await (const step of scenarios[name](context)) {
        log(`${vm.name} (${vm.attach}) ${step.kind} ${step.from} → ${step.to}`);
        const result = await measured(context, { ...step, run: () => aroundStep(() => step.run()) });
        migrations.push(result);
        for (const sentence of result.problems) log(`  ! ${sentence}`);
      }
    }
  }
  if (options.keep) return labResult(guests, migrations, []);
  log('everything is deleted again');
  await Promise.all(vms.map((vm) => vm.delete()));
  await deleteManifest(lab.kubernetes.api, observerYaml);
  await until(lab.view, 'the observer is gone', () => lab.view.pods('default').length === 0);
  const left = await untilNothingIsLeft(lab);
  return labResult(
    guests,
    migrations,
    left.map((thing) => `left over: ${thing}`),
  );
}

async function observed(netns: string, vm: LabVm): Promise<Observed> {
  const { ipv4, ipv6 } = await vm.report();
  const address = (list: readonly string[]) => list[0]?.split('/')[0] ?? '';
  return { netns, addresses: { v4: address(ipv4), v6: address(ipv6) } };
}

async function observerNetns(lab: Lab): Promise<string> {
  const pod = await until(lab.view, 'the observer runs', () =>
    lab.view
      .pods('default')
      .find(({ metadata, status }) => metadata.name === 'observer' && status?.phase === 'Running'),
  );
  for (const { kubelet } of lab.workers) {
    const sandbox = kubelet.sandboxOf(pod.metadata.uid);
    if (sandbox !== undefined) return sandbox.netns;
  }
  throw new Error('the observer runs on no node');
}

/** The controller and ovn-controller learn of the last deletion a moment after the API has it. */
async function untilNothingIsLeft(lab: Lab): Promise<readonly string[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const left = await leftovers(lab);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
