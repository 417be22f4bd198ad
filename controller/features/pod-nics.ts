import type { Read } from '../engine/engine.ts';
import { derived, type Fact, mapEntry, type ObjectReference, problem } from '../engine/facts.ts';
import { MalformedField } from '../kube/objects/fields.ts';
import { type NetworkSelection, networkSelections } from '../kube/objects/network-selection.ts';
import type { Pod } from '../kube/objects/pod.ts';
import { requestOfSelection } from './address-requests.ts';
import { attachedNetwork } from './attachments.ts';
import { lacksMac, whyMacIsNeeded } from './outside-nics.ts';
import { chassisPrecedence, podMark } from './ports.ts';
import type { Nic, Tables } from './tables.ts';

/**
 * A pod's further NICs, those of annotation `k8s.v1.cni.cncf.io/networks` that are attached to networks of ours: one port each,
 * `<the pod's port>/<NIC>`, for as long as the annotation names it.
 */
export function* furtherNics(
  tables: Tables,
  read: Read,
  pod: Pod & { readonly nodeName: string },
  podPort: string,
  object: ObjectReference,
): Iterable<Fact> {
  const { namespace, uid, nodeName, annotations } = pod;
  const text = annotations[networksAnnotation];
  if (text === undefined) return;
  let selections: readonly NamedSelection[];
  try {
    selections = namedSelections(text);
  } catch (error) {
    if (!(error instanceof MalformedField)) throw error;
    yield problem(object, 'NetworkReady', `${networksAnnotation}: ${error.message}`);
    return;
  }
  for (const selection of selections) {
    const definition = `${selection.namespace ?? namespace}/${selection.name}`;
    const attachment = attachedNetwork(tables, read, namespace, definition);
    if (attachment === undefined) continue;
    if (attachment.kind === 'unusable') {
      yield problem(object, 'NetworkReady', `${selection.interface}: ${attachment.sentence}`);
      continue;
    }
    const port = `${podPort}/${selection.interface}`;
    const request = requestOfSelection(selection);
    if (request.complaint !== undefined) yield problem(object, 'AddressesReady', request.complaint);
    const { network, isOutside } = attachment;
    const nic: Nic = { network, attach: isOutside ? 'outside' : 'veth', object, request, formerIps: [] };
    if (lacksMac(nic)) {
      const sentence = `${networksAnnotation}: ${selection.interface} needs a "mac": ${whyMacIsNeeded}`;
      yield problem(object, 'AddressesReady', sentence);
      continue;
    }
    yield derived(tables.nics, port, nic);
    if (!isOutside) yield mapEntry('Logical_Switch_Port', port, 'external_ids', podMark(uid), selection.interface);
    yield mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', nodeName, chassisPrecedence.placed);
  }
}

/** What the NICs of the annotation are called in the pod; none when it cannot be read. */
export function selectedInterfaces(annotations: Pod['annotations']): readonly string[] {
  try {
    return namedSelections(annotations[networksAnnotation] ?? '').map((selection) => selection.interface);
  } catch (error) {
    if (!(error instanceof MalformedField)) throw error;
    return [];
  }
}

const networksAnnotation = 'k8s.v1.cni.cncf.io/networks';

type NamedSelection = NetworkSelection & { readonly interface: string };

/** Multus (pkg/multus, getIfname) calls a NIC without a name by its place in the annotation, other people's networks counted too. */
function namedSelections(text: string): readonly NamedSelection[] {
  const names = new Set(['eth0']);
  return networkSelections(text).map((selection, index) => {
    const name = selection.interface ?? `net${index + 1}`;
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name)) {
      throw new MalformedField(
        `[${index}].interface`,
        'an interface name of 1 to 15 letters, digits, "_", "-" and "."',
        name,
      );
    }
    if (names.has(name)) throw new MalformedField(`[${index}].interface`, 'called as no other NIC of the pod', name);
    names.add(name);
    return { ...selection, interface: name };
  });
}
