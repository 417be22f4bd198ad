import { parseAddress } from '../ipam/address.ts';
import { MalformedField } from '../kube/objects/fields.ts';
import { type NetworkSelection, networkSelections } from '../kube/objects/network-selection.ts';

/** The addresses and the MAC that a user asks for one NIC. */
export interface AddressRequest {
  /** At most one of each family. */
  readonly ips: readonly string[];
  /** Lower case. */
  readonly mac?: string;
  /** What of it cannot be understood. Then nothing is given: another address than the one meant would be kept for good. */
  readonly complaint?: string;
}

type Annotations = Readonly<Record<string, string>>;

/** What a pod asks for its first NIC, in the way it would ask Multus. */
export function requestOfPod(annotations: Annotations): AddressRequest {
  const text = annotations[selectionAnnotation];
  return text === undefined ? nothing : selectionRequest(text);
}

/** What a pod asks for a further NIC. */
export function requestOfSelection(selection: NetworkSelection): AddressRequest {
  return understood(() => requested(selection), `${furtherAnnotation}: `);
}

/**
 * What a VM asks for the NIC on `network`. KubeVirt's own ways come first: `network.kubevirt.io/addresses` of the VM
 * (`{"<network>": ["10.244.0.7", …]}`) for addresses and `macAddress` of the interface; then the template's NetworkSelectionElement.
 */
export function requestOfVm(
  vm: Annotations,
  vmi: Annotations,
  network: string,
  macAddress: string | undefined,
): AddressRequest {
  return nicRequest(vm[addressesAnnotation], vmi[selectionAnnotation], network, macAddress);
}

/** What a VM asks for the further NIC on `network`: KubeVirt has no NetworkSelectionElement of the user's for those. */
export function requestOfFurtherNic(vm: Annotations, network: string, macAddress: string | undefined): AddressRequest {
  return nicRequest(vm[addressesAnnotation], undefined, network, macAddress);
}

function nicRequest(
  own: string | undefined,
  selection: string | undefined,
  network: string,
  macAddress: string | undefined,
): AddressRequest {
  if (own === undefined && selection === undefined && macAddress === undefined) return nothing;
  const selected = selection === undefined ? nothing : selectionRequest(selection);
  if (selected.complaint !== undefined) return selected;
  return understood(() => {
    const ips = own === undefined || own === '' ? [] : addressesOf(own, network);
    const mac = macAddress === undefined ? selected.mac : checkedMac('macAddress', macAddress);
    return { ips: ips.length > 0 ? ips : selected.ips, ...(mac !== undefined && { mac }) };
  });
}

const selectionAnnotation = 'v1.multus-cni.io/default-network';
const furtherAnnotation = 'k8s.v1.cni.cncf.io/networks';
const addressesAnnotation = 'network.kubevirt.io/addresses';
const nothing: AddressRequest = { ips: [] };

function understood(read: () => AddressRequest, prefix = ''): AddressRequest {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedField)) throw error;
    return { ips: [], complaint: `${prefix}${error.message}` };
  }
}

function selectionRequest(text: string): AddressRequest {
  return understood(() => {
    const [first, ...rest] = networkSelections(text);
    if (rest.length > 0) throw new MalformedField('the annotation', 'of one network', text);
    if (first === undefined) return nothing;
    return requested(first);
  }, `${selectionAnnotation}: `);
}

function requested({ ips, mac }: NetworkSelection): AddressRequest {
  return { ips: checkedIps('ips', ips), ...(mac !== undefined && { mac: checkedMac('mac', mac) }) };
}

function addressesOf(text: string, network: string): readonly string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new MalformedField(addressesAnnotation, 'JSON', text);
  }
  if (typeof parsed !== 'object' || parsed === null) throw new MalformedField(addressesAnnotation, 'an object', parsed);
  const ips: unknown = new Map<string, unknown>(Object.entries(parsed)).get(network) ?? [];
  if (!Array.isArray(ips)) throw new MalformedField(`${addressesAnnotation}[${network}]`, 'a list', ips);
  return checkedIps(`${addressesAnnotation}[${network}]`, ips);
}

/** Prefix lengths are the network's, whatever is asked for. */
function checkedIps(where: string, ips: readonly unknown[]): readonly string[] {
  const families = new Set<number>();
  return ips.map((ip) => {
    const [text = ''] = typeof ip === 'string' ? ip.split('/') : [];
    const address = parseAddress(text);
    if (address === undefined) throw new MalformedField(where, 'IP addresses', ip);
    if (families.has(address.family)) throw new MalformedField(where, 'at most one address of each family', ips);
    families.add(address.family);
    return text;
  });
}

function checkedMac(where: string, mac: string): string {
  const lower = mac.toLowerCase().replaceAll('-', ':');
  const firstByte = Number.parseInt(lower.slice(0, 2), 16);
  // A group address (IEEE 802: the lowest bit of the first byte) is nobody's own.
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(lower) || firstByte % 2 === 1) {
    throw new MalformedField(where, 'a unicast MAC such as 02:00:00:00:00:01', mac);
  }
  return lower;
}
