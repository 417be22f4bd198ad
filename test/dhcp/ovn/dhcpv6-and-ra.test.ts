import { expect, test } from 'vitest';
import { ovn2303, ovn2309 } from '#dhcp/ovn/capabilities-of-releases.ts';
import { compileDhcpv6 } from '#dhcp/ovn/dhcpv6.ts';
import { portOptions } from '#dhcp/ovn/port-options.ts';
import { compileRa, raSettingsOfVm } from '#dhcp/ovn/ra.ts';

const link = { cidr: 'fd00:10:244::/64', serverMac: '0a:58:0a:f4:00:01', capabilities: ovn2303 };
const gateways = ['fd00:10:244::1'];

test('DHCPv6 tells the server DUID and name servers; a search list of several labels is left to RA', () => {
  const settings = { dns: { servers: ['10.0.0.53', 'fd00::53', 'fd00::54'], search: ['example.com'] } };
  expect(compileDhcpv6({ ...link, settings })).toEqual({
    cidr: link.cidr,
    options: { dns_server: '{fd00::53, fd00::54}', server_id: '0a:58:0a:f4:00:01' },
    unsupported: [],
  });
  expect(compileRa({ settings, gateways, mtu: 1400 })).toEqual({
    configs: {
      address_mode: 'dhcpv6_stateful',
      send_periodic: 'true',
      max_interval: '60',
      min_interval: '20',
      mtu: '1400',
      rdnss: 'fd00::53',
      dnssl: 'example.com',
    },
    unsupported: [],
  });
});

test('a search list of one label fits into what OVN writes for option 24', () => {
  expect(compileDhcpv6({ ...link, settings: { dns: { search: ['lan'] } } })?.options.domain_search).toBe('"lan"');
});

test('the RA mode decides about DHCPv6', () => {
  const row = (mode: 'stateful' | 'stateless' | 'slaac') =>
    compileDhcpv6({ ...link, settings: { ra: { mode } } })?.options;
  expect([row('stateful'), row('stateless'), row('slaac')]).toEqual([
    { server_id: '0a:58:0a:f4:00:01' },
    { dhcpv6_stateless: 'true', server_id: '0a:58:0a:f4:00:01' },
    undefined,
  ]);
});

test('newer OVN is told boot URL and FQDN', () => {
  const settings = { boot: { ipv6Url: 'tftp://[fd00::2]/x' }, domain: 'example.com' };
  expect(compileDhcpv6({ ...link, capabilities: ovn2309, settings })?.options).toEqual({
    bootfile_name: '"tftp://[fd00::2]/x"',
    bootfile_name_alt: '"tftp://[fd00::2]/x"',
    server_id: '0a:58:0a:f4:00:01',
  });
  expect(portOptions(settings, 'db', ovn2309)).toEqual({ hostname: '"db"', fqdn: '"db.example.com"' });
  expect(portOptions(settings, 'db', ovn2303)).toEqual({ hostname: '"db"' });
  expect(compileDhcpv6({ ...link, settings })?.unsupported.map(({ setting }) => setting)).toEqual(['boot.ipv6Url']);
});

test('the host name is the setting, else the first label of the VM name', () => {
  expect(portOptions({ hostName: 'web' }, 'db', ovn2303)).toEqual({ hostname: '"web"' });
  expect(portOptions({}, 'db.blue', ovn2303)).toEqual({ hostname: '"db"' });
  expect(portOptions({}, 'x'.repeat(70), ovn2303)).toEqual({});
});

test('routes through the gateway become route information; others are named', () => {
  const settings = {
    routes: [
      { to: 'fd09::/64', via: 'fd00:10:244::1' },
      { to: 'fd0a::/64', via: 'fd00:10:244::7' },
      { to: '10.9.0.0/16', via: '10.244.0.7' },
    ],
    ra: {
      preference: 'high' as const,
      routes: [{ prefix: 'fd0b::/48', preference: 'low' as const }],
      maxIntervalSeconds: 9,
    },
  };
  const { configs, unsupported } = compileRa({ settings, gateways });
  expect(configs).toEqual({
    address_mode: 'dhcpv6_stateful',
    send_periodic: 'true',
    max_interval: '9',
    min_interval: '3',
    router_preference: 'HIGH',
    route_info: 'LOW-fd0b::/48,MEDIUM-fd09::/64',
  });
  expect(unsupported.map(({ sentence }) => sentence)).toEqual([
    'routes: a guest learns an IPv6 route only from the router that is its next hop, and fd00:10:244::7 (for fd0a::/64) is not the gateway',
  ]);
});

test('RA settings that OVN has no words for are named', () => {
  const settings = {
    ra: {
      mode: 'slaac' as const,
      routerLifetimeSeconds: 1800,
      prefixValidSeconds: 1000,
      prefixPreferredSeconds: 500,
      dnsLifetimeSeconds: 60,
      deprecatedPrefixes: ['fd02::/64'],
      pref64: '64:ff9b::/96',
    },
    captivePortal: 'https://portal.example.com/',
    dns: { servers: ['fd00::53', 'fd00::54'] },
  };
  expect(compileRa({ settings, gateways }).unsupported.map(({ setting }) => setting)).toEqual([
    'ra.routerLifetimeSeconds',
    'ra.prefixValidSeconds',
    'ra.prefixPreferredSeconds',
    'ra.dnsLifetimeSeconds',
    'ra.deprecatedPrefixes',
    'ra.pref64',
    'captivePortal',
    'dns.servers',
  ]);
});

test('a VM cannot set what RA tells its whole network', () => {
  const network = { dns: { search: ['a.com'] } };
  const vm = { ra: { mode: 'slaac' as const }, dns: { search: ['b.com'] }, defaultRoute: false };
  expect(raSettingsOfVm(network, vm).map(({ setting }) => setting)).toEqual(['ra', 'defaultRoute', 'dns.search']);
  expect(raSettingsOfVm(network, { dns: { search: ['a.com'] } })).toEqual([]);
});
