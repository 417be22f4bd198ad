import { follow, type Kind, type Transport } from './kube-client.ts';
import type {
  KubeObject,
  Node,
  Pod,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from './objects.ts';

/**
 * The cluster's objects as last seen. A controller's own writes are put in at once (`saw`), so that it never acts on a view
 * from before them; a watch event that is older than what is there changes nothing.
 */
export class ClusterView {
  readonly #objects = new Map<string, KubeObject>();
  /** Of objects that are gone, so that a late event does not bring them back. */
  readonly #gone = new Set<string>();
  readonly #stop = new AbortController();
  #isComplete = false;
  readonly #listeners: ((object: KubeObject) => void)[] = [];
  readonly #send: Transport;
  readonly #kinds: readonly Kind[];

  constructor(send: Transport, kinds: readonly Kind[]) {
    this.#send = send;
    this.#kinds = kinds;
  }

  /**
   * Resolves when every kind has been listed once. Only then listeners are called, first with all there is: a VMI that has not
   * been listed yet must not look like one that is gone.
   */
  async start(): Promise<void> {
    await Promise.all(this.#kinds.map((kind) => this.#follow(kind)));
    this.#isComplete = true;
    for (const object of [...this.#objects.values()]) this.#tell(object);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Calls with every object that is new, changed or gone. */
  onChange(listener: (object: KubeObject) => void): void {
    this.#listeners.push(listener);
  }

  saw(object: KubeObject): void {
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    // A pod with grace is deleted but there; anything else without finalizers went with the write.
    if (deletionTimestamp !== undefined && finalizers.length === 0 && object.kind !== 'Pod') this.#remove(object);
    else this.#put(object);
  }

  has(uid: string): boolean {
    return this.#objects.has(uid);
  }

  virtualMachine(namespace: string, name: string): VirtualMachine | undefined {
    return this.#of('VirtualMachine').find(named(namespace, name));
  }

  vmi(namespace: string, name: string): VirtualMachineInstance | undefined {
    return this.vmis().find(named(namespace, name));
  }

  vmis(): readonly VirtualMachineInstance[] {
    return this.#of('VirtualMachineInstance');
  }

  migrations(namespace: string, vmiName: string): readonly VirtualMachineInstanceMigration[] {
    return this.#of('VirtualMachineInstanceMigration').filter(
      ({ metadata, spec }) => metadata.namespace === namespace && spec.vmiName === vmiName,
    );
  }

  pods(namespace?: string): readonly Pod[] {
    return this.#of('Pod').filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  }

  nodes(): readonly Node[] {
    return this.#of('Node');
  }

  async #follow(kind: Kind): Promise<void> {
    const listed = Promise.withResolvers<void>();
    const following = async (): Promise<void> => {
      for await (const event of follow(this.#send, kind, this.#stop.signal)) {
        if (event.type === 'listed') {
          const uids = new Set(event.objects.map(({ metadata }) => metadata.uid));
          for (const object of this.#of(kind)) if (!uids.has(object.metadata.uid)) this.#remove(object);
          for (const object of event.objects) this.#put(object);
          listed.resolve();
        } else if (event.type === 'DELETED') this.#remove(event.object);
        else this.#put(event.object);
      }
    };
    void following().catch(listed.reject);
    await listed.promise;
  }

  #put(object: KubeObject): void {
    const { uid, resourceVersion } = object.metadata;
    const before = this.#objects.get(uid);
    if (this.#gone.has(uid)) return;
    if (before && BigInt(before.metadata.resourceVersion) >= BigInt(resourceVersion)) return;
    this.#objects.set(uid, object);
    this.#tell(object);
  }

  #remove(object: KubeObject): void {
    const { uid } = object.metadata;
    this.#gone.add(uid);
    if (!this.#objects.delete(uid)) return;
    this.#tell(object);
  }

  #tell(object: KubeObject): void {
    if (this.#isComplete) for (const listener of this.#listeners) listener(object);
  }

  #of<K extends Kind>(kind: K): Extract<KubeObject, { kind: K }>[] {
    return [...this.#objects.values()].filter(
      (object): object is Extract<KubeObject, { kind: K }> => object.kind === kind,
    );
  }
}

function named(namespace: string, name: string) {
  return ({ metadata }: { metadata: { namespace: string; name: string } }): boolean =>
    metadata.namespace === namespace && metadata.name === name;
}
