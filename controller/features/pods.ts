import type { Feature } from '../engine/engine.ts';
import { derived, mapEntry, problem } from '../engine/facts.ts';
import type { Key } from '../engine/table.ts';
import type { Pod } from '../kube/objects/pod.ts';
import { requestOfPod } from './address-requests.ts';
import { primaryNetwork } from './networks.ts';
import { furtherNics } from './pod-nics.ts';
import { chassisPrecedence, podMark } from './ports.ts';
import type { Nic, Tables } from './tables.ts';

/** An ordinary pod has one port, and one for each further NIC of ours, from the moment it is bound to a node until it has finished or is gone. */
export function pods(tables: Tables): Feature<Pod> {
  return {
    name: 'pods',
    from: tables.pods,
    object: ({ namespace, name, uid }) => ({ kind: 'Pod', namespace, name, uid }),
    isFor: hasPort,
    *facts(_key, pod, read) {
      if (!hasPort(pod)) return;
      const { namespace, name, uid } = pod;
      const port = podPort(pod);
      const object = { kind: 'Pod', namespace, name, uid };
      const request = requestOfPod(pod.annotations);
      if (request.complaint !== undefined) yield problem(object, 'AddressesReady', request.complaint);
      const nic: Nic = {
        network: primaryNetwork(tables, read, namespace),
        attach: 'veth',
        object,
        request,
        formerIps: pod.podIps,
      };
      yield derived(tables.nics, port, nic);
      yield mapEntry('Logical_Switch_Port', port, 'external_ids', podMark(uid), 'eth0');
      const { placed } = chassisPrecedence;
      yield mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', pod.nodeName, placed);
      yield* furtherNics(tables, read, pod, port, object);
    },
  };
}

/** From being bound to a node until it has finished. */
export function hasPort(pod: Pod): pod is Pod & { readonly nodeName: string } {
  return !pod.hostNetwork && !pod.finished && pod.nodeName !== undefined && !isLauncher(pod);
}

export function podPort({ namespace, name }: { readonly namespace: string; readonly name: string }): Key {
  // Joined, a key is of one piece; added up, each of a hundred thousand would keep its pieces.
  return ['pod', namespace, name].join('/');
}

/** KubeVirt's launcher pods, whose NICs are their VM's. Hot-plug attachment pods carry another value and are ordinary pods. */
export function isLauncher(pod: Pod): boolean {
  return pod.labels['kubevirt.io'] === 'virt-launcher';
}
