import { targetNodeSelector } from './controller/launcher-pod.ts';
import { pendingStatus, withVmiDefaults } from './controller/new-vmi.ts';
import type { Strings, VmiSpec } from './objects.ts';

/**
 * What virt-api's mutating webhooks do to an object that a user sends, for an API server that has none: a VM gets its
 * architecture and machine type, a VMI its first status, a migration its finalizer and label. Other kinds pass as they are.
 *
 * @param object as parsed from the user's YAML
 * @param now RFC 3339
 */
export function admitted(object: UserObject, now: string): UserObject {
  switch (object.kind) {
    case 'VirtualMachine':
      return admittedVm(object);
    case 'VirtualMachineInstance':
      return admittedVmi(object, now);
    case 'VirtualMachineInstanceMigration':
      return admittedMigration(object);
    default:
      return object;
  }
}

export interface UserObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly labels?: Strings; readonly annotations?: Strings; readonly [field: string]: unknown };
  readonly spec?: Record<string, unknown>;
  readonly [field: string]: unknown;
}

/** The labels that virt-handler's node-labeller puts on a node, without which no launcher pod is scheduled to it. */
export const virtNodeLabels: Strings = {
  'kubernetes.io/arch': 'amd64',
  'kubevirt.io/schedulable': 'true',
  'machine-type.node.kubevirt.io/q35': 'true',
  ...targetNodeSelector,
};

function admittedVm(vm: UserObject): UserObject {
  const template = record(vm.spec?.template);
  const metadata = record(template.metadata);
  const annotations = { 'kubevirt.io/pci-topology-version': 'v3', ...record(metadata.annotations) };
  const spec = withMachine(record(template.spec));
  return { ...vm, spec: { ...vm.spec, template: { ...template, metadata: { ...metadata, annotations }, spec } } };
}

function admittedVmi(vmi: UserObject, now: string): UserObject {
  const spec = withVmiDefaults(withMachine(vmi.spec ?? {}));
  return {
    ...vmi,
    metadata: { ...vmi.metadata, finalizers: ['kubevirt.io/foregroundDeleteVirtualMachine'] },
    spec: { ...spec },
    status: pendingStatus(spec, now),
  };
}

function admittedMigration(migration: UserObject): UserObject {
  const vmiName = String(migration.spec?.vmiName);
  return {
    ...migration,
    metadata: {
      ...migration.metadata,
      finalizers: ['kubevirt.io/migrationJobFinalize'],
      labels: { ...migration.metadata.labels, 'kubevirt.io/vmi-name': vmiName },
    },
  };
}

function withMachine(spec: Record<string, unknown>): VmiSpec {
  const domain = record(spec.domain);
  const devices = record(domain.devices);
  return { architecture: 'amd64', ...spec, domain: { machine: { type: 'q35' }, resources: {}, ...domain, devices } };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
