import type { ObjectReference } from './engine/facts.ts';
import type { Key } from './engine/table.ts';
import { claimFinalizer } from './features/released-claims.ts';
import type { Tables } from './features/tables.ts';
import type { WantedClaim } from './ipam/allocator.ts';
import { ipamClaims } from './kube/kinds.ts';
import type { Write, WriteResult, Writer } from './kube/writes.ts';

export interface ClaimKeeperOptions {
  readonly tables: Tables;
  readonly writer: Pick<Writer, 'write'>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Whether some NIC still waits for the claim. */
  readonly isWanted: (claim: Key) => boolean;
  /** The claim could not be written, and nobody wants it any more. */
  readonly onAbandoned: (claim: Key) => void;
  readonly onFailure: (claim: Key, error: Error) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const retryMilliseconds = 1000;

/** The schema wants a pod's name; the addresses are the VM's, whichever launcher pod it has. */
const noPod = '';

/**
 * Writes IPAMClaims: creates what the allocator wants, fills in `status`, and lets go of what nobody uses. One write of a claim at a
 * time, and each follows from what the watch has shown: what was written comes back through it, and only then do features see it.
 *
 * Another controller may be writing too (docs/decisions/leader-fence.md): a claim is created once, its addresses are filled in only in
 * the very version that has none, and everything else is bound to its UID.
 */
export class ClaimKeeper {
  readonly #options: ClaimKeeperOptions;
  readonly #now: () => number;
  /** Claims to be created or filled in. */
  readonly #wanted = new Map<Key, { readonly claim: WantedClaim; readonly isCreated: boolean }>();
  /** Claims of which a write is under way, and whether something has changed meanwhile. */
  readonly #inFlight = new Map<Key, 'unchanged' | 'changed'>();
  #started = false;

  constructor(options: ClaimKeeperOptions) {
    const { claims, claimConditions, releasedClaims, takenClaims, outlivedClaims } = options.tables;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    claims.onChange((key) => this.#claimChanged(key));
    for (const table of [claimConditions, releasedClaims, takenClaims, outlivedClaims]) {
      table.onChange((key) => this.#advance(key));
    }
  }

  /** From now on it writes: this controller leads. */
  start(): void {
    this.#started = true;
    const { claimConditions, releasedClaims, takenClaims, outlivedClaims } = this.#options.tables;
    const tables = [claimConditions, releasedClaims, takenClaims, outlivedClaims].map((table) => table.rows());
    for (const key of [this.#wanted, ...tables].flatMap((table) => [...table.keys()])) this.#advance(key);
  }

  ensure(claims: readonly WantedClaim[]): void {
    for (const claim of claims) {
      const key = `${claim.namespace}/${claim.name}`;
      this.#wanted.set(key, { claim, isCreated: this.#wanted.get(key)?.isCreated ?? false });
      this.#advance(key);
    }
  }

  #claimChanged(key: Key): void {
    const found = this.#options.tables.claims.get(key);
    // Gone: whoever still wants one will ask for another.
    if (found === undefined || found.ips.length > 0) this.#wanted.delete(key);
    this.#advance(key);
  }

  #advance(key: Key): void {
    if (!this.#started) return;
    if (this.#inFlight.has(key)) {
      this.#inFlight.set(key, 'changed');
      return;
    }
    const next = this.#next(key);
    if (next === undefined) return;
    this.#inFlight.set(key, 'unchanged');
    void this.#send(key, next).then((result) => this.#wrote(key, next, result));
  }

  async #wrote(key: Key, { verb }: Write, result: WriteResult): Promise<void> {
    const code = result.type === 'failed' ? result.error.code : undefined;
    const wanted = this.#wanted.get(key);
    if (wanted !== undefined && verb === 'create' && (code === undefined || code === 'already-exists')) {
      this.#wanted.set(key, { ...wanted, isCreated: true });
    }
    if (result.type === 'failed') {
      const isTrouble = !passing.has(result.error.code);
      if (isTrouble) this.#options.onFailure(key, result.error);
      await this.#options.sleep(retryMilliseconds);
      if (isTrouble && this.#wanted.has(key) && !this.#options.isWanted(key)) {
        this.#wanted.delete(key);
        this.#options.onAbandoned(key);
      }
    }
    // What was written comes back through the watch, and it goes on from there.
    const isChanged = this.#inFlight.get(key) === 'changed';
    this.#inFlight.delete(key);
    if (isChanged || result.type === 'failed') this.#advance(key);
  }

  /** What is to be written of the claim as it is now. */
  #next(key: Key): Write | undefined {
    const { claims, claimConditions, releasedClaims, takenClaims, outlivedClaims } = this.#options.tables;
    const found = claims.get(key);
    const wanted = this.#wanted.get(key);
    if (found === undefined) {
      return wanted === undefined || wanted.isCreated ? undefined : { verb: 'create', body: claimObject(wanted.claim) };
    }
    const { uid, resourceVersion } = found;
    const released = releasedClaims.get(key);
    if (released !== undefined) return { verb: 'patch', body: { metadata: { uid, finalizers: released.finalizers } } };
    // Its addresses are in another claim now, or its NIC is on another network or gone.
    if (takenClaims.get(key) !== undefined || outlivedClaims.get(key) !== undefined)
      return found.deleting ? undefined : { verb: 'delete', uid };
    if (wanted !== undefined && resourceVersion !== undefined && found.owner?.uid === wanted.claim.owner.uid) {
      const status = { ips: wanted.claim.ips, ownerPod: noPod, conditions: [this.#condition(undefined)] };
      return { verb: 'patchStatus', body: { metadata: { resourceVersion }, status } };
    }
    const condition = claimConditions.get(key);
    if (condition === undefined) return undefined;
    return {
      verb: 'patchStatus',
      body: { metadata: { uid }, status: { conditions: [this.#condition(condition.conflict)] } },
    };
  }

  #condition(conflict: string | undefined): object {
    return {
      type: 'IPsAllocated',
      status: conflict === undefined ? 'True' : 'False',
      reason: conflict === undefined ? 'SuccessfulAllocation' : 'AddressConflict',
      message: conflict ?? "the addresses are the VM's for as long as it exists",
      lastTransitionTime: `${new Date(this.#now()).toISOString().slice(0, 19)}Z`,
    };
  }

  #send(key: Key, write: Write): Promise<WriteResult> {
    const [namespace = '', name = ''] = key.split('/');
    return this.#options.writer.write({ kind: ipamClaims, namespace, name }, write);
  }
}

/** Somebody was faster: the watch will show what is there now. */
const passing: ReadonlySet<string> = new Set(['already-exists', 'conflict', 'not-found']);

function claimObject({ namespace, name, network, interface: nic, owner }: WantedClaim): object {
  return {
    apiVersion: ipamClaims.apiVersion,
    kind: ipamClaims.kind,
    metadata: {
      namespace,
      name,
      // No longer name fits a label.
      ...(owner.name.length <= 63 && { labels: { 'kubevirt.io/vm': owner.name } }),
      finalizers: [claimFinalizer],
      ownerReferences: [ownerReference(owner)],
    },
    spec: { network, interface: nic },
  };
}

function ownerReference({ kind, name, uid }: ObjectReference): object {
  return { apiVersion: 'kubevirt.io/v1', kind, name, uid, controller: true };
}
