import { Fields } from './fields.ts';
import { isUsedAnnotation, type Owner, ownerOf, present } from './metadata.ts';

export const podPhases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;
export type PodPhase = (typeof podPhases)[number];

/** A core/v1 Pod. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Only those some feature reads (`objects/metadata.ts`). */
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner?: Owner;
  /** Absent until the pod is bound to a node. */
  readonly nodeName?: string;
  readonly hostNetwork: boolean;
  readonly phase: PodPhase;
  readonly podIps: readonly string[];
  /** Milliseconds since 1970. */
  readonly creationTimestamp: number;
  /** Milliseconds since 1970; present while the pod terminates. The API sets it to the end of the grace period. */
  readonly deletionTimestamp?: number;
  /** Phase `Succeeded` or `Failed`: no container runs again, its sandbox goes, the object may stay. */
  readonly finished: boolean;
}

export function trimPod(json: unknown): Pod {
  const object = new Fields(json);
  const metadata = object.needObject('metadata');
  const spec = object.object('spec');
  const status = object.object('status');
  const phase = status?.oneOf('phase', podPhases) ?? 'Pending';
  const nodeName = spec?.string('nodeName');
  return {
    namespace: metadata.needString('namespace'),
    name: metadata.needString('name'),
    uid: metadata.needString('uid'),
    labels: metadata.stringMap('labels'),
    annotations: metadata.stringMap('annotations', isUsedAnnotation),
    hostNetwork: spec?.boolean('hostNetwork') ?? false,
    phase,
    podIps: status?.objects('podIPs').map((entry) => entry.needString('ip')) ?? [],
    creationTimestamp: metadata.time('creationTimestamp') ?? 0,
    finished: phase === 'Succeeded' || phase === 'Failed',
    ...present({
      owner: ownerOf(metadata),
      nodeName: nodeName === '' ? undefined : nodeName,
      deletionTimestamp: metadata.time('deletionTimestamp'),
    }),
  };
}
