import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseServedGuest, type ServedGuest } from './guest-servers/served-guest.ts';

/** How the port is attached (`hawser:attach`, docs/bus.md); each kind is one file in `ports/`. */
export type AttachKind = (typeof attachKinds)[number];

export const attachKinds = ['veth', 'managedTap', 'podTap', 'tap', 'management', 'outside'] as const;

/** An address of the port, with the subnet it lives in when the port's gateways tell. */
export interface PortAddress {
  /** Canonical text, e.g. `10.244.0.5` or `fd00:10:244::5`. */
  readonly address: string;
  readonly family: 4 | 6;
  /** Of the subnet; 32 or 128 when no gateway of the port shares a subnet with the address. */
  readonly prefixLength: number;
  /** The gateway in that subnet, canonical text. */
  readonly gateway?: string;
}

export interface Route {
  /** Destination in CIDR notation. */
  readonly destination: string;
  readonly nextHop: string;
}

/** What the controller asks of this node for one logical switch port. */
export interface PortRequest {
  /** LSP name and `iface-id`. */
  readonly logicalPort: string;
  /** `hawser:owner`, e.g. `vm/default/db`. */
  readonly owner: string;
  /** `hawser:uid`: UID of the VM, bare VMI or pod. */
  readonly ownerUid: string;
  readonly attach: AttachKind;
  /** Lower case, colon separated. */
  readonly mac: string;
  /** IPv4 first. */
  readonly addresses: readonly PortAddress[];
  readonly mtuBytes: number;
  readonly routes: readonly Route[];
  /** Pod UID → name of the interface that pod may plug the port as. */
  readonly pods: ReadonlyMap<string, string>;
  /** Present when this node's own server is to answer the guest. */
  readonly guest?: ServedGuest;
}

/** A row that carries our mark and cannot be served. The sentence says which key is wrong, for whoever wrote the row. */
export interface PortProblem {
  readonly logicalPort: string;
  readonly pods: ReadonlyMap<string, string>;
  readonly sentence: string;
}

export type ParsedPort =
  | { readonly kind: 'request'; readonly request: PortRequest }
  | { readonly kind: 'problem'; readonly problem: PortProblem };

/** The columns of an `OVN_Southbound` `Port_Binding` row that matter here. */
export interface PortBindingRow {
  readonly logical_port: string;
  readonly mac: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
}

/**
 * Reads one `Port_Binding` by docs/bus.md.
 * @returns undefined for a row that is not Hawser's (no `hawser:owner`): the agent has no business with it.
 */
export function parsePortBinding(row: PortBindingRow): ParsedPort | undefined {
  const ids = row.external_ids;
  const owner = ids.get('hawser:owner');
  if (owner === undefined) return undefined;
  const pods = podsOf(ids);
  const problem = (sentence: string): ParsedPort => ({
    kind: 'problem',
    problem: { logicalPort: row.logical_port, pods, sentence },
  });

  const ownerUid = ids.get('hawser:uid');
  if (!ownerUid) return problem('hawser:uid is missing');
  const attach = attachKinds.find((kind) => kind === ids.get('hawser:attach'));
  if (!attach)
    return problem(`hawser:attach is "${ids.get('hawser:attach') ?? ''}", this agent knows ${attachKinds.join(', ')}`);
  const mtuBytes = Number(ids.get('hawser:mtu'));
  if (!Number.isInteger(mtuBytes) || mtuBytes < 68 || mtuBytes > 65535) {
    return problem(`hawser:mtu is "${ids.get('hawser:mtu') ?? ''}", not a number of bytes from 68 to 65535`);
  }
  const badPod = [...pods].find(([, interfaceName]) => !isInterfaceName(interfaceName));
  if (badPod) return problem(`hawser:pod:${badPod[0]} is "${badPod[1]}", not an interface name`);

  // A port whose guest has yet to come from another port has no addresses; what it will have is said beside them.
  const told = row.mac.length > 0 ? row.mac : listOf(ids.get('hawser:addresses'));
  const words = told.flatMap((element) => element.split(/\s+/)).filter((word) => word !== '' && word !== 'unknown');
  const [mac = '', ...hosts] = words;
  if (!macPattern.test(mac)) return problem(`mac is "${row.mac.join('", "')}", it does not start with a MAC address`);

  const gateways: [string, number][] = [];
  for (const word of listOf(ids.get('hawser:gateways'))) {
    const subnet = parseCidr(word);
    if (!subnet) return problem(`hawser:gateways has "${word}", not an address with a prefix length`);
    gateways.push(subnet);
  }
  const addresses: PortAddress[] = [];
  for (const host of hosts) {
    if (!isIP(host)) return problem(`mac has "${host}", not an IP address`);
    addresses.push(inSubnet(host, gateways));
  }
  addresses.sort((a, b) => a.family - b.family);

  const routes: Route[] = [];
  for (const word of listOf(ids.get('hawser:routes'))) {
    const [destination = '', nextHop = ''] = word.split(',');
    const network = parseCidr(destination);
    if (!network || !isIP(nextHop) || ipaddr.parse(nextHop).kind() !== ipaddr.parse(network[0]).kind()) {
      return problem(`hawser:routes has "${word}", not <destination>,<next hop> of one family`);
    }
    routes.push({ destination: network.join('/'), nextHop: ipaddr.parse(nextHop).toString() });
  }

  const guest = parseServedGuest(ids);
  if (typeof guest === 'string') return problem(guest);

  return {
    kind: 'request',
    request: {
      logicalPort: row.logical_port,
      owner,
      ownerUid,
      attach,
      mac: mac.toLowerCase(),
      addresses,
      mtuBytes,
      routes,
      pods,
      ...(guest && { guest }),
    },
  };
}

/** Narrower than Linux: what passes through `ip -batch` and `sh` as one plain word. */
export function isInterfaceName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text);
}

const podKeyPrefix = 'hawser:pod:';
const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

function podsOf(ids: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const pods = new Map<string, string>();
  for (const [key, interfaceName] of ids) {
    if (key.startsWith(podKeyPrefix)) pods.set(key.slice(podKeyPrefix.length), interfaceName);
  }
  return pods;
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

function parseCidr(text: string): [address: string, prefixLength: number] | undefined {
  if (!isIP(text.split('/')[0] ?? '') || !ipaddr.isValidCIDR(text)) return undefined;
  const [address, prefixLength] = ipaddr.parseCIDR(text);
  return [address.toString(), prefixLength];
}

function inSubnet(host: string, gateways: readonly [string, number][]): PortAddress {
  const parsed = ipaddr.parse(host);
  const family = parsed.kind() === 'ipv4' ? 4 : 6;
  for (const [gateway, prefixLength] of gateways) {
    const there = ipaddr.parse(gateway);
    if (there.kind() === parsed.kind() && parsed.match(there, prefixLength)) {
      return { address: parsed.toString(), family, prefixLength, gateway };
    }
  }
  return { address: parsed.toString(), family, prefixLength: family === 4 ? 32 : 128 };
}
