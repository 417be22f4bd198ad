import type { Feature } from '../engine/engine.ts';
import { derived } from '../engine/facts.ts';
import type { IPAMClaim } from '../kube/objects/ipam-claim.ts';
import type { Tables } from './tables.ts';

/** A claim whose addresses somebody else has is to say so, if it does not yet. */
export function conflictingClaims(tables: Tables): Feature<string> {
  return {
    name: 'conflicting-claims',
    from: tables.claimConflicts,
    *facts(key, conflict, read) {
      const claim = read.get(tables.claims, key);
      if (claim !== undefined && claim.conflict !== conflict) yield derived(tables.claimConditions, key, { conflict });
    },
  };
}

/** A claim that tells of a conflict which is over is to say that. */
export function healedClaims(tables: Tables): Feature<IPAMClaim> {
  return {
    name: 'healed-claims',
    from: tables.claims,
    isFor: ({ conflict }) => conflict !== undefined,
    *facts(key, _claim, read) {
      if (read.get(tables.claimConflicts, key) !== undefined) return;
      yield derived(tables.claimConditions, key, {});
    },
  };
}
