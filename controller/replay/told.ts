import { isJsonObject } from '../kube/objects/fields.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * What of an object goes into a recording: all but what nobody needs to understand a network and what is nobody else's business
 * (environments, cloud-init data, volumes).
 */
export function told({ metadata, ...object }: Json): Json {
  const { managedFields: _, ...rest } = isJsonObject(metadata) ? metadata : {};
  const annotations = isJsonObject(rest.annotations) ? without(rest.annotations, unspokenAnnotations) : undefined;
  const spoken = { ...rest, ...(annotations && { annotations }) };
  return { ...object, metadata: spoken, ...(isJsonObject(object.spec) && { spec: specOf(object.spec) }) };
}

/** As the recordings of KubeVirt that the tests have (test/fixtures/kubevirt-traces). */
const unspokenSpec = [
  'volumes',
  'securityContext',
  'tolerations',
  'priority',
  'preemptionPolicy',
  'schedulerName',
  'dnsPolicy',
];

const unspokenContainer = [
  'env',
  'envFrom',
  'resources',
  'command',
  'args',
  'volumeMounts',
  'volumeDevices',
  'securityContext',
  'imagePullPolicy',
  'terminationMessagePath',
  'terminationMessagePolicy',
];

/** It repeats the whole object, secrets too. */
const unspokenAnnotations = ['kubectl.kubernetes.io/last-applied-configuration'];

/** A pod's spec, a VMI's, or a VM's with the VMI's in its template. */
function specOf(spec: Json): Json {
  const told: Record<string, unknown> = without(spec, [...unspokenSpec, 'accessCredentials']);
  for (const field of ['containers', 'initContainers', 'ephemeralContainers']) {
    const containers = told[field];
    if (Array.isArray(containers)) told[field] = containers.map((one: Json) => without(one, unspokenContainer));
  }
  if (isJsonObject(told.template) && isJsonObject(told.template.spec)) {
    told.template = { ...told.template, spec: specOf(told.template.spec) };
  }
  return told;
}

function without(object: Json, names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
