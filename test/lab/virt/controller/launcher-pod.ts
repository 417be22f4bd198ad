import { createHash } from 'node:crypto';
import type { Pod, Strings, VirtualMachineInstance, VirtualMachineInstanceMigration } from '../objects.ts';
import type { NewObject } from '../write.ts';

/** Image of virt-launcher; the stand-in kubelet runs no containers, so it is a name only. */
export const launcherImage = 'registry.example/kubevirt/virt-launcher:v1.9.0';

/** Binding of a VMI interface whose tap the node agent makes in the node's own network namespace. */
export const directTapBinding = 'hawser-tap';

/** The gate that is open while the guest is not paused and this pod is the one it runs in. */
export const unpausedGate = 'kubevirt.io/virtual-machine-unpaused';

/** What virt-controller says of every guest of this size; fixed here, where it depends on architecture and devices. */
export const memoryOverhead = { quantity: '268Mi', bytes: 268 * 2 ** 20 };

/**
 * The launcher pod of a VMI as virt-controller renders it (pkg/virt-controller/services/template.go), as far as it can be
 * seen in the recordings: volumes, resources and commands are left out.
 *
 * One thing is not KubeVirt's: a VMI with a `hawser-tap` interface gets a pod on the host network, because the lab has no
 * other launcher that lives in the node's namespace.
 *
 * @param migration the migration whose target this pod is; absent for a first pod
 */
export function launcherPod(vmi: VirtualMachineInstance, migration?: VirtualMachineInstanceMigration): NewObject {
  const { name, namespace, uid } = vmi.metadata;
  const { spec } = vmi;
  const hostname = spec.hostname ?? (name.split('.')[0] ?? name).slice(0, 63);
  const hasDirectTap = spec.domain.devices.interfaces?.some(({ binding }) => binding?.name === directTapBinding);
  const containerDisks = (spec.volumes ?? []).filter(({ containerDisk }) => containerDisk !== undefined);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `virt-launcher-${name}-`,
      namespace,
      labels: {
        ...vmi.metadata.labels,
        'kubevirt.io': 'virt-launcher',
        'kubevirt.io/created-by': uid,
        ...(migration && { 'kubevirt.io/migrationJobUID': migration.metadata.uid }),
        'vm.kubevirt.io/name': hostname,
        'vmi.kubevirt.io/id': shortened(name),
      },
      annotations: {
        ...annotationsForPod(vmi.metadata.annotations ?? {}),
        'descheduler.alpha.kubernetes.io/request-evict-only': '',
        'kubectl.kubernetes.io/default-container': 'compute',
        'kubevirt.io/domain': name,
        'kubevirt.io/memory-overhead-bytes': String(memoryOverhead.bytes),
        ...(migration && { 'kubevirt.io/migrationJobName': migration.metadata.name }),
        'kubevirt.io/migrationTransportUnix': 'true',
        ...veleroHooks(name, namespace),
      },
      ownerReferences: [
        {
          apiVersion: 'kubevirt.io/v1',
          kind: 'VirtualMachineInstance',
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      initContainers: [
        { name: 'guest-console-log', image: launcherImage, restartPolicy: 'Always' },
        // Only a first pod has to learn the digests of its disks.
        ...(migration ? [] : containerDisks).map((volume) => ({
          name: `volume${volume.name}`,
          image: volume.containerDisk?.image,
        })),
      ],
      containers: [{ name: 'compute', image: launcherImage }],
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: (spec.terminationGracePeriodSeconds ?? 30) + 30,
      nodeSelector: {
        ...(migration ? targetNodeSelector : { 'machine-type.node.kubevirt.io/q35': 'true' }),
        'kubernetes.io/arch': 'amd64',
        'kubevirt.io/schedulable': 'true',
        ...spec.nodeSelector,
        ...migration?.spec.addedNodeSelector,
      },
      automountServiceAccountToken: false,
      hostname,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchExpressions: [{ key: 'node-labeller.kubevirt.io/obsolete-host-model', operator: 'DoesNotExist' }],
              },
            ],
          },
        },
        ...(migration && {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              {
                labelSelector: { matchLabels: { 'kubevirt.io/created-by': uid } },
                topologyKey: 'kubernetes.io/hostname',
              },
            ],
          },
        }),
      },
      readinessGates: [{ conditionType: unpausedGate }],
      enableServiceLinks: false,
      ...(hasDirectTap && { hostNetwork: true }),
    },
  };
}

/** The target pod of a migration, whatever has become of it. */
export function targetPodOf(migration: VirtualMachineInstanceMigration, pods: readonly Pod[]): Pod | undefined {
  const { uid } = migration.metadata;
  return pods.find(({ metadata }) => metadata.labels?.['kubevirt.io/migrationJobUID'] === uid);
}

/** What a node that can take the guest of this machine has as labels, besides those of a first pod. */
export const targetNodeSelector: Strings = {
  'cpu-model-migration.node.kubevirt.io/Skylake-Server': 'true',
  'cpu-vendor.node.kubevirt.io/Intel': 'true',
  'machine-type.node.kubevirt.io/pc-q35-rhel9.6.0': 'true',
};

function annotationsForPod(annotations: Strings): Strings {
  const kept = Object.entries(annotations).filter(
    ([key]) =>
      !key.startsWith('kubectl.kubernetes.io/') &&
      key !== 'kubevirt.io/storage-observed-api-version' &&
      key !== 'kubevirt.io/latest-observed-api-version',
  );
  return Object.fromEntries(kept);
}

function veleroHooks(name: string, namespace: string): Strings {
  const command = (verb: string): string =>
    `["/usr/bin/virt-freezer", "--${verb}", "--name", "${name}", "--namespace", "${namespace}"]`;
  return {
    'post.hook.backup.velero.io/command': command('unfreeze'),
    'post.hook.backup.velero.io/container': 'compute',
    'pre.hook.backup.velero.io/command': command('freeze'),
    'pre.hook.backup.velero.io/container': 'compute',
    'pre.hook.backup.velero.io/timeout': '60s',
  };
}

/** A name as a label value: one that is too long is cut and told apart by a hash. */
function shortened(name: string): string {
  return name.length <= 63 ? name : `${name.slice(0, 54)}-${createHash('sha1').update(name).digest('hex').slice(0, 8)}`;
}
