import { type DerivedFact, isSameRow, type RowFact } from './facts.ts';
import { isSame } from './same.ts';
import type { Owner } from './votes.ts';

/**
 * Statements of which one counts. Some are made in the same words by everybody who needs them, so owners are filed under what
 * they say, and of different words the first in alphabetical order counts, whoever came first. Every row has claims, and mostly just one with
 * one owner, which is kept without a list and a set around it.
 */
export type Claims<F extends RowFact | DerivedFact> = Claim<F> | readonly Claim<F>[] | undefined;

/** What is said, and who says it in just these words. */
interface Claim<F> {
  readonly fact: F;
  owners: Owner | Set<Owner>;
}

/** The claims with the owner's among them, in place of those before. What the owner said before is replaced. */
export function claim<F extends RowFact | DerivedFact>(claims: Claims<F>, owner: Owner, fact: F): Claims<F> {
  const others = unclaim(claims, owner);
  if (others === undefined) return { fact, owners: owner };
  const list = isList(others) ? others : [others];
  const known = list.find((one) => isSameClaim(one.fact, fact));
  if (known === undefined) return [...list, { fact, owners: owner }];
  if (known.owners instanceof Set) known.owners.add(owner);
  else known.owners = new Set([known.owners, owner]);
  return others;
}

/** The claims without the owner's, in place of those before. */
export function unclaim<F extends RowFact | DerivedFact>(claims: Claims<F>, owner: Owner): Claims<F> {
  if (claims === undefined) return undefined;
  const list = isList(claims) ? claims : [claims];
  const found = list.find(({ owners }) => (owners instanceof Set ? owners.has(owner) : owners === owner));
  if (found === undefined) return claims;
  if (found.owners instanceof Set && found.owners.size > 1) {
    found.owners.delete(owner);
    return claims;
  }
  const left = list.filter((one) => one !== found);
  return left.length > 1 ? left : left[0];
}

/** The claim that counts. */
export function speaker<F extends RowFact | DerivedFact>(claims: Claims<F>): F | undefined {
  if (!isList(claims)) return claims?.fact;
  let winner: F | undefined;
  for (const { fact } of claims) if (winner === undefined || textOf(fact) < textOf(winner)) winner = fact;
  return winner;
}

function isList<F extends RowFact | DerivedFact>(claims: Claims<F>): claims is readonly Claim<F>[] {
  return Array.isArray(claims);
}

function isSameClaim(a: RowFact | DerivedFact, b: RowFact | DerivedFact): boolean {
  if (a.kind === 'row' || b.kind === 'row') return a.kind === 'row' && b.kind === 'row' && isSameRow(a, b);
  return isSame(a.value, b.value);
}

function textOf(fact: RowFact | DerivedFact): string {
  const content = fact.kind === 'row' ? [fact.columns, fact.parent, fact.object] : fact.value;
  return JSON.stringify(content, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
