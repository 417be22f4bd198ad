import type { Feature, Read } from '../engine/engine.ts';
import { derived, type Fact, mapEntry, type ObjectReference, problem } from '../engine/facts.ts';
import type { VmInterface } from '../kube/objects/interfaces.ts';
import type { Pod } from '../kube/objects/pod.ts';
import type { VirtualMachine } from '../kube/objects/virtual-machine.ts';
import type { VirtualMachineInstance } from '../kube/objects/virtual-machine-instance.ts';
import { requestOfFurtherNic, requestOfVm } from './address-requests.ts';
import { attachedNetwork } from './attachments.ts';
import { claimName } from './claim-name.ts';
import { hasLeft, isGuestHere, originClaim, originOf } from './decentralised-migration.ts';
import { primaryNetwork } from './networks.ts';
import { isOutside, lacksMac, whyMacIsNeeded } from './outside-nics.ts';
import { selectedInterfaces } from './pod-nics.ts';
import { isLauncher } from './pods.ts';
import { chassisPrecedence, expectingPortRow, podMark } from './ports.ts';
import type { Attach, Nic, Tables } from './tables.ts';
import { type VmNic, vmNics, vmPort } from './vm-nics.ts';

/** KubeVirt network binding plugin name → how its NICs are attached. */
export type BindingPlugins = Readonly<Record<string, Attach>>;

/**
 * A VM's NIC has one port, named for the VM and there while its VMI, or the VMI's wish for it, is. Launcher pods come and go behind it:
 * each live one that is bound to a node may plug it.
 */
export function vms(tables: Tables, plugins: BindingPlugins): Feature<VirtualMachineInstance> {
  return {
    name: 'vms',
    from: tables.vmis,
    object: identityOf,
    *facts(_key, vmi, read) {
      for (const nic of vmNics(vmi)) yield* nicFacts(tables, read, vmi, nic, plugins);
    },
  };
}

function* nicFacts(
  tables: Tables,
  read: Read,
  vmi: VirtualMachineInstance,
  vmNic: VmNic,
  plugins: BindingPlugins,
): Iterable<Fact> {
  const object = identityOf(vmi);
  const place = yield* placeFact(tables, read, vmi, vmNic, plugins, object);
  if (place === undefined) return;
  const { network } = place;
  const { port, name } = vmNic;
  const nic = nicOf(tables, read, vmi, vmNic, { ...place, object });
  if (nic.request.complaint !== undefined) yield problem(object, 'AddressesReady', nic.request.complaint);
  if (lacksMac(nic)) {
    yield problem(
      object,
      'AddressesReady',
      `network ${name}: macAddress of the interface is needed: ${whyMacIsNeeded}`,
    );
    return;
  }
  const launchers = liveLaunchers(tables, read, vmi);
  const origin = originOf(tables, read, vmi, vmNic, network);
  if (isGuestHere(vmi, launchers) || (origin === undefined && launchers.length > 0)) {
    const claim = `${vmi.namespace}/${claimName(object.name, name)}`;
    if (hasLeft(tables, read, vmi, vmNic, claim, (other) => liveLaunchers(tables, read, other))) return;
    yield derived(tables.nics, port, { ...nic, ...(origin && { broughtClaim: originClaim(origin, name) }) });
  } else if (origin !== undefined) {
    const there = vmNic.definition === undefined ? vmPort(origin) : `${vmPort(origin)}/${name}`;
    const addresses = read.get(tables.addresses, there);
    const segment = addresses && read.get(tables.segments, addresses.segment);
    if (addresses !== undefined && segment !== undefined) yield expectingPortRow(port, { ...addresses, nic }, segment);
  }
  for (const pod of isOutside(nic) ? [] : launchers) {
    const podInterface = podInterfaceIn(pod, vmNic);
    yield mapEntry('Logical_Switch_Port', port, 'external_ids', podMark(pod.uid), podInterface);
  }
  const chassis = vmi.nodeName ?? launchers.at(-1)?.nodeName;
  if (chassis === undefined) return;
  yield mapEntry('Logical_Switch_Port', port, 'options', 'requested-chassis', chassis, chassisPrecedence.placed);
}

/** The network the NIC is on and how it gets there; where it could be ours and is on none, says why. */
function* placeFact(
  tables: Tables,
  read: Read,
  { namespace }: VirtualMachineInstance,
  { definition, name, interface: nic }: VmNic,
  plugins: BindingPlugins,
  object: ObjectReference,
): Generator<Fact, Pick<Nic, 'network' | 'attach'> | undefined> {
  const attachment = definition === undefined ? undefined : attachedNetwork(tables, read, namespace, definition);
  if (attachment?.kind === 'unusable') yield problem(object, 'NetworkReady', `network ${name}: ${attachment.sentence}`);
  const attach = attachment?.kind === 'network' && attachment.isOutside ? 'outside' : attachOf(nic, plugins);
  if (attach === undefined) return undefined;
  if (definition === undefined) return { network: primaryNetwork(tables, read, namespace), attach };
  return attachment?.kind === 'network' ? { network: attachment.network, attach } : undefined;
}

function nicOf(
  tables: Tables,
  read: Read,
  vmi: VirtualMachineInstance,
  { name, interface: { macAddress }, definition, podInterface }: VmNic,
  place: Pick<Nic, 'network' | 'attach' | 'object'>,
): Nic {
  const annotations = vmOf(tables, read, vmi)?.annotations ?? vmi.annotations;
  const isFurther = definition !== undefined;
  return {
    ...place,
    claim: { namespace: vmi.namespace, name: claimName(place.object.name, name), interface: podInterface },
    request: isFurther
      ? requestOfFurtherNic(annotations, name, macAddress)
      : requestOfVm(annotations, vmi.annotations, name, macAddress),
    formerIps: [],
    hostName: hostNameOf(vmi),
    // It speaks of the VM's way out: gateway, routes, boot file.
    ...(!isFurther && guestAnnotation(annotations)),
  };
}

/** A launcher pod says in its annotation for Multus what its NICs are called; one that does not say yet will by the newer scheme. */
function podInterfaceIn({ annotations }: Pod, { podInterface, ordinalInterface }: VmNic): string {
  if (ordinalInterface === undefined) return podInterface;
  const names = new Set(selectedInterfaces(annotations));
  return !names.has(podInterface) && names.has(ordinalInterface) ? ordinalInterface : podInterface;
}

/** Launcher pods that have a node and have not finished, oldest first. */
export function liveLaunchers(
  tables: Tables,
  read: Read,
  vmi: VirtualMachineInstance,
): readonly (Pod & { readonly nodeName: string })[] {
  const launchers: (Pod & { readonly nodeName: string })[] = [];
  for (const pod of read.by(tables.pods, 'owner', vmi.uid).values()) if (isLiveLauncher(pod)) launchers.push(pod);
  return launchers.sort((a, b) => a.creationTimestamp - b.creationTimestamp || (a.uid < b.uid ? -1 : 1));
}

function isLiveLauncher(pod: Pod): pod is Pod & { readonly nodeName: string } {
  const { annotations, finished, nodeName } = pod;
  if (!isLauncher(pod) || finished || nodeName === undefined) return false;
  return annotations['kubevirt.io/ephemeral-provisioning'] === undefined;
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
