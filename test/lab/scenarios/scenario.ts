import type { Lab } from '../lab.ts';
import type { Observation, Observed } from '../observation.ts';
import type { LabVm } from '../vm.ts';

export interface ScenarioContext {
  readonly lab: Lab;
  readonly vm: LabVm;
  readonly observation: Observation;
  /** Another guest of the lab, to which nothing is done meanwhile; undefined when there is no other. */
  readonly bystander: Observed | undefined;
  readonly log: (line: string) => void;
}

/** What a step did, by KubeVirt's and QEMU's account. */
export interface StepOutcome {
  readonly outcome: 'completed' | 'failed' | 'cancelled' | 'restarted';
  readonly qemuDowntimeMs: number | null;
  /** From QEMU's STOP on the source to its RESUME on the target: with the hand-over between the two, which QEMU does not count. */
  readonly stoppedMs: number | null;
}

/** One thing that happens to a VM. `run` resolves when KubeVirt and the northbound database have come to rest again. */
export interface Step {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly expected: StepOutcome['outcome'];
  /** Where the guest has to be afterwards. */
  readonly endsOn: string;
  run(): Promise<StepOutcome>;
}

/** One or more steps with a name for `--scenario`. They begin where the VM is. */
export type Scenario = (context: ScenarioContext) => AsyncIterable<Step> | Iterable<Step>;
