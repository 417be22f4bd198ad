import { createHash } from 'node:crypto';
import type { Read } from '../engine/engine.ts';
import type { Key } from '../engine/table.ts';
import type { VmInterface } from '../kube/objects/interfaces.ts';
import type { VirtualMachine } from '../kube/objects/virtual-machine.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import { attachedNetwork, definitionKey } from './attachments.ts';
import { primaryNetwork } from './networks.ts';
import type { Tables } from './tables.ts';

/** A NIC of a VM that may be ours: on the pod network, or on one through Multus. */
export interface VmNic {
  /** What the VM calls its network. */
  readonly name: string;
  readonly interface: VmInterface;
  /** Its logical switch port. */
  readonly port: Key;
  /** What launcher pods call it: `eth0`, or KubeVirt's name (pkg/network/namescheme). */
  readonly podInterface: string;
  /** What launcher pods of an old KubeVirt call it, `net1`, `net2`, …; they live until their VM migrates. */
  readonly ordinalInterface?: string;
  /** NetworkAttachmentDefinition, `namespace/name`; absent on the pod network. */
  readonly definition?: Key;
}

/** The NICs of a VMI, less those that are being unplugged, in the order of its networks. */
export function vmNics(vmi: VirtualMachineInstance): readonly VmNic[] {
  let ordinal = 0;
  return vmi.networks.flatMap(({ name, pod, multus }): readonly VmNic[] => {
    const isFurther = multus !== undefined && !multus.default;
    if (isFurther) ordinal += 1;
    const nic = vmi.interfaces.find((candidate) => candidate.name === name);
    if (nic === undefined || nic.state === 'absent') return [];
    if (pod) return [{ name, interface: nic, port: vmPort(vmi), podInterface: 'eth0' }];
    if (!isFurther) return [];
    return [
      {
        name,
        interface: nic,
        port: `${vmPort(vmi)}/${name}`,
        podInterface: podInterfaceOf(name),
        ordinalInterface: `net${ordinal}`,
        definition: definitionKey(vmi.namespace, multus.networkName),
      },
    ];
  });
}

/** The NIC on the pod network, if that is the primary network of the cluster and not replaced through Multus. */
export function nicOnPodNetwork(vmi: VirtualMachineInstance): VmNic | undefined {
  return vmNics(vmi).find(({ definition }) => definition === undefined);
}

/** Key of the network that the NIC is on; undefined when it is not ours, or on none yet. */
export function networkOfNic(tables: Tables, read: Read, namespace: string, { definition }: VmNic): Key | undefined {
  if (definition === undefined) return primaryNetwork(tables, read, namespace);
  const attachment = attachedNetwork(tables, read, namespace, definition);
  return attachment?.kind === 'network' ? attachment.network : undefined;
}

/** Whether the VM or VMI has a NIC that launcher pods call so, on its way out or not. */
export function hasPodInterface({ networks }: Pick<VirtualMachine, 'networks'>, podInterface: string): boolean {
  return networks.some(({ name }) => podInterfaceOf(name) === podInterface);
}

export function vmPort({ namespace, name }: { readonly namespace: string; readonly name: string }): Key {
  return ['vm', namespace, name].join('/');
}

function podInterfaceOf(network: string): string {
  return `pod${createHash('sha256').update(network).digest('hex').slice(0, 11)}`;
}
