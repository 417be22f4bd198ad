import type { Feature, Read } from '../engine/engine.ts';
import { derived, type ObjectReference } from '../engine/facts.ts';
import type { VirtualMachine } from '../kube/objects/virtual-machine.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import type { LastMigration, Tables, VmNetworkStatus } from './tables.ts';
import { networkOfNic, type VmNic, vmNics } from './vm-nics.ts';
import { liveLaunchers } from './vms.ts';

/** A VM that has no VMI has no port; what it had stays its own. */
export function stoppedVmStatus(tables: Tables): Feature<VirtualMachine> {
  return {
    name: 'stopped-vm-status',
    from: tables.vms,
    *facts(key, { namespace, name, uid }, read) {
      if (read.get(tables.vmis, key) !== undefined) return;
      const owner = { kind: 'VirtualMachine', namespace, name, uid };
      const message = 'the VM is not running; its addresses stay its own';
      yield derived(tables.vmNetworkStatuses, key, { owner, ready: { status: 'False', reason: 'Stopped', message } });
    },
  };
}

export function runningVmStatus(tables: Tables): Feature<VirtualMachineInstance> {
  return {
    name: 'running-vm-status',
    from: tables.vmis,
    *facts(key, vmi, read) {
      const nics = vmNics(vmi).flatMap((nic) => {
        const network = networkOfNic(tables, read, vmi.namespace, nic);
        return network === undefined ? [] : [{ ...nic, network, found: read.get(tables.addresses, nic.port) }];
      });
      if (nics.length === 0) return;
      const first = nics.find(({ definition }) => definition === undefined);
      const further = nics.filter((nic) => nic !== first);
      const waiting = nics.filter(({ found }) => found === undefined);
      const lastMigration = lastMigrationOf(tables, read, key, vmi);
      yield derived(tables.vmNetworkStatuses, key, {
        owner: ownerOf(vmi),
        ready: waiting.length > 0 ? lacking(waiting) : written,
        ...(first && { port: first.port }),
        ...(first?.found && { mac: first.found.mac, addresses: first.found.ips }),
        ...(further.length > 0 && {
          furtherNics: further.map(({ name, network, port, found }) => {
            const plan = read.get(tables.networkPlans, network);
            return {
              ...{ name, port },
              ...(plan && { network: plan.name }),
              ...(found && { mac: found.mac, addresses: found.ips }),
            };
          }),
        }),
        ...(vmi.nodeName !== undefined && { node: vmi.nodeName }),
        ...(lastMigration && { lastMigration }),
      });
    },
  };
}

const written = { status: 'True', reason: 'PortWritten', message: 'its port is what it should be' } as const;

function lacking(nics: readonly VmNic[]): VmNetworkStatus['ready'] {
  const which = nics
    .map(({ name, definition }) => (definition === undefined ? 'its NIC' : `its NIC ${name}`))
    .join(', ');
  const message = `${which} ${nics.length === 1 ? 'has' : 'have'} no addresses yet; its Events say why`;
  return { status: 'False', reason: 'NoAddresses', message };
}

function lastMigrationOf(
  tables: Tables,
  read: Read,
  key: string,
  vmi: VirtualMachineInstance,
): LastMigration | undefined {
  const state = vmi.migrationState;
  const migrations = [...read.by(tables.vmims, 'vmi', key).values()];
  const next = migrations
    .filter(({ uid, phase }) => uid !== state?.migrationUid && phase !== 'Succeeded' && phase !== 'Failed')
    .sort((a, b) => b.creationTimestamp - a.creationTimestamp || (a.uid < b.uid ? -1 : 1))[0];
  if (next !== undefined) {
    const target = liveLaunchers(tables, read, vmi).find(
      ({ labels }) => labels['kubevirt.io/migrationJobUID'] === next.uid,
    );
    return {
      uid: next.uid,
      phase: next.phase === '' ? 'Pending' : next.phase,
      ...(vmi.nodeName !== undefined && { from: vmi.nodeName }),
      ...(target !== undefined && { to: target.nodeName }),
    };
  }
  if (state?.migrationUid === undefined) return undefined;
  const migration = migrations.find(({ uid }) => uid === state.migrationUid);
  const { sourceNode, targetNode, targetNodeDomainReadyTimestamp: activated, endTimestamp } = state;
  const isCommitted = endTimestamp !== undefined && !state.failed;
  return {
    uid: state.migrationUid,
    phase: state.failed ? 'Failed' : state.completed ? 'Succeeded' : (migration?.phase ?? 'Running'),
    ...(sourceNode !== undefined && { from: sourceNode }),
    ...(targetNode !== undefined && { to: targetNode }),
    ...(activated !== undefined && { activationTime: time(activated) }),
    ...(isCommitted && { commitTime: time(endTimestamp) }),
  };
}

function ownerOf({ namespace, name, uid, owner }: VirtualMachineInstance): ObjectReference {
  if (owner?.kind === 'VirtualMachine') return { kind: owner.kind, namespace, name: owner.name, uid: owner.uid };
  return { kind: 'VirtualMachineInstance', namespace, name, uid };
}

function time(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
