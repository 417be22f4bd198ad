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
      ...present({ namespace: fields.string('namespace'), mac: fields.string('mac') }),
    };
  });
}

function selectionOfName(text: string): NetworkSelection {
  const [path = ''] = text.trim().split('@');
  const [first = '', second] = path.split('/');
  return second === undefined ? { name: first, ips: [] } : { namespace: first, name: second, ips: [] };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedField('the annotation', 'JSON', text);
  }
}
