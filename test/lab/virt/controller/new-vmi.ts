import type { VirtualMachine, VmiSpec, VmiStatus } from '../objects.ts';
import { inPhase, type NewObject } from '../write.ts';

/**
 * The VMI that virt-controller creates for a VM (pkg/virt-controller/watch/vm/vm.go, setupVMIFromVM), with what virt-api's
 * mutating webhook adds to it on its way into the API: defaults, finalizers and the status of a pending VMI.
 *
 * @param now RFC 3339
 */
export function newVmi(vm: VirtualMachine, now: string): NewObject {
  const { name, namespace, uid, generation = 1 } = vm.metadata;
  const { template } = vm.spec;
  const spec = withVmiDefaults(template.spec);
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      name,
      namespace,
      annotations: { ...template.metadata?.annotations, 'kubevirt.io/vm-generation': String(generation) },
      finalizers: ['kubevirt.io/virtualMachineControllerFinalize', 'kubevirt.io/foregroundDeleteVirtualMachine'],
      ...(template.metadata?.labels && { labels: template.metadata.labels }),
      ownerReferences: [
        {
          apiVersion: 'kubevirt.io/v1',
          kind: 'VirtualMachine',
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec,
    status: {
      ...pendingStatus(spec, now),
      virtualMachineRevisionName: `revision-start-vm-${uid}-${generation}`,
    },
  };
}

/** The status with which virt-api's webhook lets a VMI into the API. */
export function pendingStatus(spec: VmiSpec, now: string): VmiStatus {
  const guest = spec.domain.memory?.guest ?? '';
  return inPhase(
    {
      phaseTransitionTimestamps: [],
      currentCPUTopology: { cores: spec.domain.cpu?.cores ?? 1 },
      guestOSInfo: {},
      memory: { guestAtBoot: guest, guestCurrent: guest, guestRequested: guest },
      runtimeUser: 107,
    },
    'Pending',
    now,
  );
}

/** What virt-api's webhook fills into the spec of a VMI. */
export function withVmiDefaults(spec: VmiSpec): VmiSpec {
  const { cpu, memory = {} } = spec.domain;
  return {
    ...spec,
    domain: {
      ...spec.domain,
      cpu: { cores: 1, ...cpu, model: cpu?.model ?? 'host-model' },
      features: { acpi: { enabled: true }, ...(typeof spec.domain.features === 'object' && spec.domain.features) },
      memory: { ...memory, ...(memory.guest !== undefined && { maxGuest: memory.maxGuest ?? times4(memory.guest) }) },
    },
    evictionStrategy: spec.evictionStrategy ?? 'LiveMigrate',
    ...(spec.volumes && {
      volumes: spec.volumes.map((volume) => ({
        ...volume,
        ...(volume.containerDisk && { containerDisk: { imagePullPolicy: 'IfNotPresent', ...volume.containerDisk } }),
      })),
    }),
  };
}

/** Memory can be plugged up to four times what the guest starts with (KubeVirt's maxHotplugRatio): `1Gi` → `4Gi`. */
function times4(quantity: string): string {
  return quantity.replace(/^\d+/, (digits) => String(Number(digits) * 4));
}
