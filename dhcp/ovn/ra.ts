import { familyOf } from '../address.ts';
import type { GuestSettings } from '../settings.ts';
import { needsServer, type Unsupported } from './option-map.ts';

export interface RaInput {
  /** The network's settings: one router port answers all guests of a network alike. */
  readonly settings: GuestSettings;
  /** The router's IPv6 addresses on this network. */
  readonly gateways: readonly string[];
  /** The network's MTU in bytes. */
  readonly mtu?: number;
}

export interface CompiledRa {
  /** `Logical_Router_Port.ipv6_ra_configs`. northd quotes these itself, unlike `DHCP_Options`. */
  readonly configs: Readonly<Record<string, string>>;
  readonly unsupported: readonly Unsupported[];
}

/**
 * The router advertisements of one network. Solicited RAs are answered at once on the guest's own chassis; the periodic
 * ones are there for guests whose solicitations were lost while their port was being bound, hence a short interval.
 */
export function compileRa({ settings, gateways, mtu: networkMtu }: RaInput): CompiledRa {
  const ra = settings.ra ?? {};
  const mode = ra.mode ?? 'stateful';
  const mtu = settings.mtu ?? networkMtu;
  const longest = ra.maxIntervalSeconds ?? 60;
  const servers = (settings.dns?.servers ?? []).filter((address) => familyOf(address) === 6);
  const search = settings.dns?.search ?? [];
  const { routes, unsupported } = routeInformation(settings, gateways);
  const configs: Record<string, string> = {
    address_mode: mode === 'slaac' ? 'slaac' : `dhcpv6_${mode}`,
    send_periodic: 'true',
    max_interval: String(longest),
    min_interval: String(ra.minIntervalSeconds ?? Math.max(3, Math.floor(longest / 3))),
  };
  if (ra.preference !== undefined) configs.router_preference = ra.preference.toUpperCase();
  if (mtu !== undefined && mtu >= 1280) configs.mtu = String(mtu);
  if (servers[0] !== undefined) configs.rdnss = servers[0];
  if (search.length > 0) configs.dnssl = search.join(',');
  if (routes.length > 0) configs.route_info = routes.join(',');
  return { configs, unsupported: [...unsupported, ...beyondOvn(settings, servers)] };
}

/** RFC 4191 routes lead through the router that advertises them, so a route through another next hop cannot be told. */
function routeInformation(settings: GuestSettings, gateways: readonly string[]) {
  const routes: string[] = [];
  const unsupported: Unsupported[] = [];
  for (const { prefix, preference = 'medium', lifetimeSeconds } of settings.ra?.routes ?? []) {
    routes.push(`${preference.toUpperCase()}-${prefix}`);
    if (lifetimeSeconds !== undefined)
      unsupported.push(needsServer('ra.routes', `a lifetime for the route to ${prefix}`));
  }
  for (const { to, via } of settings.routes ?? []) {
    if (familyOf(via) === 4) continue;
    if (gateways.includes(via)) routes.push(`MEDIUM-${to}`);
    else unsupported.push({ setting: 'routes', sentence: foreignNextHop(to, via) });
  }
  return { routes, unsupported };
}

function foreignNextHop(to: string, via: string): string {
  return `routes: a guest learns an IPv6 route only from the router that is its next hop, and ${via} (for ${to}) is not the gateway`;
}

function beyondOvn(settings: GuestSettings, servers: readonly string[]): Unsupported[] {
  const ra = settings.ra ?? {};
  const missing: [string, string, unknown][] = [
    ['ra.routerLifetimeSeconds', 'a router lifetime', ra.routerLifetimeSeconds],
    ['ra.prefixValidSeconds', 'a prefix lifetime', ra.prefixValidSeconds],
    ['ra.prefixPreferredSeconds', 'a prefix lifetime', ra.prefixPreferredSeconds],
    ['ra.dnsLifetimeSeconds', 'a lifetime of name servers', ra.dnsLifetimeSeconds],
    ['ra.deprecatedPrefixes', 'a deprecated prefix', ra.deprecatedPrefixes?.length || undefined],
    ['ra.pref64', 'PREF64', ra.pref64],
    ['captivePortal', 'the captive portal option of RA', ra.mode === 'slaac' ? settings.captivePortal : undefined],
    [
      'dns.servers',
      'more than one IPv6 name server without DHCPv6',
      ra.mode === 'slaac' && servers.length > 1 ? servers : undefined,
    ],
    ['defaultRoute', 'RA without a default router', settings.defaultRoute === false ? true : undefined],
  ];
  return missing.flatMap(([setting, what, set]) => (set === undefined ? [] : [needsServer(setting, what)]));
}

/** What a VM sets for itself that RA could only tell to its whole network. `vm` is what the VM's own annotation holds. */
export function raSettingsOfVm(network: GuestSettings, vm: GuestSettings): readonly Unsupported[] {
  const unsupported: Unsupported[] = [];
  if (vm.ra !== undefined) {
    unsupported.push({ setting: 'ra', sentence: 'ra: router advertisements are for a whole network; set it there' });
  }
  if (vm.defaultRoute === false)
    unsupported.push(needsServer('defaultRoute', 'RA without a default router for one guest'));
  for (const { to, via } of vm.routes ?? []) {
    const ofNetwork = network.routes?.some((route) => route.to === to && route.via === via);
    if (familyOf(via) === 6 && !ofNetwork) unsupported.push(needsServer('routes', `an IPv6 route of its own (${to})`));
  }
  const search = vm.dns?.search;
  if (search?.some((name) => name.includes('.')) && search.join() !== (network.dns?.search ?? []).join()) {
    unsupported.push(needsServer('dns.search', 'a search list of its own over IPv6'));
  }
  return unsupported;
}
