import { Core } from '../core.ts';
import type { FeatureOptions } from '../features/index.ts';
import { claimFinalizer } from '../features/released-claims.ts';
import type { OvnFacts } from '../features/tables.ts';
import type { FormerAddresses, WantedClaim } from '../ipam/allocator.ts';
import { trimIPAMClaim } from '../kube/objects/ipam-claim.ts';
import { trimNamespace } from '../kube/objects/namespace.ts';
import { trimClusterNetwork, trimNetwork } from '../kube/objects/network.ts';
import { trimNetworkAttachmentDefinition } from '../kube/objects/network-attachment-definition.ts';
import { trimNetworkPolicy } from '../kube/objects/network-policy.ts';
import { trimNode } from '../kube/objects/node.ts';
import { trimPod } from '../kube/objects/pod.ts';
import { trimVirtualMachine } from '../kube/objects/virtual-machine.ts';
import { trimVirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import { trimVirtualMachineInstanceMigration } from '../kube/objects/virtual-machine-instance-migration.ts';
import { MadeUpAddresses } from './made-up-addresses.ts';
import { NorthboundRows, type RowState } from './northbound-rows.ts';
import { objectKey, type RecordedEvent } from './recording.ts';
import { isWatched } from './watched.ts';

/** What a cluster has kept from before the first event. */
export interface ReplayPast {
  /** Port → the addresses it has in the northbound database. */
  readonly former?: ReadonlyMap<string, FormerAddresses>;
  /** `namespace/name` of IPAMClaims that the recording has: those are made by whoever made them then, and not by us. */
  readonly recordedClaims?: ReadonlySet<string>;
  /** What nobody knows of follows from whose it is, and not from who came first. */
  readonly makesUpAddresses?: boolean;
}

/**
 * The controller's core, fed with objects as the API server would show them and with no server at all: claims are there as soon as
 * they are wanted. It shows which northbound rows follow.
 */
export class Replay {
  readonly core: Core;
  readonly #put: Readonly<Record<string, (key: string, json: unknown) => void>>;
  readonly #remove: Readonly<Record<string, (key: string) => void>>;
  readonly #recordedClaims: ReadonlySet<string>;
  readonly #northbound: NorthboundRows;

  constructor(options: FeatureOptions, ovn: OvnFacts, past: ReplayPast = {}) {
    this.#recordedClaims = past.recordedClaims ?? new Set();
    this.core = new Core(options, (claims) => {
      for (const claim of claims) this.#write(claim);
    });
    this.#northbound = new NorthboundRows(this.core.engine.board);
    const { tables, allocator } = this.core;
    tables.ovn.put('northd', ovn);
    const former = new Map(past.former);
    allocator.start(past.makesUpAddresses ? new MadeUpAddresses(tables, former) : former);
    this.#put = {
      Node: (key, json) => tables.nodes.put(key, trimNode(json)),
      Namespace: (key, json) => tables.namespaces.put(key, trimNamespace(json)),
      ClusterNetwork: (key, json) => tables.clusterNetworks.put(key, trimClusterNetwork(json)),
      Network: (key, json) => tables.networks.put(key, trimNetwork(json)),
      NetworkAttachmentDefinition: (key, json) =>
        tables.attachmentDefinitions.put(key, trimNetworkAttachmentDefinition(json)),
      Pod: (key, json) => tables.pods.put(key, trimPod(json)),
      VirtualMachine: (key, json) => tables.vms.put(key, trimVirtualMachine(json)),
      VirtualMachineInstance: (key, json) => tables.vmis.put(key, trimVirtualMachineInstance(json)),
      VirtualMachineInstanceMigration: (key, json) => tables.vmims.put(key, trimVirtualMachineInstanceMigration(json)),
      IPAMClaim: (key, json) => tables.claims.put(key, trimIPAMClaim(json)),
      NetworkPolicy: (key, json) => tables.networkPolicies.put(key, trimNetworkPolicy(json)),
    };
    this.#remove = {
      Node: (key) => tables.nodes.remove(key),
      Namespace: (key) => tables.namespaces.remove(key),
      ClusterNetwork: (key) => tables.clusterNetworks.remove(key),
      Network: (key) => tables.networks.remove(key),
      NetworkAttachmentDefinition: (key) => tables.attachmentDefinitions.remove(key),
      Pod: (key) => tables.pods.remove(key),
      VirtualMachine: (key) => tables.vms.remove(key),
      VirtualMachineInstance: (key) => tables.vmis.remove(key),
      VirtualMachineInstanceMigration: (key) => tables.vmims.remove(key),
      IPAMClaim: (key) => tables.claims.remove(key),
      NetworkPolicy: (key) => tables.networkPolicies.remove(key),
    };
  }

  /**
   * Kinds the controller does not watch are passed over, as it would never see them.
   *
   * @throws MalformedField when the object cannot be read.
   */
  apply({ type, kind, object }: Omit<RecordedEvent, 'seq'>): void {
    if (type === 'BOOKMARK' || type === 'ERROR' || !isWatched(kind, object)) return;
    const key = objectKey(object);
    if (type !== 'DELETED') {
      this.#put[kind]?.(key, object);
      return;
    }
    const owners = this.#owners(kind, key);
    this.#remove[kind]?.(key);
    this.#collectGarbage(owners);
  }

  /** The wanted rows that have changed since this was last called, null for those that are gone. */
  async takeChanges(): Promise<ReadonlyMap<string, RowState | null>> {
    await this.core.settle();
    const { takenClaims, outlivedClaims } = this.core.tables;
    for (const key of [...takenClaims.rows().keys(), ...outlivedClaims.rows().keys()]) {
      if (!this.#recordedClaims.has(key)) this.core.tables.claims.remove(key);
    }
    await this.core.settle();
    return this.#northbound.takeChanges();
  }

  /** Every wanted row, as `<table>/<name>`. Takes the changes. */
  async rows(): Promise<ReadonlyMap<string, RowState>> {
    await this.takeChanges();
    return new Map(this.#northbound.rows);
  }

  #write(claim: WantedClaim): void {
    const key = `${claim.namespace}/${claim.name}`;
    if (!this.#recordedClaims.has(key)) this.core.tables.claims.put(key, written(claim));
  }

  /** UIDs a claim may belong to for the sake of this object: a VM's, or a VMI's and its VM's. */
  #owners(kind: string, key: string): readonly string[] {
    const { vms, vmis } = this.core.tables;
    if (kind === 'VirtualMachine') return [vms.get(key)?.uid].filter((uid) => uid !== undefined);
    if (kind !== 'VirtualMachineInstance') return [];
    const vmi = vmis.get(key);
    return [vmi?.uid, vmi?.owner?.uid].filter((uid) => uid !== undefined);
  }

  /** What the garbage collector and our finalizer do together: a claim goes when neither its VM nor a VMI of it is there. */
  #collectGarbage(lost: readonly string[]): void {
    const { claims, vms, vmis } = this.core.tables;
    for (const [key, { namespace, owner }] of claims.rows()) {
      if (owner === undefined || !lost.includes(owner.uid) || this.#recordedClaims.has(key)) continue;
      const name = `${namespace}/${owner.name}`;
      const vmi = vmis.get(name);
      const isUsed = vms.get(name)?.uid === owner.uid || vmi?.uid === owner.uid || vmi?.owner?.uid === owner.uid;
      if (!isUsed) claims.remove(key);
    }
  }
}

function written({ namespace, name, network, interface: nic, owner, ips }: WantedClaim) {
  return trimIPAMClaim({
    metadata: {
      ...{ namespace, name, uid: `claim of ${owner.uid}`, finalizers: [claimFinalizer] },
      ownerReferences: [{ ...owner, controller: true }],
    },
    spec: { network, interface: nic },
    status: { ips },
  });
}
