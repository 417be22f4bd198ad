import type { Read } from '../engine/engine.ts';
import type { Key } from '../engine/table.ts';
import type { Pod } from '../kube/objects/pod.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import { claimName } from './claim-name.ts';
import { networkKey, primaryNetwork } from './networks.ts';
import { type Origin, toldOrigin } from './origin.ts';
import type { Tables } from './tables.ts';
import { networkOfNic, nicOnPodNetwork, type VmNic, vmNics } from './vm-nics.ts';

// A decentralised migration moves a guest from one VMI to another, in another namespace (KubeVirt `spec.sendTo` and `spec.receive`).
// On one network it takes its addresses along: they are the source's port's until the guest runs on the target, and the target's from
// then on. There are two ports, so no RARP can decide; what virt-handler says of the domain does.

/**
 * Where the guest of this VMI comes, or came, from with the addresses of this NIC; undefined when it began here, or came from another
 * cluster, or has the NIC on another network here.
 */
export function originOf(
  tables: Tables,
  read: Read,
  vmi: VirtualMachineInstance,
  nic: VmNic,
  network: Key,
): Origin | undefined {
  const origin = toldOrigin(vmi) ?? originByMigration(tables, read, vmi);
  if (origin === undefined) return undefined;
  const there =
    nic.definition === undefined
      ? primaryNetwork(tables, read, origin.namespace)
      : furtherNetworkAt(tables, read, origin, nic);
  return there === network ? origin : undefined;
}

/** Key of the network that a further NIC is, or was, on where it came from. */
function furtherNetworkAt(tables: Tables, read: Read, origin: Origin, nic: VmNic): Key | undefined {
  const vmi = read.get(tables.vmis, keyOf(origin));
  const there = vmi && counterpart(vmi, nic);
  if (there !== undefined) return networkOfNic(tables, read, origin.namespace, there);
  // The VMI may be gone already; its claim is there as long as there is anything to be taken along.
  const claim = read.get(tables.claims, originClaim(origin, nic.name));
  return claim && networkKey(claim.network);
}

/** The NIC of another VMI that takes this one's place. */
function counterpart(vmi: VirtualMachineInstance, nic: VmNic): VmNic | undefined {
  return nic.definition === undefined ? nicOnPodNetwork(vmi) : vmNics(vmi).find(({ name }) => name === nic.name);
}

/**
 * Whether the guest runs here already. `status.nodeName` of a target is set before the guest is there; a failure leaves the guest at
 * its source, but for one in post-copy.
 */
export function isGuestHere(vmi: VirtualMachineInstance, launchers: readonly Pod[]): boolean {
  const state = vmi.migrationState;
  if (!vmi.isMigrationTarget) return true;
  if (state?.failed) return state.mode === 'PostCopy';
  return (
    state?.completed === true ||
    state?.targetNodeDomainReadyTimestamp !== undefined ||
    state?.targetState?.domainReadyTimestamp !== undefined ||
    launchers.some(({ annotations }) => annotations['kubevirt.io/migration-target-ready-timestamp'] !== undefined)
  );
}

/** Whether the guest of this VMI runs at another one now, with the addresses that this NIC had here. */
export function hasLeft(
  tables: Tables,
  read: Read,
  vmi: VirtualMachineInstance,
  nic: VmNic,
  claim: Key,
  launchersOf: (vmi: VirtualMachineInstance) => readonly Pod[],
): boolean {
  for (const receiver of receiversOf(tables, read, vmi)) {
    const there = counterpart(receiver, nic);
    const network = there && networkOfNic(tables, read, receiver.namespace, there);
    if (there === undefined || network === undefined) continue;
    const origin = originOf(tables, read, receiver, there, network);
    if (origin === undefined || `${origin.namespace}/${origin.name}` !== `${vmi.namespace}/${vmi.name}`) continue;
    if (!isGuestHere(receiver, launchersOf(receiver))) continue;
    const source = receiver.migrationState?.sourceState?.virtualMachineInstanceUid;
    if (source === undefined || source === vmi.uid) return true;
    // A VMI that was started since waits until the addresses have been handed over, and then gets others.
    if (read.get(tables.takenClaims, claim) !== undefined) return true;
  }
  return false;
}

/** The IPAMClaim that a guest brought its addresses along in. */
export function originClaim(origin: Origin, network: string): Key {
  return `${origin.namespace}/${claimName(origin.name, network)}`;
}

function originByMigration(tables: Tables, read: Read, vmi: VirtualMachineInstance): Origin | undefined {
  if (!vmi.isMigrationTarget) return undefined;
  for (const { receive } of read.by(tables.vmims, 'vmi', keyOf(vmi)).values()) {
    if (receive === undefined) continue;
    for (const { sendTo, namespace, vmiName } of read.by(tables.vmims, 'migrationId', receive).values()) {
      if (sendTo !== undefined) return { namespace, name: vmiName };
    }
  }
  return undefined;
}

function* receiversOf(tables: Tables, read: Read, vmi: VirtualMachineInstance): Iterable<VirtualMachineInstance> {
  yield* read.by(tables.vmis, 'receivedFrom', keyOf(vmi)).values();
  for (const { sendTo } of read.by(tables.vmims, 'vmi', keyOf(vmi)).values()) {
    if (sendTo === undefined) continue;
    for (const { receive, namespace, vmiName } of read.by(tables.vmims, 'migrationId', sendTo).values()) {
      const receiver = receive === undefined ? undefined : read.get(tables.vmis, `${namespace}/${vmiName}`);
      if (receiver !== undefined) yield receiver;
    }
  }
}

function keyOf({ namespace, name }: Origin): Key {
  return [namespace, name].join('/');
}
