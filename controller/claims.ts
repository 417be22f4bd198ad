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
  readonly isWanted: (claim: string) => boolean;
  /** The claim could not be written, and nobody wants it any more. */
  readonly onAbandoned: (claim: string) => void;
  readonly onFailure: (claim: string, error: Error) => void;
}

const retryMilliseconds = 1000;

/** The schema wants a pod's name; the addresses are the VM's, whichever launcher pod it has. */
const noPod = '';

/**
 * Writes IPAMClaims: creates what the allocator wants, fills in `status.ips`, and lets go of what nobody uses. What it wrote comes
 * back through the watch, and only then do features see it.
 */
export class ClaimKeeper {
  readonly #options: ClaimKeeperOptions;
  readonly #inFlight = new Set<string>();

  constructor(options: ClaimKeeperOptions) {
    this.#options = options;
    options.tables.releasedClaims.onChange((key) => this.#release(key));
  }

  ensure(claims: readonly WantedClaim[]): void {
    for (const claim of claims) {
      const key = `${claim.namespace}/${claim.name}`;
      this.#once(
        key,
        () => this.#write(claim),
        () => this.#options.isWanted(key),
      );
    }
  }

  async #write(claim: WantedClaim): Promise<WriteResult> {
    const isThere = this.#options.tables.claims.get(`${claim.namespace}/${claim.name}`) !== undefined;
    if (!isThere) {
      const created = await this.#send(claim, { verb: 'create', body: claimObject(claim) });
      if (created.type !== 'written') return created;
    }
    return this.#send(claim, { verb: 'patchStatus', body: { status: { ips: claim.ips, ownerPod: noPod } } });
  }

  #release(key: string): void {
    const claim = this.#options.tables.releasedClaims.get(key);
    if (claim === undefined) return;
    const body = { metadata: { finalizers: claim.finalizers } };
    this.#once(
      key,
      () => this.#send(claim, { verb: 'patch', body }),
      () => this.#options.tables.releasedClaims.get(key) !== undefined,
    );
  }

  #send(claim: { readonly namespace: string; readonly name: string }, write: Write): Promise<WriteResult> {
    const { namespace, name } = claim;
    return this.#options.writer.write({ kind: ipamClaims, namespace, name }, write);
  }

  /** A claim that is there already will be seen by the watch; one that has gone needs nothing more. */
  #once(key: string, write: () => Promise<WriteResult>, isWanted: () => boolean): void {
    if (this.#inFlight.has(key)) return;
    this.#inFlight.add(key);
    void write().then(async (result) => {
      const isTrouble =
        result.type === 'failed' && result.error.code !== 'already-exists' && result.error.code !== 'not-found';
      if (isTrouble) {
        this.#options.onFailure(key, result.error);
        await this.#options.sleep(retryMilliseconds);
      }
      this.#inFlight.delete(key);
      if (!isTrouble) return;
      if (isWanted()) this.#once(key, write, isWanted);
      else this.#options.onAbandoned(key);
    });
  }
}

function claimObject({ namespace, name, network, interface: nic, owner }: WantedClaim): object {
  const { kind, name: ownerName, uid } = owner;
  return {
    apiVersion: ipamClaims.apiVersion,
    kind: ipamClaims.kind,
    metadata: {
      namespace,
      name,
      // No longer name fits a label.
      ...(ownerName.length <= 63 && { labels: { 'kubevirt.io/vm': ownerName } }),
      finalizers: [claimFinalizer],
      ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind, name: ownerName, uid, controller: true }],
    },
    spec: { network, interface: nic },
  };
}
