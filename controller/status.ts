import type { ProblemFact } from './engine/facts.ts';
import type { AllocationProblem } from './ipam/allocator.ts';
import type { EventRecorder, Involved } from './kube/events.ts';

type Problem = ProblemFact | AllocationProblem;

export interface LetterboxOptions {
  readonly events: Pick<EventRecorder, 'report'>;
  readonly onProblem: (problem: Problem) => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** What passes by itself, such as a network that is made a moment after the pods on it, is not worth anybody's attention. */
const patienceMilliseconds = 2000;

/** The letterbox: tells the owner of an object, once, what is wrong with it for a while, and again only when it has been right meanwhile. */
export class Letterbox {
  readonly #options: LetterboxOptions;
  readonly #now: () => number;
  #known = new Map<string, { readonly since: number; readonly isTold: boolean }>();

  constructor(options: LetterboxOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** `problems` are all there are now. To be called when they change, and now and then. */
  report(problems: Iterable<Problem>): void {
    const now = this.#now();
    const current = new Map<string, { readonly since: number; readonly isTold: boolean }>();
    for (const problem of problems) {
      const id = `${problem.object.uid}\n${problem.condition}\n${problem.sentence}`;
      const { since, isTold } = this.#known.get(id) ?? { since: now, isTold: false };
      const isDue = now - since >= patienceMilliseconds;
      if (isDue && !isTold) this.#tell(problem);
      current.set(id, { since, isTold: isTold || isDue });
    }
    this.#known = current;
  }

  #tell(problem: Problem): void {
    this.#options.onProblem(problem);
    const { condition: reason, sentence: message } = problem;
    void this.#options.events.report(involved(problem), { type: 'Warning', reason, message });
  }
}

const apiVersions: Readonly<Record<string, string>> = {
  Pod: 'v1',
  ClusterNetwork: 'hawser.dev/v1alpha1',
  NetworkAttachmentDefinition: 'k8s.cni.cncf.io/v1',
  Network: 'hawser.dev/v1alpha1',
  VirtualMachine: 'kubevirt.io/v1',
  VirtualMachineInstance: 'kubevirt.io/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
};

function involved({ object }: Problem): Involved {
  return { apiVersion: apiVersions[object.kind] ?? 'v1', ...object };
}
