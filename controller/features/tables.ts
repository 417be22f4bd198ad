import type { OvnOption } from '#dhcp/ovn/capabilities.ts';
import type { GuestSettings } from '#dhcp/settings.ts';
import type { ObjectReference } from '../engine/facts.ts';
import { type Key, Table } from '../engine/table.ts';
import type { Family } from '../ipam/address.ts';
import type { Cut } from '../ipam/cut.ts';
import type { IPAMClaim } from '../kube/objects/ipam-claim.ts';
import type { Namespace } from '../kube/objects/namespace.ts';
import type { ClusterNetwork, LabelSelector, Network } from '../kube/objects/network.ts';
import type { NetworkAttachmentDefinition } from '../kube/objects/network-attachment-definition.ts';
import type { NetworkPolicy } from '../kube/objects/network-policy.ts';
import type { Node } from '../kube/objects/node.ts';
import type { Pod } from '../kube/objects/pod.ts';
import type { VirtualMachine } from '../kube/objects/virtual-machine.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import type { VirtualMachineInstanceMigration } from '../kube/objects/virtual-machine-instance-migration.ts';
import type { VirtualMachineNetwork } from '../kube/objects/virtual-machine-network.ts';
import type { AddressRequest } from './address-requests.ts';
import { receivedFrom } from './origin.ts';
import { filedUnder } from './selectors.ts';

/** How the node agent attaches a NIC (docs/bus.md). */
export type Attach = 'veth' | 'managedTap' | 'podTap' | 'tap' | 'management' | 'outside';

/** A network as it is realised: parsed, with defaults filled in. Keyed by its logical router. */
export interface NetworkPlan {
  readonly object: ObjectReference;
  /** What `IPAMClaim.spec.network` says. */
  readonly name: string;
  readonly families: readonly Family[];
  readonly cuts: readonly Cut[];
  /** The first is there as long as the network is, the others while they have ports. */
  readonly segments: readonly Segment[];
  readonly excluded: readonly { readonly first: bigint; readonly last: bigint }[];
}

/** One logical switch of a network, with its share of the subnets. Keyed by the switch. */
export interface Segment {
  readonly key: Key;
  readonly network: Key;
  readonly object: ObjectReference;
  /** At most one of each family, IPv4 first. */
  readonly subnets: readonly SubnetPlan[];
  readonly routerMac: string;
  /** Of an underlay: the physical network that it is on, instead of a router of ours. */
  readonly localnet?: { readonly physicalNetwork: string; readonly vlan?: number };
  /** Bytes. */
  readonly mtu: number;
  readonly guest: GuestSettings;
  /** Its NICs are further ones: the way out is another NIC's. */
  readonly isSecondary: boolean;
}

export interface SubnetPlan {
  readonly family: Family;
  readonly cidr: string;
  readonly gateway: string;
  readonly prefixLength: number;
}

/** A NIC that wants addresses; keyed by its logical switch port. */
export interface Nic {
  /** Key of its NetworkPlan. */
  readonly network: Key;
  readonly attach: Attach;
  /** Whose NIC it is: the VM, the bare VMI, the pod or the node, who is also told when something is wrong with it. */
  readonly object: ObjectReference;
  /** Present on a VM's NIC: the IPAMClaim that keeps its addresses until the VM goes. */
  readonly claim?: { readonly namespace: string; readonly name: string; readonly interface: string };
  /** Key of the IPAMClaim that the guest had its addresses in where it came from (decentralised-migration.ts). */
  readonly broughtClaim?: Key;
  readonly request: AddressRequest;
  /** Addresses it is known to have had, given back to it if nobody else has them. */
  readonly formerIps: readonly string[];
  /** The host name the guest is told; absent on pods, which are told by the kubelet. */
  readonly hostName?: string;
  /** Annotation `hawser.dev/guest` of the VM, unparsed. */
  readonly guestAnnotation?: string;
}

/** Addresses of a pod's NIC; keyed by its logical switch port. A VM's are in its claim. */
export interface PodLease {
  readonly uid: string;
  readonly network: Key;
  readonly ips: readonly string[];
  /** Absent when it is the one that is made of the first address. */
  readonly mac?: string;
  /** Somebody else has the MAC it asks for: it has none yet. */
  readonly awaitsMac?: boolean;
}

/** An IPAMClaim that may go, with the finalizers that are left on it. */
export interface ReleasedClaim {
  readonly namespace: string;
  readonly name: string;
  readonly finalizers: readonly string[];
}

/** A NIC that has addresses, and which; keyed by its logical switch port. IPv4 before IPv6. */
export interface NicAddresses {
  readonly nic: Nic;
  readonly mac: string;
  readonly ips: readonly string[];
  /** Key of the Segment that the addresses are of. */
  readonly segment: Key;
}

/** A selector of pods and VMs that some policy uses. Equal selectors are one, and one port group. */
export interface PodSelector {
  /** `namespace/NAME`, or `namespaces/` and a namespace selector's canonical text. */
  readonly scope: string;
  readonly selector: LabelSelector;
}

/** What a NetworkAttachmentDefinition attaches to that is ours, or why it attaches to nothing. */
export type Attachment =
  | {
      readonly kind: 'network';
      readonly network: Key;
      readonly clusterNetwork?: string;
      /** Another plugin attaches the NIC, to something else than `br-int`; our part is to answer its guest. */
      readonly isOutside: boolean;
    }
  | { readonly kind: 'unusable'; readonly sentence: string };

/** What is told of a VM's network in its VirtualMachineNetwork, times of conditions aside. */
export interface VmNetworkStatus {
  /** The VM, or the bare VMI: the VirtualMachineNetwork is its, and goes with it. */
  readonly owner: ObjectReference;
  readonly ready: { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };
  /** What its guest is not told as asked, in sentences. */
  readonly untoldSettings?: string;
  readonly port?: string;
  readonly mac?: string;
  readonly addresses?: readonly string[];
  /** Its NICs through Multus that are on networks of ours. */
  readonly furtherNics?: readonly FurtherNic[];
  readonly node?: string;
  readonly lastMigration?: LastMigration;
}

export interface FurtherNic {
  /** As the VM calls its network. */
  readonly name: string;
  /** As `IPAMClaim.spec.network` has it. */
  readonly network?: string;
  readonly port: string;
  readonly mac?: string;
  readonly addresses?: readonly string[];
}

/** Of the migration that is under way, else of the last one of this VMI. Times are RFC 3339. */
export interface LastMigration {
  /** Of the VirtualMachineInstanceMigration. */
  readonly uid: string;
  /** Nodes. */
  readonly from?: string;
  readonly to?: string;
  /** As KubeVirt names them: `Pending` … `Running`, `Succeeded`, `Failed`. */
  readonly phase: string;
  /** When the guest was first seen to run at the target. */
  readonly activationTime?: string;
  /** When the migration was acknowledged, and the port became the target's alone. */
  readonly commitTime?: string;
}

/** What the running OVN is and can do; one row, keyed `northd`. */
export interface OvnFacts {
  /** As in `25.03`; absent until northd has said it. */
  readonly version?: { readonly year: number; readonly month: number };
  /** Rows of the southbound tables DHCP_Options and DHCPv6_Options: what it can tell a guest. */
  readonly dhcpv4: readonly OvnOption[];
  readonly dhcpv6: readonly OvnOption[];
}

/** Every shelf the features look at: objects as Kubernetes has them, what OVN says, and what features derive for others. */
export class Tables {
  readonly nodes = new Table<Node>('nodes');
  readonly namespaces = new Table<Namespace>('namespaces');
  readonly pods = new Table<Pod, 'owner'>('pods', { owner: ({ owner }) => (owner ? [owner.uid] : []) });
  readonly vms = new Table<VirtualMachine>('vms');
  readonly vmis = new Table<VirtualMachineInstance, 'receivedFrom'>('vmis', { receivedFrom });
  readonly vmims = new Table<VirtualMachineInstanceMigration, 'vmi' | 'migrationId'>('vmims', {
    vmi: ({ namespace, vmiName }) => [`${namespace}/${vmiName}`],
    migrationId: ({ sendTo, receive }) => [sendTo, receive].filter((id) => id !== undefined),
  });
  readonly clusterNetworks = new Table<ClusterNetwork, 'all'>('clusterNetworks', { all: () => [''] });
  readonly networks = new Table<Network, 'namespace'>('networks', { namespace: ({ namespace }) => [namespace] });
  readonly claims = new Table<IPAMClaim, 'network'>('claims', { network: ({ network }) => [network] });
  /** What we have said of VMs, as the API server has it. */
  readonly vmNetworks = new Table<VirtualMachineNetwork>('vmNetworks');
  readonly networkPolicies = new Table<NetworkPolicy, 'all'>('networkPolicies', { all: () => [''] });
  readonly attachmentDefinitions = new Table<NetworkAttachmentDefinition>('attachmentDefinitions');

  readonly ovn = new Table<OvnFacts>('ovn');

  /** NetworkAttachmentDefinitions that name a network of ours, keyed as they are. */
  readonly attachments = new Table<Attachment>('attachments');
  readonly networkPlans = new Table<NetworkPlan>('networkPlans');
  /** Namespace → the network its pods and VMs are on. */
  readonly namespaceNetworks = new Table<Key>('namespaceNetworks');
  readonly nics = new Table<Nic, 'claim' | 'network'>('nics', {
    claim: ({ claim }) => (claim ? [[claim.namespace, claim.name].join('/')] : []),
    network: ({ network }) => [network],
  });
  readonly segments = new Table<Segment>('segments');
  /** IPAMClaim → who is in its way, in the user's words. */
  readonly claimConflicts = new Table<string>('claimConflicts');
  /** Claims whose condition does not tell what it should: `conflict` is absent when all is well. */
  readonly claimConditions = new Table<{ readonly conflict?: string }>('claimConditions');
  readonly macHolders = new Table<Key>('macHolders');
  readonly podLeases = new Table<PodLease>('podLeases');
  readonly podSelectors = new Table<PodSelector, 'place'>('podSelectors', {
    place: {
      within: ({ scope, selector }) => labelsWithin(scope, filedUnder(selector).key),
      of: ({ selector }) => filedUnder(selector).values,
    },
  });
  readonly namespaceSelectors = new Table<LabelSelector, 'place'>('namespaceSelectors', {
    place: { within: (selector) => filedUnder(selector).key, of: (selector) => filedUnder(selector).values },
  });
  /** Namespace → scopes of pod selectors that are for its pods too. */
  readonly namespaceScopes = new Table<readonly string[]>('namespaceScopes');
  readonly addresses = new Table<NicAddresses, 'segment'>('addresses', { segment: ({ segment }) => [segment] });
  /** IPAMClaim → the one that has its addresses now, because the guest has taken them along. */
  readonly takenClaims = new Table<Key>('takenClaims');
  /** IPAMClaims of NICs that their VM has no more, or has on another network now, and why they go. */
  readonly outlivedClaims = new Table<string>('outlivedClaims');
  /** What is to be said of VMs; keyed as they are. */
  readonly vmNetworkStatuses = new Table<VmNetworkStatus>('vmNetworkStatuses');
  readonly releasedClaims = new Table<ReleasedClaim>('releasedClaims');
}

/**
 * `within` of the index `place` of `Tables.podSelectors`: the values of one label key in one scope. The texts are remembered, because every
 * port looks into a dozen of them.
 */
export function labelsWithin(scope: string, key: string): string {
  let ofScope = remembered.get(scope);
  if (ofScope === undefined) {
    ofScope = new Map();
    remembered.set(scope, ofScope);
  }
  let text = ofScope.get(key);
  if (text === undefined) {
    if (rememberedCount === mostRemembered) {
      remembered.clear();
      rememberedCount = 0;
    }
    rememberedCount += 1;
    text = `${scope} ${key}`;
    ofScope.set(key, text);
  }
  return text;
}

const mostRemembered = 20_000;
const remembered = new Map<string, Map<string, string>>();
let rememberedCount = 0;
