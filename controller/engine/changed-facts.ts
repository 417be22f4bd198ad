import { type Fact, isSameRow } from './facts.ts';
import { isSame } from './same.ts';

/** What a run of a feature said, beside what it said before. */
export interface ChangedFacts {
  /** All that it says now. What is said again stays the object that is on the board, or both would be kept. */
  readonly kept: readonly Fact[];
  readonly said: readonly Fact[];
  readonly unsaid: readonly Fact[];
}

/** A feature that runs again mostly says the same things in the same order, in other words at the most. */
export function changedFacts(before: readonly Fact[], after: readonly Fact[]): ChangedFacts {
  if (before.length !== after.length) return shuffledFacts(before, after);
  let said: Fact[] | undefined;
  for (let i = 0; i < after.length; i += 1) {
    const [earlier, fact] = [before[i], after[i]];
    if (earlier === undefined || fact === undefined || isSameFact(earlier, fact)) continue;
    const isAlone = isSameStatement(earlier, fact) && !after.some((one) => one !== fact && isSameStatement(one, fact));
    if (!isAlone) return shuffledFacts(before, after);
    said ??= [];
    said.push(fact);
  }
  if (said === undefined) return { kept: before, said: none, unsaid: none };
  const news = new Set(said);
  return { kept: after.map((fact, i) => (news.has(fact) ? fact : (before[i] ?? fact))), said, unsaid: none };
}

function shuffledFacts(before: readonly Fact[], after: readonly Fact[]): ChangedFacts {
  const old = new Map(before.map((fact) => [identity(fact), fact]));
  const ids = new Set<string>();
  const said: Fact[] = [];
  const kept = after.map((fact) => {
    const id = identity(fact);
    const earlier = ids.has(id) ? undefined : old.get(id);
    ids.add(id);
    if (earlier !== undefined && isSameFact(earlier, fact)) return earlier;
    said.push(fact);
    return fact;
  });
  return { kept, said, unsaid: [...old].flatMap(([id, fact]) => (ids.has(id) ? [] : [fact])) };
}

/** Two facts of one run with the same identity would be one statement made twice; the later one counts. */
function identity(fact: Fact): string {
  switch (fact.kind) {
    case 'row':
    case 'derived':
      return `${fact.kind}\n${fact.table}\n${fact.row}`;
    case 'cell':
      return `cell\n${fact.table}\n${fact.row}\n${fact.column}\n${fact.entry}`;
    case 'problem':
      return `problem\n${fact.object.kind}\n${fact.object.uid}\n${fact.condition}\n${fact.sentence}`;
  }
}

function isSameStatement(a: Fact, b: Fact): boolean {
  if (a.kind === 'problem' || b.kind === 'problem') return a.kind === b.kind && identity(a) === identity(b);
  if (a.kind !== b.kind || a.row !== b.row || a.table !== b.table) return false;
  return a.kind !== 'cell' || b.kind !== 'cell' || (a.column === b.column && a.entry === b.entry);
}

function isSameFact(a: Fact, b: Fact): boolean {
  if (a.kind === 'derived' && b.kind === 'derived') {
    return a.table === b.table && a.row === b.row && isSame(a.value, b.value);
  }
  if (a.kind === 'row' && b.kind === 'row') return isSameRow(a, b);
  return isSame(a, b);
}

const none: readonly never[] = [];
