import type { Fields } from './fields.ts';

/** The object that controls another, from `metadata.ownerReferences`. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Annotations read by some feature; all others are dropped before an object is stored. */
export function isUsedAnnotation(key: string): boolean {
  return usedAnnotations.has(key) || key.startsWith('network.kubevirt.io/') || key.startsWith('hawser.dev/');
}

const usedAnnotations: ReadonlySet<string> = new Set([
  'k8s.v1.cni.cncf.io/networks',
  'kubevirt.io/allow-pod-bridge-network-live-migration',
  'kubevirt.io/create-migration-target',
  'kubevirt.io/domain',
  'kubevirt.io/ephemeral-provisioning',
  'kubevirt.io/migration-target-ready-timestamp',
  'kubevirt.io/migrationJobName',
  'v1.multus-cni.io/default-network',
]);

/** The reference marked `controller: true`, else the first one. */
export function ownerOf(metadata: Fields): Owner | undefined {
  const references = metadata.objects('ownerReferences');
  const reference = references.find((candidate) => candidate.boolean('controller') === true) ?? references[0];
  if (reference === undefined) return undefined;
  return {
    kind: reference.needString('kind'),
    name: reference.needString('name'),
    uid: reference.needString('uid'),
  };
}

export function isDeleting(metadata: Fields): boolean {
  return metadata.has('deletionTimestamp');
}

/** Drops the keys that are undefined, so that an absent field is absent and not `undefined`. */
export function present<T extends object>(entries: { readonly [Key in keyof T]: T[Key] | undefined }): Partial<T> {
  const kept: Partial<T> = {};
  for (const key in entries) {
    const value = entries[key];
    if (value !== undefined) kept[key] = value;
  }
  return kept;
}
