import type { Feature, Read } from '../engine/engine.ts';
import { derived } from '../engine/facts.ts';
import type { IPAMClaim } from '../kube/objects/ipam-claim.ts';
import { networkKey } from './networks.ts';
import { claimFinalizer } from './released-claims.ts';
import type { Tables } from './tables.ts';
import { hasPodInterface } from './vm-nics.ts';

/**
 * The claim of a VM's further NIC goes when the VM has the NIC no more, neither running nor in its template, or has it on another
 * network now. That of the NIC on the pod network is for as long as the VM is, whatever becomes of its namespace's networks.
 */
export function outlivedClaims(tables: Tables): Feature<IPAMClaim> {
  return {
    name: 'outlived-claims',
    from: tables.claims,
    isFor: ({ finalizers, interface: nic }) => finalizers.includes(claimFinalizer) && nic !== 'eth0',
    *facts(key, claim, read) {
      const why = isUnplugged(tables, read, claim)
        ? 'unplugged'
        : isElsewhere(tables, read, key, claim)
          ? 'moved'
          : undefined;
      if (why !== undefined) yield derived(tables.outlivedClaims, key, why);
    },
  };
}

function isUnplugged(tables: Tables, read: Read, { namespace, owner, interface: podInterface }: IPAMClaim): boolean {
  if (owner === undefined) return false;
  const name = `${namespace}/${owner.name}`;
  const vm = read.get(tables.vms, name);
  const vmi = read.get(tables.vmis, name);
  const users = [
    ...(vm?.uid === owner.uid ? [vm] : []),
    ...(vmi?.uid === owner.uid || vmi?.owner?.uid === owner.uid ? [vmi] : []),
  ];
  // Without its owner it is the garbage collector's.
  return users.length > 0 && !users.some((user) => hasPodInterface(user, podInterface));
}

/** Once the NIC's new network is there, and not before: one that comes back finds its addresses. */
function isElsewhere(tables: Tables, read: Read, key: string, { network, owner }: IPAMClaim): boolean {
  for (const nic of read.by(tables.nics, 'claim', key).values()) {
    if (nic.object.uid !== owner?.uid || nic.network === networkKey(network)) continue;
    if (read.get(tables.networkPlans, nic.network) !== undefined) return true;
  }
  return false;
}
