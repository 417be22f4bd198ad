import { isDeepStrictEqual } from 'node:util';
import {
  type Condition,
  isFinal,
  type VirtualMachine,
  type VirtualMachineInstance,
  type VmStatus,
} from '../objects.ts';
import { observeApiVersion, testAndReplace, type Write, withCondition } from '../write.ts';
import { newVmi } from './new-vmi.ts';

const finalizer = 'kubevirt.io/virtualMachineControllerFinalize';

/**
 * What virt-controller's VM controller writes next (pkg/virt-controller/watch/vm/vm.go), or undefined when it is content.
 *
 * @param vmi the VMI of the VM's name, while there is one
 * @param now RFC 3339
 */
export function nextVmWrite(
  vm: VirtualMachine,
  vmi: VirtualMachineInstance | undefined,
  now: string,
): Write | undefined {
  const { finalizers, deletionTimestamp } = vm.metadata;
  if (vm.status === undefined) return statusWrite(vm, { printableStatus: 'Stopped', ...snapshotStatuses(vm) });
  const observed = observeApiVersion(vm);
  if (observed) return { step: 'vm:api-version', verb: 'update', object: observed };
  if (deletionTimestamp === undefined && !finalizers?.includes(finalizer)) {
    const patch = testAndReplace('/metadata/finalizers', finalizers, [...(finalizers ?? []), finalizer]);
    return { step: 'vm:finalizer', verb: 'patch', of: vm, patch };
  }

  const wantsToRun = deletionTimestamp === undefined && runs(vm);
  if (!vmi) {
    if (wantsToRun) return { step: 'vm:create-vmi', verb: 'create', object: newVmi(vm, now) };
    if (deletionTimestamp !== undefined) {
      const patch = testAndReplace(
        '/metadata/finalizers',
        finalizers,
        finalizers?.filter((one) => one !== finalizer),
      );
      return finalizers?.includes(finalizer) ? { step: 'vm:gone', verb: 'patch', of: vm, patch } : undefined;
    }
    return statusWriteIfChanged(vm, undefined, now);
  }
  return nextVmiWrite(vm, vmi, wantsToRun) ?? statusWriteIfChanged(vm, vmi, now);
}

/** What the VM controller writes to the VMI of its VM: it ends it, and gives it up when it has ended. */
function nextVmiWrite(vm: VirtualMachine, vmi: VirtualMachineInstance, wantsToRun: boolean): Write | undefined {
  const { annotations = {}, finalizers, deletionTimestamp } = vmi.metadata;
  if (deletionTimestamp !== undefined) {
    if (!isFinal(vmi.status.phase) || !finalizers?.includes(finalizer)) return undefined;
    const left = finalizers.filter((one) => one !== finalizer);
    return {
      step: 'vm:vmi-finalizer',
      verb: 'patch',
      of: vmi,
      patch: testAndReplace('/metadata/finalizers', finalizers, left),
    };
  }
  const generation = String(vm.metadata.generation ?? 1);
  if (vm.metadata.deletionTimestamp === undefined && annotations['kubevirt.io/vm-generation'] !== generation) {
    const patch = testAndReplace('/metadata/annotations', annotations, {
      ...annotations,
      'kubevirt.io/vm-generation': generation,
    });
    return { step: 'vm:vmi-generation', verb: 'patch', of: vmi, patch };
  }
  // A guest that ended by itself is replaced, too, where it is to run for ever.
  if (!wantsToRun || isFinal(vmi.status.phase)) return { step: 'vm:delete-vmi', verb: 'delete', of: vmi };
  return undefined;
}

function runs({ spec }: VirtualMachine): boolean {
  return spec.runStrategy === 'Always' || spec.runStrategy === 'RerunOnFailure';
}

function statusWriteIfChanged(
  vm: VirtualMachine,
  vmi: VirtualMachineInstance | undefined,
  now: string,
): Write | undefined {
  const wanted = vmStatus(vm, vmi, now);
  return isDeepStrictEqual(wanted, vm.status) ? undefined : statusWrite(vm, wanted);
}

function statusWrite(vm: VirtualMachine, status: VmStatus): Write {
  return { step: 'vm:status', verb: 'update/status', object: { ...vm, status } };
}

function vmStatus(vm: VirtualMachine, vmi: VirtualMachineInstance | undefined, now: string): VmStatus {
  const before = vm.status ?? {};
  const { spec, metadata } = vm;
  const conditions = conditionsOf(before.conditions, vmi, now);
  const observedGeneration = vmi?.metadata.annotations?.['kubevirt.io/vm-generation'] ?? before.observedGeneration;
  return {
    ...snapshotStatuses(vm),
    conditions,
    ...(vmi && { created: true }),
    ...(conditions.some(({ type, status }) => type === 'Ready' && status === 'True') && { ready: true }),
    ...(metadata.generation !== undefined && { desiredGeneration: metadata.generation }),
    ...(observedGeneration !== undefined && { observedGeneration: Number(observedGeneration) }),
    ...(spec.runStrategy !== undefined && { runStrategy: spec.runStrategy }),
    printableStatus: printableStatus(vm, vmi),
  };
}

function conditionsOf(
  before: readonly Condition[] | undefined,
  vmi: VirtualMachineInstance | undefined,
  now: string,
): readonly Condition[] {
  const ofVmi = vmi?.status.conditions;
  if (ofVmi?.some(({ type }) => type === 'Ready')) return ofVmi;
  const [reason, message] = vmi
    ? ['VMIConditionMissing', 'VMI is missing the Ready condition']
    : ['VMINotExists', 'VMI does not exist'];
  const known = before?.find((condition) => condition.type === 'Ready' && condition.reason === reason);
  const ready = known ?? {
    ...{ type: 'Ready', status: 'False' as const, reason, message },
    ...{ lastProbeTime: now, lastTransitionTime: now },
  };
  return withCondition(vmi ? ofVmi : before, ready);
}

function printableStatus(vm: VirtualMachine, vmi: VirtualMachineInstance | undefined): string {
  if (vm.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (!vmi) return runs(vm) ? 'Starting' : 'Stopped';
  const { phase, migrationState } = vmi.status;
  if (isFinal(phase)) return 'Stopped';
  if (vmi.metadata.deletionTimestamp !== undefined) return 'Stopping';
  if (phase !== 'Running') return 'Starting';
  const isMigrating = migrationState?.startTimestamp !== undefined && migrationState.endTimestamp === undefined;
  return isMigrating ? 'Migrating' : 'Running';
}

function snapshotStatuses(vm: VirtualMachine): VmStatus {
  const volumes = vm.spec.template.spec.volumes ?? [];
  if (volumes.length === 0) return {};
  return {
    volumeSnapshotStatuses: volumes.map(({ name }) => ({
      enabled: false,
      name,
      reason: `Snapshot is not supported for this volumeSource type [${name}]`,
    })),
  };
}
