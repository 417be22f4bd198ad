import { familyOf } from '../address.ts';
import type { GuestSettings } from '../settings.ts';
import type { OvnCapabilities } from './capabilities.ts';
import type { DhcpOptionsRow } from './dhcpv4.ts';
import { needsServer, optionMap, type Unsupported, type WantedOption } from './option-map.ts';
import { rawOptions } from './raw-option.ts';

export interface Dhcpv6Input {
  readonly settings: GuestSettings;
  readonly capabilities: OvnCapabilities;
  /** The subnet, e.g. `fd00:10:244::/64`. */
  readonly cidr: string;
  /** OVN's server DUID is the DUID-LL of this Ethernet address. */
  readonly serverMac: string;
}

/**
 * The DHCPv6 row, or undefined when `ra.mode` is `slaac`: nobody asks DHCPv6 then. Every OVN so far writes option 24 as one
 * label with the dots in it, so a search domain of several labels is told by RA (DNSSL) alone; see `compileRa`.
 */
export function compileDhcpv6(input: Dhcpv6Input): DhcpOptionsRow | undefined {
  const { settings, capabilities, cidr } = input;
  if (settings.ra?.mode === 'slaac') return undefined;
  const { options, unsupported } = optionMap(capabilities.dhcpv6, wantedOptions(input));
  return {
    cidr,
    options: settings.ra?.mode === 'stateless' ? { dhcpv6_stateless: 'true', ...options } : options,
    unsupported: [...unsupported, ...beyondOvn(settings)],
  };
}

/** Settings that only DHCPv6 could tell, where `ra.mode` is `slaac` and nobody asks it, whoever would answer. */
export function unheardByDhcpv6({ ra, ntp, boot, options }: GuestSettings): readonly Unsupported[] {
  if (ra?.mode !== 'slaac') return [];
  const unheard: [string, unknown][] = [
    ['ntp', ntp?.some((address) => familyOf(address) === 6)],
    ['boot.ipv6Url', boot?.ipv6Url],
    ['boot.ipv6Parameters', boot?.ipv6Parameters?.length],
    ['options.dhcpv6', options?.dhcpv6?.length],
  ];
  return unheard.flatMap(([setting, set]) => {
    const sentence = `${setting}: only DHCPv6 can tell it, which no guest asks in ra.mode slaac; in stateless they do`;
    return set ? [{ setting, sentence }] : [];
  });
}

function* wantedOptions({ settings, capabilities, serverMac }: Dhcpv6Input): Generator<WantedOption> {
  const { boot, dns } = settings;
  const servers = (dns?.servers ?? []).filter((address) => familyOf(address) === 6);
  const [search] = dns?.search ?? [];
  yield { setting: 'service', code: 2, name: 'server_id', value: { kind: 'mac', mac: serverMac } };
  if (servers.length > 0) {
    yield { setting: 'dns.servers', code: 23, name: 'dns_server', value: { kind: 'addresses', addresses: servers } };
  }
  if (search !== undefined && dns?.search?.length === 1 && !search.includes('.')) {
    yield { setting: 'dns.search', code: 24, name: 'domain_search', value: { kind: 'text', text: search } };
  }
  if (boot?.ipv6Url !== undefined) {
    const value = { kind: 'text', text: boot.ipv6Url } as const;
    // Unlike DHCPv4, `bootfile_name` reaches iPXE alone and all others are told `bootfile_name_alt` or nothing.
    yield { setting: 'boot.ipv6Url', code: 59, name: 'bootfile_name', value };
    if (capabilities.dhcpv6.has('bootfile_name_alt')) {
      yield { setting: 'boot.ipv6Url', code: 59, name: 'bootfile_name_alt', value };
    }
  }
  yield* rawOptions('options.dhcpv6', capabilities.dhcpv6, settings.options?.dhcpv6);
}

function beyondOvn(settings: GuestSettings): Unsupported[] {
  const unsupported: Unsupported[] = [];
  if (settings.ntp?.some((address) => familyOf(address) === 6))
    unsupported.push(needsServer('ntp', 'DHCPv6 option 56'));
  if (settings.captivePortal !== undefined) unsupported.push(needsServer('captivePortal', 'DHCPv6 option 103'));
  if (settings.boot?.ipv6Parameters?.length) unsupported.push(needsServer('boot.ipv6Parameters', 'DHCPv6 option 60'));
  if (settings.leaseSeconds !== undefined && settings.ra?.mode !== 'stateless') {
    const sentence = "leaseSeconds: OVN's DHCPv6 leases never end; a lease length for IPv6 needs guest.service: server";
    unsupported.push({ setting: 'leaseSeconds', sentence });
  }
  return unsupported;
}
