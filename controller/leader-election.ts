import type { KubeApi } from './kube/api.ts';
import { KubeError } from './kube/errors.ts';
import { Fields, isJsonObject } from './kube/objects/fields.ts';
import type { Term } from './northbound/leader-fence.ts';

export interface LeaderElectionOptions {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace'>;
  /** Where the Lease is. */
  readonly namespace: string;
  readonly name: string;
  /** Unique to the process. */
  readonly identity: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
}

const leaseSeconds = 15;
/** How long after a renewal this process may write what only the leader may. */
const certainSeconds = 10;
const renewMilliseconds = 5_000;
const retryMilliseconds = 2_000;

/**
 * One leader by a `coordination.k8s.io/v1` Lease, as client-go elects it (tools/leaderelection): `leaseTransitions` grows with every
 * new holder and is the term. It only says who should write; that nobody else can is the fence in the northbound database.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #now: () => number;
  readonly #path: string;
  /** The Lease as last seen and when: other clocks are not trusted, only that it stays the same for its duration. */
  #seen: { readonly text: string; readonly at: number } | undefined;
  /** The Lease as our last write left it. */
  #written: Lease | undefined;
  /** When the request that renewed the Lease was sent; others count its duration from later on. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
  }

  /**
   * Whether nobody else can lead yet, with time left for a request to arrive. It is asked and not told, so that a process that was
   * stopped in the middle of its work does not go on with it.
   */
  get isLeading(): boolean {
    return this.#now() - this.#renewedAt < certainSeconds * 1000;
  }

  /** Resolves when this process leads; undefined when the signal aborts first. */
  async elected(): Promise<Term | undefined> {
    while (!this.#options.signal.aborted) {
      const term = await this.#try().catch(ignoreWeather);
      if (term !== undefined) return term;
      await this.#options.sleep(retryMilliseconds);
    }
    return undefined;
  }

  /** Renews the Lease until it is lost, or the signal aborts; then it is given back for the next one to take at once. */
  async lost(): Promise<void> {
    while (!this.#options.signal.aborted && this.#now() - this.#renewedAt < leaseSeconds * 1000) {
      await this.#options.sleep(renewMilliseconds);
      if (this.#options.signal.aborted) break;
      try {
        if (!(await this.#renew())) break;
      } catch (error) {
        ignoreWeather(error);
      }
    }
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    if (this.#options.signal.aborted) await this.#release().catch(ignoreWeather);
  }

  /** The northbound database knows a leader of this term: a greater one for us, if the Lease is still ours. */
  async outrank(number: number): Promise<Term | undefined> {
    const lease = await this.#read();
    if (lease?.holder !== this.#options.identity) return undefined;
    // The Lease was deleted and made anew, so that its count began again. A replace fails if it is not ours any more.
    return this.#replace(lease, { leaseTransitions: number + 1 });
  }

  async #try(): Promise<Term | undefined> {
    const { identity } = this.#options;
    const lease = await this.#read();
    if (lease === undefined) {
      const sentAt = this.#now();
      await this.#options.api.create(this.#path, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace: this.#options.namespace, name: this.#options.name },
        spec: { ...this.#spec(), acquireTime: this.#microTime(), leaseTransitions: 1 },
      });
      this.#renewedAt = sentAt;
      return { number: 1, identity };
    }
    if (lease.holder !== '' && lease.holder !== identity && !this.#isExpired(lease)) return undefined;
    const leaseTransitions = lease.transitions + 1;
    return this.#replace(lease, { acquireTime: this.#microTime(), leaseTransitions });
  }

  /** Whether the Lease was ours, and is for longer now. Nobody needs to look first: a write that somebody came before is a conflict. */
  async #renew(): Promise<boolean> {
    const written = this.#written;
    this.#written = undefined;
    const lease = written ?? (await this.#read());
    if (lease?.holder !== this.#options.identity) return false;
    try {
      await this.#replace(lease, {});
      return true;
    } catch (error) {
      if (written === undefined || !isOvertaken(error)) throw error;
      return this.#renew();
    }
  }

  /** Resolves with the term; rejects with a conflict when somebody was faster. */
  async #replace(lease: Lease, changed: Readonly<Record<string, unknown>>): Promise<Term> {
    const spec = { ...lease.spec, ...this.#spec(), ...changed };
    const sentAt = this.#now();
    const written = await this.#options.api.replace(`${this.#path}/${this.#options.name}`, { ...lease.object, spec });
    this.#written = leaseOf(written);
    this.#renewedAt = sentAt;
    const { leaseTransitions } = { leaseTransitions: lease.transitions, ...changed };
    return { number: Number(leaseTransitions), identity: this.#options.identity };
  }

  async #release(): Promise<void> {
    const lease = await this.#read();
    if (lease?.holder !== this.#options.identity) return;
    await this.#options.api.replace(`${this.#path}/${this.#options.name}`, {
      ...lease.object,
      spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 },
    });
  }

  async #read(): Promise<Lease | undefined> {
    try {
      return leaseOf(await this.#options.api.get(`${this.#path}/${this.#options.name}`));
    } catch (error) {
      if (error instanceof KubeError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  #isExpired({ text, durationSeconds }: Lease): boolean {
    if (this.#seen?.text !== text) this.#seen = { text, at: this.#now() };
    return this.#now() - this.#seen.at >= durationSeconds * 1000;
  }

  #spec() {
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: leaseSeconds,
      renewTime: this.#microTime(),
    };
  }

  #microTime(): string {
    return new Date(this.#now()).toISOString().replace('Z', '000Z');
  }
}

interface Lease {
  readonly object: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly holder: string;
  readonly transitions: number;
  readonly durationSeconds: number;
  readonly text: string;
}

function leaseOf(json: unknown): Lease {
  const fields = new Fields(json);
  const spec = fields.object('spec');
  const raw = fields.raw('spec');
  return {
    object: isJsonObject(json) ? json : {},
    spec: isJsonObject(raw) ? raw : {},
    holder: spec?.string('holderIdentity') ?? '',
    transitions: spec?.number('leaseTransitions') ?? 0,
    durationSeconds: spec?.number('leaseDurationSeconds') ?? leaseSeconds,
    text: JSON.stringify(raw),
  };
}

/** The object is not as it was when we last saw it, or gone. */
function isOvertaken(error: unknown): boolean {
  return error instanceof KubeError && (error.code === 'conflict' || error.code === 'not-found');
}

/** Somebody was faster, or the API server cannot be reached: it is tried again. */
function ignoreWeather(error: unknown): undefined {
  if (!(error instanceof KubeError)) throw error;
  return undefined;
}
