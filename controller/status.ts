import type { ProblemFact } from './engine/facts.ts';
import type { AllocationProblem } from './ipam/allocator.ts';
import type { EventRecorder, Involved } from './kube/events.ts';

type Problem = ProblemFact | AllocationProblem;

/** The letterbox: tells the owner of an object, once, what is wrong with it, and again only when it has been right meanwhile. */
export class Letterbox {
  readonly #events: Pick<EventRecorder, 'report'>;
  readonly #onProblem: (problem: Problem) => void;
  #reported = new Set<string>();

  constructor(events: Pick<EventRecorder, 'report'>, onProblem: (problem: Problem) => void) {
    this.#events = events;
    this.#onProblem = onProblem;
  }

  /** `problems` are all there are now. */
  report(problems: Iterable<Problem>): void {
    const current = new Set<string>();
    for (const problem of problems) {
      const id = `${problem.object.uid}\n${problem.condition}\n${problem.sentence}`;
      current.add(id);
      if (this.#reported.has(id)) continue;
      this.#onProblem(problem);
      void this.#events.report(involved(problem), {
        type: 'Warning',
        reason: problem.condition,
        message: problem.sentence,
      });
    }
    this.#reported = current;
  }
}

const apiVersions: Readonly<Record<string, string>> = {
  Pod: 'v1',
  ClusterNetwork: 'hawser.dev/v1alpha1',
  Network: 'hawser.dev/v1alpha1',
  VirtualMachine: 'kubevirt.io/v1',
  VirtualMachineInstance: 'kubevirt.io/v1',
};

function involved({ object }: Problem): Involved {
  return { apiVersion: apiVersions[object.kind] ?? 'v1', ...object };
}
