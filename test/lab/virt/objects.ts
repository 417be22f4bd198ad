/** The objects KubeVirt's controllers read and write, with the fields they touch; others pass through unread. */
export type KubeObject = VirtualMachine | VirtualMachineInstance | VirtualMachineInstanceMigration | Pod | Node;

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly labels?: Strings;
  readonly annotations?: Strings;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

export type Strings = Readonly<Record<string, string>>;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly lastProbeTime?: string | null;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

export interface VirtualMachine {
  readonly apiVersion: 'kubevirt.io/v1';
  readonly kind: 'VirtualMachine';
  readonly metadata: Metadata;
  readonly spec: {
    readonly runStrategy?: string;
    readonly template: {
      readonly metadata?: { readonly labels?: Strings; readonly annotations?: Strings };
      readonly spec: VmiSpec;
    };
  };
  readonly status?: VmStatus;
}

export interface VmStatus {
  readonly printableStatus?: string;
  readonly created?: boolean;
  readonly ready?: boolean;
  readonly conditions?: readonly Condition[];
  readonly desiredGeneration?: number;
  readonly observedGeneration?: number;
  readonly runStrategy?: string;
  readonly volumeSnapshotStatuses?: readonly unknown[];
}

export interface VmiSpec {
  readonly domain: {
    readonly cpu?: { readonly cores?: number; readonly model?: string };
    readonly devices: { readonly interfaces?: readonly VmiInterface[]; readonly [field: string]: unknown };
    readonly machine?: { readonly type?: string };
    readonly memory?: { readonly guest?: string; readonly maxGuest?: string };
    readonly [field: string]: unknown;
  };
  readonly networks?: readonly { readonly name: string; readonly [source: string]: unknown }[];
  readonly volumes?: readonly { readonly name: string; readonly containerDisk?: { readonly image: string } }[];
  readonly nodeSelector?: Strings;
  readonly hostname?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly [field: string]: unknown;
}

export interface VmiInterface {
  readonly name: string;
  readonly macAddress?: string;
  readonly binding?: { readonly name: string };
  readonly [field: string]: unknown;
}

export interface VirtualMachineInstance {
  readonly apiVersion: 'kubevirt.io/v1';
  readonly kind: 'VirtualMachineInstance';
  readonly metadata: Metadata;
  readonly spec: VmiSpec;
  readonly status: VmiStatus;
}

export type VmiPhase = 'Pending' | 'Scheduling' | 'Scheduled' | 'Running' | 'Succeeded' | 'Failed';

export interface VmiStatus {
  readonly phase: VmiPhase;
  readonly phaseTransitionTimestamps?: readonly PhaseTransition[];
  readonly nodeName?: string;
  readonly activePods?: Strings;
  readonly conditions?: readonly Condition[];
  readonly interfaces?: readonly VmiStatusInterface[];
  readonly launcherContainerImageVersion?: string;
  readonly migrationState?: MigrationState;
  readonly qosClass?: string;
  readonly memory?: Strings;
  readonly [field: string]: unknown;
}

export interface PhaseTransition {
  readonly phase: string;
  readonly phaseTransitionTimestamp: string;
}

export interface VmiStatusInterface {
  readonly name: string;
  readonly podInterfaceName?: string;
  readonly infoSource?: string;
  readonly ipAddress?: string;
  readonly ipAddresses?: readonly string[];
  readonly mac?: string;
  readonly linkState?: string;
  readonly queueCount?: number;
}

/** `VirtualMachineInstanceMigrationState` (staging/src/kubevirt.io/api/core/v1/types.go) of a migration within a cluster. */
export interface MigrationState {
  readonly migrationUid?: string;
  readonly sourceNode?: string;
  readonly sourcePod?: string;
  readonly targetNode?: string;
  readonly targetPod?: string;
  readonly targetNodeAddress?: string;
  readonly targetDirectMigrationNodePorts?: Readonly<Record<string, number>>;
  readonly targetNodeDomainDetected?: boolean;
  readonly targetNodeDomainReadyTimestamp?: string;
  readonly targetMemoryOverhead?: string;
  readonly startTimestamp?: string;
  readonly endTimestamp?: string;
  readonly completed?: boolean;
  readonly failed?: boolean;
  readonly failureReason?: string;
  readonly abortRequested?: boolean;
  readonly abortStatus?: 'Succeeded' | 'Failed' | 'Aborting';
  readonly mode?: 'PreCopy' | 'PostCopy' | 'Paused';
  readonly migrationPolicyName?: string;
  readonly migrationConfiguration?: MigrationConfiguration;
}

export interface MigrationConfiguration {
  readonly allowAutoConverge: boolean;
  readonly allowPostCopy: boolean;
  readonly allowWorkloadDisruption: boolean;
  /** A quantity of bytes per second; `0` is no limit. */
  readonly bandwidthPerMigration: string;
  /** Seconds; after this many per GiB of memory the migration is switched to post-copy, or given up. */
  readonly completionTimeoutPerGiB: number;
  readonly maxDowntimeMs: number;
  readonly nodeDrainTaintKey: string;
  readonly parallelMigrationsPerCluster: number;
  readonly parallelOutboundMigrationsPerNode: number;
  readonly progressTimeout: number;
  readonly unsafeMigrationOverride: boolean;
  readonly utilityVolumesTimeout: number;
}

export type MigrationPhase =
  | 'Pending'
  | 'Scheduling'
  | 'Scheduled'
  | 'PreparingTarget'
  | 'TargetReady'
  | 'Running'
  | 'Succeeded'
  | 'Failed';

export interface VirtualMachineInstanceMigration {
  readonly apiVersion: 'kubevirt.io/v1';
  readonly kind: 'VirtualMachineInstanceMigration';
  readonly metadata: Metadata;
  readonly spec: { readonly vmiName: string; readonly addedNodeSelector?: Strings };
  readonly status?: {
    readonly phase?: MigrationPhase;
    readonly phaseTransitionTimestamps?: readonly PhaseTransition[];
    readonly conditions?: readonly Condition[];
    readonly migrationState?: MigrationState;
  };
}

export interface Pod {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: Metadata;
  readonly spec: {
    readonly nodeName?: string;
    readonly nodeSelector?: Strings;
    readonly affinity?: {
      readonly nodeAffinity?: unknown;
      readonly podAntiAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly {
          readonly labelSelector: { readonly matchLabels: Strings };
          readonly topologyKey: string;
        }[];
      };
    };
    readonly hostNetwork?: boolean;
    readonly containers: readonly { readonly name: string; readonly image?: string }[];
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly image: string;
      readonly state?: { readonly running?: unknown };
    }[];
    readonly hostIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly qosClass?: string;
  };
}

export interface Node {
  readonly apiVersion: 'v1';
  readonly kind: 'Node';
  readonly metadata: Omit<Metadata, 'namespace'>;
  readonly spec?: { readonly unschedulable?: boolean };
}

/** A finished pod, guest or migration. */
export function isFinal(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** KubeVirt's IsPodReady: the container that holds the guest runs; the readiness gate does not matter. */
export function isLauncherUp(pod: Pod): boolean {
  const compute = pod.status?.containerStatuses?.find(({ name }) => name === 'compute');
  return pod.status?.phase === 'Running' && compute?.state?.running !== undefined;
}

/**
 * KubeVirt's CurrentVMIPod (pkg/controller/controller.go): the newest launcher pod on the node the guest runs on, or the
 * newest of all while that is not known.
 */
export function currentPod(vmi: VirtualMachineInstance, pods: readonly Pod[]): Pod | undefined {
  const { nodeName } = vmi.status;
  const candidates = launcherPodsOf(vmi, pods)
    .filter((pod) => nodeName === undefined || pod.spec.nodeName === nodeName)
    .sort(byAge);
  // Within one second age does not tell; a pod that has ended is the older one.
  return candidates.findLast(({ status }) => !isFinal(status?.phase)) ?? candidates.at(-1);
}

export function launcherPodsOf(vmi: VirtualMachineInstance, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === vmi.metadata.uid));
}

/** Oldest first. */
export function byAge(one: { readonly metadata: Metadata }, other: { readonly metadata: Metadata }): number {
  return one.metadata.creationTimestamp.localeCompare(other.metadata.creationTimestamp);
}
