import type { Core } from './core.ts';
import type { Problem } from './engine/facts.ts';
import { type Condition, withTransitionTimes } from './kube/conditions.ts';
import { clusterNetworks, networks } from './kube/kinds.ts';
import type { ClusterNetwork } from './kube/objects/network.ts';
import type { Writer } from './kube/writes.ts';

/** The `status` of a Network or ClusterNetwork (deploy/crds). */
export interface NetworkStatus {
  readonly observedGeneration: number;
  readonly allocated: number;
  readonly free: number;
  readonly conditions: readonly Omit<Condition, 'lastTransitionTime'>[];
}

/** What is to be told of a network: whether guests can use it, and whether one waits for an address. */
export function networkStatus(
  { generation }: Pick<ClusterNetwork, 'generation'>,
  problems: readonly Problem[],
  complaints: Iterable<Problem>,
  counts: { readonly free: number; readonly allocated: number } | undefined,
): NetworkStatus {
  const observedGeneration = generation;
  const broken = problems.map(({ sentence }) => sentence).join('; ');
  const exhausted = [...complaints].filter(({ condition }) => condition === 'AddressesExhausted');
  const [first] = exhausted;
  const ready = counts !== undefined;
  return {
    observedGeneration,
    allocated: counts?.allocated ?? 0,
    free: counts?.free ?? 0,
    conditions: [
      {
        type: 'Ready',
        status: ready ? 'True' : 'False',
        reason: ready ? 'Usable' : 'Unusable',
        message: broken === '' ? 'guests can use the network' : broken,
        observedGeneration,
      },
      {
        type: 'AddressesExhausted',
        status: first === undefined ? 'False' : 'True',
        reason: first === undefined ? 'AddressesLeft' : 'AddressesExhausted',
        message:
          first === undefined
            ? 'no guest waits for an address'
            : `${first.sentence}; ${exhausted.length} wait, ${first.object.kind} ${first.object.namespace}/${first.object.name} among them`,
        observedGeneration,
      },
    ],
  };
}

/** Writes the status of networks where it has changed. Call it now and then: counts change with every pod. */
export class NetworkStatusKeeper {
  readonly #core: Core;
  readonly #writer: Pick<Writer, 'write'>;
  readonly #now: () => number;
  readonly #written = new Map<string, { readonly text: string; readonly conditions: readonly Condition[] }>();

  /** `now`: milliseconds since 1970. */
  constructor(core: Core, writer: Pick<Writer, 'write'>, now: () => number = Date.now) {
    this.#core = core;
    this.#writer = writer;
    this.#now = now;
  }

  report(): void {
    const { tables, engine, allocator } = this.#core;
    const tell = (key: string, network: ClusterNetwork, namespace?: string) => {
      const kind = namespace === undefined ? clusterNetworks.kind : networks.kind;
      const named = engine.board.problems.of({
        kind,
        name: network.name,
        ...(namespace !== undefined && { namespace }),
      });
      const own = named.filter(({ object }) => object.uid === network.uid);
      const status = networkStatus(network, own, allocator.complaintsOn(key), allocator.counts(key));
      this.#write(key, network, namespace, status);
    };
    for (const network of tables.clusterNetworks.rows().values()) tell(`clusternetwork/${network.name}`, network);
    for (const network of tables.networks.rows().values()) {
      tell(`network/${network.namespace}/${network.name}`, network, network.namespace);
    }
    const isThere = (key: string) =>
      tables.clusterNetworks.get(key.slice('clusternetwork/'.length)) ??
      tables.networks.get(key.slice('network/'.length));
    for (const key of this.#written.keys()) if (isThere(key) === undefined) this.#written.delete(key);
  }

  #write(key: string, { name, uid }: ClusterNetwork, namespace: string | undefined, status: NetworkStatus): void {
    const text = `${uid} ${JSON.stringify(status)}`;
    const before = this.#written.get(key);
    if (before?.text === text) return;
    const conditions = withTransitionTimes(before?.conditions ?? [], status.conditions, this.#now());
    this.#written.set(key, { text, conditions });
    const kind = namespace === undefined ? clusterNetworks : networks;
    const place = { kind, name, ...(namespace !== undefined && { namespace }) };
    void this.#writer
      .write(place, { verb: 'patchStatus', body: { status: { ...status, conditions } } })
      .then((result) => {
        // It is told again the next time.
        if (result.type !== 'written' && this.#written.get(key)?.text === text) this.#written.delete(key);
      });
  }
}
