import { readFileSync } from 'node:fs';
import type { KubeObject } from './objects.ts';
import type { Version } from './played-cluster.ts';

/**
 * A course of events as text, so that a recording of KubeVirt and a run of the lab can be laid side by side: object by object
 * the versions of each, what changed in each and who wrote it how. UIDs, times, ports and generated names are named by their order or
 * kind. What depends on chance or on delays is left out: conditions, which follow one another in whatever order their causes
 * are seen, `activePods`, and all that a guest agent tells.
 */
export interface Story {
  readonly migrations: readonly string[];
  readonly vmis: readonly string[];
  /** What others than the kubelet wrote to launcher pods. */
  readonly pods: readonly string[];
  /** The values that the VM's `printableStatus` took, in order. */
  readonly printableStatus: readonly string[];
}

/** @param name of a file in test/fixtures/kubevirt-traces, without `.jsonl` */
export function recordedVersions(name: string): readonly Version[] {
  const file = new URL(`../../fixtures/kubevirt-traces/${name}.jsonl`, import.meta.url);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const event: { type: string; by: string; verb: string; object: KubeObject } = JSON.parse(line);
    return { by: event.by, verb: event.verb, deleted: event.type === 'DELETED', object: event.object };
  });
}

export function storyOf(versions: readonly Version[]): Story {
  const nameOf = namesByOrder(versions);
  const before = new Map<string, KubeObject>();
  const lines: Record<string, Map<string, string[]>> = {};
  const printed: string[] = [];
  for (const { by, verb, deleted, object } of versions) {
    const { uid } = object.metadata;
    const last = before.get(uid);
    before.set(uid, object);
    const who = by.replace('driver:', '').split(' ')[0] ?? '';
    if (object.kind === 'VirtualMachine') {
      const { printableStatus } = object.status ?? {};
      if (printableStatus !== undefined && printed.at(-1) !== printableStatus) printed.push(printableStatus);
      continue;
    }
    if (object.kind === 'Pod' && !deleted && (who === 'kubelet' || who === 'kube-scheduler')) continue;
    const change = deleted ? ['is gone'] : differences(last ?? nothing, object, '');
    if (change.length === 0) continue;
    const subject =
      object.kind === 'VirtualMachineInstanceMigration' ? object.metadata.name : nameOf(object.metadata.uid);
    const text = nameOf(`${subject} by ${deleted ? 'anyone' : `${who} ${verb}`}: ${change.join(', ')}`);
    const subjects = lines[object.kind] ?? new Map<string, string[]>();
    lines[object.kind] = subjects.set(uid, [...(subjects.get(uid) ?? []), text]);
  }
  return {
    migrations: [...(lines.VirtualMachineInstanceMigration?.values() ?? [])].flat(),
    vmis: [...(lines.VirtualMachineInstance?.values() ?? [])].flat(),
    pods: [...(lines.Pod?.values() ?? [])].flat(),
    printableStatus: printed,
  };
}

const nothing = { metadata: {}, spec: {}, status: {} };

const leftOut = [
  ...['/metadata/resourceVersion', '/metadata/generation', '/metadata/deletionGracePeriodSeconds'],
  ...['/metadata/uid', '/metadata/creationTimestamp', '/metadata/namespace', '/kind', '/apiVersion'],
  ...['/status/phaseTransitionTimestamps', '/status/activePods', '/status/qosClass', '/status/guestOSInfo'],
  // What the cluster of a recording had or had not: a synchronization-controller, a service account.
  ...['/status/synchronizationAddresses', '/spec/serviceAccount', '/spec/serviceAccountName'],
  ...['/status/interfaces', '/status/conditions', '/status/launcherContainerImageVersion'],
];

function differences(before: unknown, after: unknown, path: string): string[] {
  if (leftOut.includes(path)) return path === '/status/conditions' ? gates(before, after) : [];
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => differences(before[key], after[key], `${path}/${key}`));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (after === undefined) return [`${path} removed`];
  if (isRecord(after) && before === undefined && path === '/status') return differences({}, after, path);
  return [`${path} = ${sorted(after)}`];
}

/** Of the conditions, only that of the readiness gate is virt-controller's own and tells of the course of things. */
function gates(before: unknown, after: unknown): string[] {
  const gate = (conditions: unknown): boolean =>
    JSON.stringify(conditions ?? []).includes('"type":"kubevirt.io/virtual-machine-unpaused"');
  return gate(after) && !gate(before) ? ['the gate is open'] : [];
}

/** UIDs and generated pod names become `#1`, `pod1`, … in the order in which they appear; times and ports lose their value. */
function namesByOrder(versions: readonly Version[]): (text: string) => string {
  const names = new Map<string, string>();
  const uids = new Set(versions.map(({ object }) => object.metadata.uid));
  const pods = new Set(versions.flatMap(({ object }) => (object.kind === 'Pod' ? [object.metadata.name] : [])));
  for (const [index, name] of [...pods].entries()) names.set(name, `pod${index + 1}`);
  const byKind = new Map<string, number>();
  for (const uid of uids) {
    const kind = versions.find(({ object }) => object.metadata.uid === uid)?.object.kind ?? '';
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
    names.set(uid, `${kind}#${byKind.get(kind)}`);
  }
  const [first] = versions;
  const namespace = first && 'namespace' in first.object.metadata ? first.object.metadata.namespace : '';
  return (text) => {
    let named = text;
    for (const [from, to] of names) named = named.replaceAll(from, to);
    return named
      .replaceAll(`"${namespace}`, '"NAMESPACE')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, 'TIME')
      .replaceAll(/"\d{5}":/g, '"PORT":');
  };
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
