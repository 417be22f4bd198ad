import { familyOf, ipv4Number, ipv4Text, netmaskText, parsePrefix } from '../address.ts';
import { defaultLeaseSeconds, type GuestSettings } from '../settings.ts';
import type { OvnCapabilities } from './capabilities.ts';
import { needsServer, type OptionMap, optionMap, type Unsupported, type WantedOption } from './option-map.ts';
import type { OptionValue } from './option-value.ts';
import { rawOptions } from './raw-option.ts';

export interface Dhcpv4Input {
  readonly settings: GuestSettings;
  readonly capabilities: OvnCapabilities;
  /** The subnet, e.g. `10.244.0.0/16`. */
  readonly cidr: string;
  /** The network's router; none on an isolated segment. */
  readonly gateway?: string;
  /** Whom the reply is from: OVN answers as this Ethernet and IPv4 address (option 54) on every chassis. */
  readonly serverMac: string;
  readonly serverId: string;
  /** The network's MTU in bytes, for guests that set none. */
  readonly mtu?: number;
}

/** A row of the northbound `DHCP_Options` table; ports with equal rows share one. */
export interface DhcpOptionsRow extends OptionMap {
  readonly cidr: string;
}

/**
 * The DHCPv4 row for guests with these settings. The host name is not in it but on the port (`portOptions`), so that ports
 * can share the row. Mandatory for northd: `server_id`, `server_mac`, `lease_time` (ovn-nb(5)).
 */
export function compileDhcpv4(input: Dhcpv4Input): DhcpOptionsRow {
  const { options, unsupported } = optionMap(input.capabilities.dhcpv4, wantedOptions(input));
  return {
    cidr: input.cidr,
    options: { ...options, server_mac: input.serverMac },
    unsupported: [...unsupported, ...beyondOvn(input.settings)],
  };
}

function* wantedOptions(input: Dhcpv4Input): Generator<WantedOption> {
  const { settings, cidr, serverId, capabilities } = input;
  const router = settings.defaultRoute === false ? undefined : (settings.gateway ?? input.gateway);
  const lease = settings.leaseSeconds ?? defaultLeaseSeconds;
  const mtu = settings.mtu ?? input.mtu;
  const { boot, dns } = settings;

  yield { setting: 'service', code: 54, name: 'server_id', value: addresses(serverId) };
  yield { setting: 'leaseSeconds', code: 51, name: 'lease_time', value: number(lease) };
  yield {
    setting: 'renewSeconds',
    code: 58,
    name: 'T1',
    value: number(settings.renewSeconds ?? Math.floor(lease / 2)),
  };
  yield {
    setting: 'rebindSeconds',
    code: 59,
    name: 'T2',
    value: number(settings.rebindSeconds ?? Math.floor((lease * 7) / 8)),
  };
  yield { setting: 'cidr', code: 28, name: 'broadcast_address', value: addresses(broadcastOf(cidr)) };
  if (router !== undefined) yield { setting: 'gateway', code: 3, name: 'router', value: addresses(router) };
  if (mtu !== undefined) yield { setting: 'mtu', code: 26, name: 'mtu', value: number(mtu) };
  yield* addressList('dns.servers', 6, 'dns_server', dns?.servers);
  yield* addressList('ntp', 42, 'ntp_server', settings.ntp);
  if (dns?.search?.length) {
    yield {
      setting: 'dns.search',
      code: 119,
      name: 'domain_search_list',
      value: { kind: 'domains', domains: dns.search },
    };
  }
  if (settings.domain !== undefined)
    yield { setting: 'domain', code: 15, name: 'domain_name', value: text(settings.domain) };
  yield* routes(settings, router);
  yield* bootOptions(boot);
  yield* rawOptions('options.dhcpv4', capabilities.dhcpv4, settings.options?.dhcpv4);
}

function* addressList(
  setting: string,
  code: number,
  name: string,
  all: readonly string[] = [],
): Generator<WantedOption> {
  const v4 = all.filter((address) => familyOf(address) === 4);
  if (v4.length > 0) yield { setting, code, name, value: addresses(...v4) };
}

/** A client that reads option 121 ignores option 3 (RFC 3442), so the default route is in there too. */
function* routes(settings: GuestSettings, router: string | undefined): Generator<WantedOption> {
  const v4 = (settings.routes ?? []).filter(({ via }) => familyOf(via) === 4);
  if (v4.length === 0) return;
  const all = router === undefined ? v4 : [...v4, { to: '0.0.0.0/0', via: router }];
  const value: OptionValue = { kind: 'routes', routes: all };
  yield { setting: 'routes', code: 121, name: 'classless_static_route', value };
  yield { setting: 'routes', code: 249, name: 'ms_classless_static_route', value };
}

/** OVN gives `bootfile_name` to iPXE (requests with option 175) and `bootfile_name_alt` to all others, when both are set. */
function* bootOptions(boot: GuestSettings['boot']): Generator<WantedOption> {
  if (boot === undefined) return;
  const { nextServer, tftpServer, tftpServers, file, pathPrefix, ipxeUrl } = boot;
  if (nextServer !== undefined)
    yield { setting: 'boot.nextServer', code: 253, name: 'next_server', value: addresses(nextServer) };
  if (tftpServer !== undefined) {
    const value = /^[\d.]+$/.test(tftpServer) ? addresses(tftpServer) : text(tftpServer);
    yield { setting: 'boot.tftpServer', code: 66, name: 'tftp_server', value };
  }
  if (tftpServers?.length) {
    yield { setting: 'boot.tftpServers', code: 150, name: 'tftp_server_address', value: addresses(...tftpServers) };
  }
  if (ipxeUrl !== undefined) yield { setting: 'boot.ipxeUrl', code: 67, name: 'bootfile_name', value: text(ipxeUrl) };
  if (file !== undefined) {
    const name = ipxeUrl === undefined ? 'bootfile_name' : 'bootfile_name_alt';
    yield { setting: 'boot.file', code: 67, name, value: text(file) };
  }
  if (pathPrefix !== undefined)
    yield { setting: 'boot.pathPrefix', code: 210, name: 'path_prefix', value: text(pathPrefix) };
}

/** Settings that no OVN can say: it answers every client alike and has no such options (pinctrl.c). */
function beyondOvn(settings: GuestSettings): Unsupported[] {
  const { boot, vendorOptions, captivePortal, ipv6OnlyPreferredSeconds, fqdn } = settings;
  const missing: [string, string, unknown][] = [
    ['boot.byArchitecture', 'a boot file by client architecture', boot?.byArchitecture?.length],
    ['vendorOptions', 'option 43', vendorOptions?.length],
    ['captivePortal', 'option 114', captivePortal],
    ['ipv6OnlyPreferredSeconds', 'option 108', ipv6OnlyPreferredSeconds],
    ['fqdn', 'option 81', fqdn],
  ];
  return missing.flatMap(([setting, what, set]) => (set ? [needsServer(setting, what)] : []));
}

function broadcastOf(cidr: string): string {
  const prefix = parsePrefix(cidr);
  if (prefix?.family !== 4) throw new TypeError(`${cidr} is not an IPv4 subnet`);
  return ipv4Text(ipv4Number(prefix.address) | ~ipv4Number(netmaskText(prefix.length)));
}

const addresses = (...list: string[]): OptionValue => ({ kind: 'addresses', addresses: list });
const text = (value: string): OptionValue => ({ kind: 'text', text: value });
const number = (value: number): OptionValue => ({ kind: 'number', number: value });
