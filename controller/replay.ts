import { Core } from './core.ts';
import type { FeatureOptions } from './features/index.ts';
import type { OvnFacts } from './features/tables.ts';
import type { WantedClaim } from './ipam/allocator.ts';
import { isJsonObject } from './kube/objects/fields.ts';
import { trimIPAMClaim } from './kube/objects/ipam-claim.ts';
import { trimNamespace } from './kube/objects/namespace.ts';
import { trimClusterNetwork, trimNetwork } from './kube/objects/network.ts';
import { trimNetworkPolicy } from './kube/objects/network-policy.ts';
import { trimNode } from './kube/objects/node.ts';
import { trimPod } from './kube/objects/pod.ts';
import { trimVirtualMachine } from './kube/objects/virtual-machine.ts';
import { trimVirtualMachineInstance } from './kube/objects/virtual-machine-instance.ts';
import { trimVirtualMachineInstanceMigration } from './kube/objects/virtual-machine-instance-migration.ts';

/** One watch event of a recording, in the order of its resourceVersion. */
export interface RecordedEvent {
  readonly seq: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: string;
  readonly object: unknown;
}

/** Column → value of a wanted northbound row. */
export type RowState = Readonly<Record<string, unknown>>;

/**
 * The controller's core, fed with objects as the API server would show them and with no server at all: claims are there as soon as
 * they are wanted. It shows which northbound rows follow.
 */
export class Replay {
  readonly core: Core;
  readonly #put: Readonly<Record<string, (key: string, json: unknown) => void>>;
  readonly #remove: Readonly<Record<string, (key: string) => void>>;

  constructor(options: FeatureOptions, ovn: OvnFacts) {
    this.core = new Core(options, (claims) => {
      for (const claim of claims) this.core.tables.claims.put(`${claim.namespace}/${claim.name}`, written(claim));
    });
    const { tables, allocator } = this.core;
    tables.ovn.put('northd', ovn);
    allocator.start(new Map());
    this.#put = {
      Node: (key, json) => tables.nodes.put(key, trimNode(json)),
      Namespace: (key, json) => tables.namespaces.put(key, trimNamespace(json)),
      ClusterNetwork: (key, json) => tables.clusterNetworks.put(key, trimClusterNetwork(json)),
      Network: (key, json) => tables.networks.put(key, trimNetwork(json)),
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
      Pod: (key) => tables.pods.remove(key),
      VirtualMachine: (key) => tables.vms.remove(key),
      VirtualMachineInstance: (key) => tables.vmis.remove(key),
      VirtualMachineInstanceMigration: (key) => tables.vmims.remove(key),
      IPAMClaim: (key) => tables.claims.remove(key),
      NetworkPolicy: (key) => tables.networkPolicies.remove(key),
    };
  }

  /** Kinds the controller does not watch are passed over, as it would never see them. */
  apply({ type, kind, object }: Omit<RecordedEvent, 'seq'>): void {
    const key = keyOf(object);
    if (type === 'DELETED') this.#remove[kind]?.(key);
    else this.#put[kind]?.(key, object);
    if (type === 'DELETED') this.#collectGarbage();
  }

  /** What the garbage collector and our finalizer do together: a claim goes when neither its VM nor a VMI of it is there. */
  #collectGarbage(): void {
    const { claims, vms, vmis } = this.core.tables;
    for (const [key, { namespace, owner }] of claims.rows()) {
      if (owner === undefined) continue;
      const name = `${namespace}/${owner.name}`;
      const vmi = vmis.get(name);
      const isUsed = vms.get(name)?.uid === owner.uid || vmi?.uid === owner.uid || vmi?.owner?.uid === owner.uid;
      if (!isUsed) claims.remove(key);
    }
  }

  /** Every wanted row, as `<table>/<name>`. */
  async rows(): Promise<ReadonlyMap<string, RowState>> {
    await this.core.settle();
    const { board } = this.core.engine;
    const rows = new Map<string, RowState>();
    for (const table of board.tables()) {
      for (const desired of board.rows(table)) {
        const columns = Object.entries(desired.all()).sort(([a], [b]) => (a < b ? -1 : 1));
        rows.set(`${table}/${desired.key}`, Object.fromEntries(columns));
      }
    }
    return rows;
  }
}

function written({ namespace, name, network, interface: nic, owner, ips }: WantedClaim) {
  return trimIPAMClaim({
    metadata: { namespace, name, uid: `claim of ${owner.uid}`, ownerReferences: [{ ...owner, controller: true }] },
    spec: { network, interface: nic },
    status: { ips },
  });
}

function keyOf(object: unknown): string {
  const { namespace, name } = metadataOf(object);
  return typeof namespace === 'string' ? `${namespace}/${String(name)}` : String(name);
}

function metadataOf(object: unknown): Readonly<Record<string, unknown>> {
  const metadata = isJsonObject(object) ? object.metadata : undefined;
  if (!isJsonObject(metadata)) throw new TypeError('an event without object.metadata is not of a recording');
  return metadata;
}
