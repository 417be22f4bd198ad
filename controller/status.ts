import type { Problem } from './engine/facts.ts';
import { type ProblemListener, problemId } from './engine/problems.ts';
import type { EventRecorder, Involved } from './kube/events.ts';

export interface LetterboxOptions {
  readonly events: Pick<EventRecorder, 'report'>;
  readonly onProblem: (problem: Problem) => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** What passes by itself, such as a network that is made a moment after the pods on it, is not worth anybody's attention. */
const patienceMilliseconds = 2000;
/** When a whole cluster waits for one thing, so many are told in one go. */
const mostAtOnce = 100;

/** The letterbox: tells the owner of an object, once, what is wrong with it for a while, and again only when it has been right meanwhile. */
export class Letterbox implements ProblemListener {
  readonly #options: LetterboxOptions;
  readonly #now: () => number;
  readonly #known = new Set<string>();
  /** Of these, those that nobody says any more. What comes back before the next report has not been right meanwhile. */
  readonly #gone = new Set<string>();
  /** Of these, those whose owner has not been told, longest known first. */
  readonly #untold = new Map<string, { readonly problem: Problem; readonly since: number }>();

  constructor(options: LetterboxOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  problemSaid(problem: Problem): void {
    const id = problemId(problem);
    this.#gone.delete(id);
    if (this.#known.has(id)) return;
    this.#known.add(id);
    this.#untold.set(id, { problem, since: this.#now() });
  }

  problemUnsaid(problem: Problem): void {
    this.#gone.add(problemId(problem));
  }

  /** To be called when all that follows from a change has been said, and now and then. `mayTell`: nobody else does. */
  report(mayTell: boolean): void {
    for (const id of this.#gone) {
      this.#known.delete(id);
      this.#untold.delete(id);
    }
    this.#gone.clear();
    if (mayTell) this.#tellDue();
  }

  #tellDue(): void {
    const due = this.#now() - patienceMilliseconds;
    let told = 0;
    for (const [id, { problem, since }] of this.#untold) {
      if (since > due || told === mostAtOnce) return;
      this.#untold.delete(id);
      this.#tell(problem);
      told += 1;
    }
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
