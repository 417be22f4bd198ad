import type { Feature, Read } from '../engine/engine.ts';
import { derived, mapEntry, type ObjectReference, problem } from '../engine/facts.ts';
import type { VmInterface } from '../kube/objects/interfaces.ts';
import type { Pod } from '../kube/objects/pod.ts';
import type { VirtualMachine } from '../kube/objects/virtual-machine.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import { requestOfVm } from './address-requests.ts';
import { claimName } from './claim-name.ts';
import { hasLeft, isGuestHere, originClaim, originOf } from './decentralised-migration.ts';
import { primaryNetwork } from './networks.ts';
import { isLauncher } from './pods.ts';
import { chassisPrecedence, expectingPortRow, podMark } from './ports.ts';
import type { Attach, Nic, Tables } from './tables.ts';

/** KubeVirt network binding plugin name → how its NICs are attached. */
export type BindingPlugins = Readonly<Record<string, Attach>>;

/**
 * A VM's NIC on the pod network has one port, named for the VM and there while its VMI is. Launcher pods come and go behind it: each
 * live one that is bound to a node may plug it.
 */
export function vms(tables: Tables, plugins: BindingPlugins): Feature<VirtualMachineInstance> {
  return {
    name: 'vms',
    from: tables.vmis,
    object: identityOf,
    *facts(_key, vmi, read) {
      const nicOnPodNetwork = podNetworkInterface(vmi);
      const attach = nicOnPodNetwork && attachOf(nicOnPodNetwork, plugins);
      if (nicOnPodNetwork === undefined || attach === undefined) return;
      const port = vmPort(vmi);
      const vm = vmOf(tables, read, vmi);
      const object = identityOf(vmi);
      const { name, macAddress } = nicOnPodNetwork;
      const request = requestOfVm(vm?.annotations ?? vmi.annotations, vmi.annotations, name, macAddress);
      if (request.complaint !== undefined) yield problem(object, 'AddressesReady', request.complaint);
      const nic: Nic = {
        network: primaryNetwork(tables, read, vmi.namespace),
        attach,
        object,
        claim: {
          namespace: vmi.namespace,
          name: claimName(object.name, name),
          interface: 'eth0',
        },
        request,
        formerIps: [],
        hostName: hostNameOf(vmi),
        ...guestAnnotation(vm?.annotations ?? vmi.annotations),
      };
      const launchers = liveLaunchers(tables, read, vmi);
      const origin = originOf(tables, read, vmi);
      if (isGuestHere(vmi, launchers) || (origin === undefined && launchers.length > 0)) {
        const claim = `${vmi.namespace}/${claimName(object.name, name)}`;
        if (hasLeft(tables, read, vmi, claim, (other) => liveLaunchers(tables, read, other))) return;
        yield derived(tables.nics, port, { ...nic, ...(origin && { broughtClaim: originClaim(origin, name) }) });
      } else if (origin !== undefined) {
        const addresses = read.get(tables.addresses, vmPort(origin));
        const segment = addresses && read.get(tables.segments, addresses.segment);
        if (addresses !== undefined && segment !== undefined)
          yield expectingPortRow(port, { ...addresses, nic }, segment);
      }
      for (const { uid } of launchers) {
        yield mapEntry('Logical_Switch_Port', port, 'external_ids', podMark(uid), 'eth0');
      }
      const chassis = vmi.nodeName ?? launchers.at(-1)?.nodeName;
      if (chassis === undefined) return;
      yield mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', chassis, chassisPrecedence.placed);
    },
  };
}

export function vmPort({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `vm/${namespace}/${name}`;
}

/** Launcher pods that have a node and have not finished, oldest first. */
export function liveLaunchers(
  tables: Tables,
  read: Read,
  vmi: VirtualMachineInstance,
): readonly (Pod & { readonly nodeName: string })[] {
  return [...read.by(tables.pods, 'owner', vmi.uid).values()]
    .filter((pod) => isLauncher(pod) && !pod.finished)
    .filter((pod) => pod.annotations['kubevirt.io/ephemeral-provisioning'] === undefined)
    .filter((pod) => pod.nodeName !== undefined)
    .sort((a, b) => a.creationTimestamp - b.creationTimestamp || (a.uid < b.uid ? -1 : 1))
    .flatMap((pod) => (pod.nodeName === undefined ? [] : [{ ...pod, nodeName: pod.nodeName }]));
}

/** The NIC on the pod network, if that is the primary network of the cluster and not replaced through Multus. */
export function podNetworkInterface(vmi: VirtualMachineInstance): VmInterface | undefined {
  const network = vmi.networks.find(({ pod }) => pod === true);
  return vmi.interfaces.find(({ name, state }) => name === network?.name && state !== 'absent');
}

/** Whether the guest's own RARP reaches the port: in masquerade and passt the guest is behind the pod's address. */
export function announcesItself({ binding }: VmInterface): boolean {
  return binding.kind !== 'masquerade' && binding.kind !== 'passt';
}

/** The VM the NIC belongs to for as long as it exists; a VMI without one stands for itself. */
function identityOf({ namespace, name, uid, owner }: VirtualMachineInstance): ObjectReference {
  if (owner?.kind === 'VirtualMachine') return { kind: 'VirtualMachine', namespace, name: owner.name, uid: owner.uid };
  return { kind: 'VirtualMachineInstance', namespace, name, uid };
}

function vmOf(tables: Tables, read: Read, vmi: VirtualMachineInstance): VirtualMachine | undefined {
  if (vmi.owner?.kind !== 'VirtualMachine') return undefined;
  const vm = read.get(tables.vms, `${vmi.namespace}/${vmi.owner.name}`);
  return vm?.uid === vmi.owner.uid ? vm : undefined;
}

function attachOf({ binding }: VmInterface, plugins: BindingPlugins): Attach | undefined {
  switch (binding.kind) {
    case 'plugin':
      return Object.hasOwn(plugins, binding.name) ? plugins[binding.name] : undefined;
    case 'bridge':
      // The pod NIC carries no address, which keeps KubeVirt's own DHCP server out of the way.
      return 'managedTap';
    case 'masquerade':
    case 'passt':
      return 'veth';
    case 'sriov':
      return undefined;
  }
}

/** As KubeVirt makes it (`pkg/dns` SanitizeHostname): `spec.hostname`, else the first label of the name, 63 characters at most. */
function hostNameOf({ name, hostname }: VirtualMachineInstance): string {
  return (hostname ?? name).split('.')[0]?.slice(0, 63) ?? name;
}

function guestAnnotation(annotations: Readonly<Record<string, string>>): { guestAnnotation?: string } {
  const text = annotations['hawser.dev/guest'];
  return text === undefined ? {} : { guestAnnotation: text };
}
