import type { Condition, KubeObject, Metadata, PhaseTransition } from './objects.ts';

/**
 * One request that a controller makes, and the step of KubeVirt's course of events it is: `T1` … `T20` of a migration, or
 * `<kind>:<what>`. A gate is asked with the step before the request is made.
 */
export type Write = { readonly step: string } & (
  | { readonly verb: 'create'; readonly object: NewObject }
  | { readonly verb: 'update' | 'update/status'; readonly object: KubeObject }
  | { readonly verb: 'patch' | 'patch/status'; readonly of: KubeObject; readonly patch: readonly PatchOperation[] }
  | { readonly verb: 'delete'; readonly of: KubeObject }
);

/** An object to be created: the API server gives it its UID, version, time of creation and, after `generateName`, name. */
export interface NewObject {
  readonly apiVersion: string;
  readonly kind: KubeObject['kind'];
  readonly metadata: Partial<Metadata> & { readonly namespace: string; readonly generateName?: string };
  readonly [field: string]: unknown;
}

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** The time as metav1.Time has it in JSON: RFC 3339, whole seconds. */
export function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Go's Time.String(), which KubeVirt writes into an annotation: `2026-11-21 05:23:15 +0000 UTC`. */
export function goTimeString(timestamp: string): string {
  return timestamp.replace(/^(.*)T(.*)Z$/, '$1 $2 +0000 UTC');
}

/** A whole list or map is replaced on condition that it is still what was read; null stands for an absent one. */
export function testAndReplace(path: string, before: unknown, after: unknown): PatchOperation[] {
  return [
    { op: 'test', path, value: before ?? null },
    { op: before === undefined ? 'add' : 'replace', path, value: after },
  ];
}

/** RFC 6901. */
export function pointer(...path: readonly string[]): string {
  return path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function withCondition(conditions: readonly Condition[] = [], condition: Condition): readonly Condition[] {
  const others = conditions.filter(({ type }) => type !== condition.type);
  return others.length === conditions.length
    ? [...conditions, condition]
    : conditions.map((before) => (before.type === condition.type ? condition : before));
}

/** A status with a new phase and the note of when. */
export function inPhase<
  S extends { readonly phaseTransitionTimestamps?: readonly PhaseTransition[] },
  P extends string,
>(
  status: S,
  phase: P,
  now: string,
): S & { readonly phase: P; readonly phaseTransitionTimestamps: readonly PhaseTransition[] } {
  const before = status.phaseTransitionTimestamps ?? [];
  return { ...status, phase, phaseTransitionTimestamps: [...before, { phase, phaseTransitionTimestamp: now }] };
}

const observedApiVersion = {
  'kubevirt.io/latest-observed-api-version': 'v1',
  'kubevirt.io/storage-observed-api-version': 'v1',
};

/** The first write virt-controller makes to every object of its API that it meets. */
export function observeApiVersion<T extends KubeObject>(object: T): T | undefined {
  const annotations = object.metadata.annotations ?? {};
  if (annotations['kubevirt.io/latest-observed-api-version'] === 'v1') return undefined;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, ...observedApiVersion } } };
}
