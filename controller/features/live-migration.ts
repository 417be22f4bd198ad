import type { Feature } from '../engine/engine.ts';
import { type Fact, mapEntry } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import type { MigrationState } from '../kube/objects/migration-state.ts';
import type { Pod } from '../kube/objects/pod.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import type { VirtualMachineInstanceMigration } from '../kube/objects/virtual-machine-instance-migration.ts';
import { chassisPrecedence } from './ports.ts';
import type { OvnFacts, Tables } from './tables.ts';
import { vmNics } from './vm-nics.ts';
import { announcesItself, liveLaunchers } from './vms.ts';

/**
 * While a migration is under way the port is wanted on both nodes, and the target stays silent until the guest announces itself
 * there. Level-triggered: what is asked for follows from the objects as they are, not from the events that made them so.
 */
export function liveMigration(tables: Tables): Feature<VirtualMachineInstance> {
  return {
    name: 'live-migration',
    from: tables.vmis,
    *facts(key, vmi, read) {
      const nics = vmNics(vmi);
      if (nics.length === 0) return;
      const migrations = [...read.by(tables.vmims, 'vmi', key).values()];
      const launchers = liveLaunchers(tables, read, vmi);
      for (const { port, interface: nic } of nics) {
        const whereabouts = whereaboutsOf(vmi, migrations, launchers, announcesItself(nic));
        if (whereabouts !== undefined) yield* chassisFacts(port, whereabouts, () => read.get(tables.ovn, 'northd'));
      }
    },
  };
}

function* chassisFacts(port: Key, whereabouts: Whereabouts, ovn: () => OvnFacts | undefined): Iterable<Fact> {
  const chassis = whereabouts.kind === 'moving' ? [whereabouts.source, whereabouts.target] : [whereabouts.node];
  const { migrating } = chassisPrecedence;
  yield mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', chassis.join(','), migrating);
  if (whereabouts.kind === 'moving') {
    yield mapEntry('Logical_Switch_Port', port, 'options', 'activation-strategy', activationStrategy(ovn()));
  }
}

/** Where a migration puts the guest: on its way between two nodes, or at one node already, whatever the VMI still says. */
export type Whereabouts =
  | { readonly kind: 'moving'; readonly source: string; readonly target: string }
  | { readonly kind: 'settled'; readonly node: string };

/**
 * Undefined when the migrations have nothing to say and the guest is where the VMI says. `launchers` are the live launcher pods
 * that have a node. The contract is KubeVirt's (pkg/virt-controller/watch/migration, pkg/virt-handler/migration-*.go):
 *
 * - VMI.migrationState stays after its migration, a cancelled VMIM is gone before its target pod, and after a success both
 *   pods run for a while; so what counts is an unfinished VMIM with a live target pod.
 * - A VMIM fails before or after its VMI says so; either suffices.
 * - In post-copy the guest runs on the target long before the migration ends, and there is no way back.
 */
export function whereaboutsOf(
  vmi: VirtualMachineInstance,
  migrations: readonly VirtualMachineInstanceMigration[],
  launchers: readonly (Pod & { readonly nodeName: string })[],
  guestAnnouncesItself: boolean,
): Whereabouts | undefined {
  const state = vmi.migrationState;
  const handedOff = migrations.find(({ uid }) => uid === state?.migrationUid);
  if (state !== undefined) {
    const whereabouts = afterHandOff(vmi, state, handedOff, launchers, guestAnnouncesItself);
    if (whereabouts !== undefined) return whereabouts;
  }
  const source = vmi.nodeName;
  if (source === undefined) return undefined;
  for (const pod of launchers.toReversed()) {
    const migration = migrations.find(({ uid }) => uid === pod.labels['kubevirt.io/migrationJobUID']);
    if (migration === undefined || migration === handedOff || isFinal(migration)) continue;
    if (pod.nodeName !== source) return { kind: 'moving', source, target: pod.nodeName };
  }
  return undefined;
}

/** `rarp` is what QEMU sends; GARP and NA from the guest itself are understood from OVN 25.09 and are an error before. */
function activationStrategy(ovn: OvnFacts | undefined): string {
  const { year, month } = ovn?.version ?? { year: 0, month: 0 };
  return year > 25 || (year === 25 && month >= 9) ? 'rarp,garp,na' : 'rarp';
}

function afterHandOff(
  vmi: VirtualMachineInstance,
  state: MigrationState,
  migration: VirtualMachineInstanceMigration | undefined,
  launchers: readonly (Pod & { readonly nodeName: string })[],
  guestAnnouncesItself: boolean,
): Whereabouts | undefined {
  const { sourceNode, targetNode } = state;
  if (sourceNode === undefined || targetNode === undefined || vmi.nodeName === targetNode) return undefined;
  // Each side has a port of its own (decentralised-migration.ts).
  if (state.sourceState !== undefined || state.targetState !== undefined) return undefined;
  const target: Whereabouts = { kind: 'settled', node: targetNode };
  const isPostCopy = state.mode === 'PostCopy';
  const targetPod = launchers.find(({ name }) => name === state.targetPod);
  const isGuestOnTarget =
    state.targetNodeDomainReadyTimestamp !== undefined ||
    targetPod?.annotations['kubevirt.io/migration-target-ready-timestamp'] !== undefined;

  // In post-copy the guest has left the source for good, whatever becomes of target pod, VMIM and VMI.
  const isOver =
    isGuestOnTarget || state.failed || (migration?.phase ?? 'Failed') === 'Failed' || targetPod === undefined;
  if (isPostCopy && isOver) return target;
  if (state.failed || migration?.phase === 'Failed') return undefined;
  if (state.completed || migration?.phase === 'Succeeded') return target;
  if (isGuestOnTarget && !guestAnnouncesItself) return target;
  if (migration === undefined || targetPod === undefined) return isGuestOnTarget ? target : undefined;
  return { kind: 'moving', source: sourceNode, target: targetNode };
}

function isFinal({ phase }: VirtualMachineInstanceMigration): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
