import { Fields, MalformedField } from './fields.ts';
import { present } from './metadata.ts';

/**
 * A NetworkSelectionElement: what a pod says of one of its NICs, in the annotations `v1.multus-cni.io/default-network` and
 * `k8s.v1.cni.cncf.io/networks` (Kubernetes Network Custom Resource Definition De-facto Standard 1.3, §4.1.2).
 */
export interface NetworkSelection {
  /** Of a NetworkAttachmentDefinition. */
  readonly name: string;
  readonly namespace?: string;
  /** Addresses asked for, with or without a prefix length. */
  readonly ips: readonly string[];
  readonly mac?: string;
  /** What the NIC is to be called in the pod. */
  readonly interface?: string;
}

/**
 * The elements of such an annotation: a JSON list, a lone JSON object, or names (`blue,ns/green@eth1`).
 * @throws MalformedField saying what is wrong with it.
 */
export function networkSelections(text: string): readonly NetworkSelection[] {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  if (!trimmed.startsWith('[') && !trimmed.startsWith('{')) return trimmed.split(',').map(selectionOfName);
  const parsed = jsonOf(trimmed);
  const elements: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return elements.map((element, index) => {
    const fields = new Fields(element, `[${index}]`);
    return {
      name: fields.needString('name'),
      ips: fields.strings('ips'),
      ...present({
        namespace: nonEmpty(fields.string('namespace')),
        mac: nonEmpty(fields.string('mac')),
        interface: nonEmpty(fields.string('interface')),
      }),
    };
  });
}

function selectionOfName(text: string): NetworkSelection {
  const [path = '', nic] = text.split('@').map((part) => part.trim());
  const [first = '', second] = path.split('/').map((part) => part.trim());
  const name = second ?? first;
  if (name === '') throw new MalformedField('the annotation', 'names of networks', text);
  return {
    name,
    ips: [],
    ...present({ namespace: second === undefined ? undefined : nonEmpty(first), interface: nonEmpty(nic) }),
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedField('the annotation', 'JSON', text);
  }
}
