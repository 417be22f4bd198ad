import type { Feature, Read } from '../engine/engine.ts';
import { derived } from '../engine/facts.ts';
import type { IPAMClaim } from '../kube/objects/ipam-claim.ts';
import type { Tables } from './tables.ts';

/** Holds an IPAMClaim, and with it its addresses, until nobody can be using them any more. */
export const claimFinalizer = 'hawser.dev/addresses-in-use';

/**
 * A claim that is being deleted is let go when its owner is gone, its NIC is (outlived-claims.ts), or its guest has taken the addresses
 * along; a claim deleted under a living VM waits for the VM.
 */
export function releasedClaims(tables: Tables): Feature<IPAMClaim> {
  return {
    name: 'released-claims',
    from: tables.claims,
    isFor: ({ deleting, finalizers }) => deleting && finalizers.includes(claimFinalizer),
    *facts(key, claim, read) {
      const isOver =
        read.get(tables.takenClaims, key) !== undefined || read.get(tables.outlivedClaims, key) !== undefined;
      if (!isOver && isOwnerThere(tables, read, claim)) return;
      const { namespace, name, finalizers } = claim;
      yield derived(tables.releasedClaims, key, {
        namespace,
        name,
        finalizers: finalizers.filter((finalizer) => finalizer !== claimFinalizer),
      });
    },
  };
}

function isOwnerThere(tables: Tables, read: Read, { namespace, owner }: IPAMClaim): boolean {
  if (owner === undefined) return false;
  const key = `${namespace}/${owner.name}`;
  // A VMI may outlive its VM for as long as its guest takes to go.
  const vmi = read.get(tables.vmis, key);
  return read.get(tables.vms, key)?.uid === owner.uid || vmi?.uid === owner.uid || vmi?.owner?.uid === owner.uid;
}
