import type { ObjectReference, Problem } from './facts.ts';
import { PartedMap } from './parted-map.ts';
import type { Owner } from './votes.ts';

/** Is told of problems that have come or gone, of one as often as of the other. */
export interface ProblemListener {
  problemSaid(problem: Problem): void;
  problemUnsaid(problem: Problem): void;
}

interface Said {
  readonly problem: Problem;
  readonly owners: Set<Owner>;
}

/**
 * What is wrong with users' objects, whoever says so; a problem is there while anybody says it. A whole cluster may wait for one network, so
 * whoever wants to know listens to what changes, or asks after one object.
 */
export class Problems implements Iterable<Problem> {
  readonly listeners = new Set<ProblemListener>();
  /** Kind, namespace and name of an object → what is wrong with it. */
  readonly #byObject = new PartedMap<readonly Said[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator](): Iterator<Problem> {
    for (const said of this.#byObject.values()) for (const { problem } of said) yield problem;
  }

  /** Of the object of that name, and of former ones that had it. */
  of(object: Omit<ObjectReference, 'uid'>): readonly Problem[] {
    return this.#byObject.get(nameOf(object))?.map(({ problem }) => problem) ?? [];
  }

  say(owner: Owner, problem: Problem): void {
    const name = nameOf(problem.object);
    const said = this.#byObject.get(name) ?? [];
    const known = said.find((one) => isSameProblem(one.problem, problem));
    if (known !== undefined) {
      known.owners.add(owner);
      return;
    }
    this.#byObject.set(name, [...said, { problem, owners: new Set([owner]) }]);
    this.#size += 1;
    for (const listener of this.listeners) listener.problemSaid(problem);
  }

  unsay(owner: Owner, problem: Problem): void {
    const name = nameOf(problem.object);
    const said = this.#byObject.get(name) ?? [];
    const known = said.find((one) => isSameProblem(one.problem, problem));
    if (known === undefined || !known.owners.delete(owner) || known.owners.size > 0) return;
    const left = said.filter((one) => one !== known);
    if (left.length === 0) this.#byObject.delete(name);
    else this.#byObject.set(name, left);
    this.#size -= 1;
    for (const listener of this.listeners) listener.problemUnsaid(problem);
  }
}

/** Of one problem and no other. */
export function problemId({ object, condition, sentence }: Problem): string {
  return [nameOf(object), object.uid, condition, sentence].join('\n');
}

function nameOf({ kind, namespace = '', name }: Omit<ObjectReference, 'uid'>): string {
  return [kind, namespace, name].join('/');
}

function isSameProblem(a: Problem, b: Problem): boolean {
  return a.object.uid === b.object.uid && a.condition === b.condition && a.sentence === b.sentence;
}
