import { expect, test } from 'vitest';
import { ovn2303 } from '#dhcp/ovn/capabilities-of-releases.ts';
import { compileDhcpv4, type Dhcpv4Input } from '#dhcp/ovn/dhcpv4.ts';

const input: Dhcpv4Input = {
  settings: {},
  capabilities: ovn2303,
  cidr: '10.244.0.0/16',
  gateway: '10.244.0.1',
  serverMac: '0a:58:0a:f4:00:01',
  serverId: '10.244.0.1',
  mtu: 1400,
};
const minimum = {
  T1: '1800',
  T2: '3150',
  broadcast_address: '10.244.255.255',
  lease_time: '3600',
  mtu: '1400',
  router: '10.244.0.1',
  server_id: '10.244.0.1',
  server_mac: '0a:58:0a:f4:00:01',
};

test('a network without settings tells address, router, MTU and lease', () => {
  expect(compileDhcpv4(input)).toEqual({ cidr: '10.244.0.0/16', options: minimum, unsupported: [] });
});

test('every setting OVN can say is in the row, strings in quotes of their own', () => {
  const { options, unsupported } = compileDhcpv4({
    ...input,
    settings: {
      dns: { servers: ['10.0.0.53', 'fd00::53', '10.0.0.54'], search: ['example.com', 'b.org'] },
      ntp: ['10.0.0.7', 'fd00::7'],
      gateway: '10.244.0.254',
      routes: [
        { to: '10.9.0.0/16', via: '10.244.0.7' },
        { to: 'fd09::/64', via: 'fd00::7' },
      ],
      mtu: 1300,
      leaseSeconds: 86400,
      renewSeconds: 1000,
      rebindSeconds: 2000,
      domain: 'example.com',
      boot: {
        nextServer: '10.0.0.2',
        tftpServer: 'tftp.example.com',
        tftpServers: ['10.0.0.2', '10.0.0.3'],
        file: 'say "hi"\\',
        pathPrefix: '/tftp/',
        ipxeUrl: 'http://10.0.0.2/boot.ipxe',
      },
      options: {
        dhcpv4: [
          { code: 37, uint8: 64 },
          { code: 44, addresses: ['10.0.0.9'] },
          { code: 252, text: 'http://wpad/' },
        ],
      },
    },
  });
  expect({ options, unsupported }).toEqual({
    options: {
      ...minimum,
      T1: '1000',
      T2: '2000',
      bootfile_name: '"http://10.0.0.2/boot.ipxe"',
      bootfile_name_alt: '"say \\"hi\\"\\\\"',
      classless_static_route: '{10.9.0.0/16,10.244.0.7, 0.0.0.0/0,10.244.0.254}',
      dns_server: '{10.0.0.53, 10.0.0.54}',
      domain_name: '"example.com"',
      domain_search_list: '"example.com,b.org"',
      lease_time: '86400',
      ms_classless_static_route: '{10.9.0.0/16,10.244.0.7, 0.0.0.0/0,10.244.0.254}',
      mtu: '1300',
      netbios_name_server: '10.0.0.9',
      next_server: '10.0.0.2',
      ntp_server: '10.0.0.7',
      path_prefix: '"/tftp/"',
      router: '10.244.0.254',
      tcp_ttl: '64',
      tftp_server: '"tftp.example.com"',
      tftp_server_address: '{10.0.0.2, 10.0.0.3}',
      wpad: '"http://wpad/"',
    },
    unsupported: [],
  });
});

test('a guest without a default route is told no router, and its routes stay without one', () => {
  const settings = { defaultRoute: false, routes: [{ to: '10.9.0.0/16', via: '10.244.0.7' }] };
  const { options } = compileDhcpv4({ ...input, settings });
  expect([options.router, options.classless_static_route]).toEqual([undefined, '{10.9.0.0/16,10.244.0.7}']);
});

test('what OVN cannot say is named with the setting and what to do', () => {
  const { options, unsupported } = compileDhcpv4({
    ...input,
    settings: {
      captivePortal: 'https://portal.example.com/',
      ipv6OnlyPreferredSeconds: 300,
      fqdn: 'a.example.com',
      vendorOptions: [{ hex: '01' }],
      boot: { byArchitecture: [{ architecture: 7, file: 'x' }] },
      options: {
        dhcpv4: [
          { code: 138, addresses: ['10.0.0.9'] },
          { code: 46, text: 'node' },
          { code: 37, uint16: 300 },
        ],
      },
    },
  });
  expect(options).toEqual(minimum);
  expect(unsupported).toEqual([
    needs('options.dhcpv4', 'option 138'),
    { setting: 'options.dhcpv4', sentence: 'options.dhcpv4: option 46 takes uint8 in OVN and cannot carry text' },
    { setting: 'options.dhcpv4', sentence: 'options.dhcpv4: option 37 takes at most 255 in OVN' },
    needs('boot.byArchitecture', 'a boot file by client architecture'),
    needs('vendorOptions', 'option 43'),
    needs('captivePortal', 'option 114'),
    needs('ipv6OnlyPreferredSeconds', 'option 108'),
    needs('fqdn', 'option 81'),
  ]);
});

test('an option the running OVN does not list is not written', () => {
  const dhcpv4 = new Map([...ovn2303.dhcpv4].filter(([name]) => name !== 'ntp_server'));
  const { options, unsupported } = compileDhcpv4({
    ...input,
    capabilities: { ...ovn2303, dhcpv4 },
    settings: { ntp: ['10.0.0.7'] },
  });
  expect(options).toEqual(minimum);
  expect(unsupported).toEqual([needs('ntp', 'option 42')]);
});

test('search domains that OVN would confuse are refused', () => {
  const { unsupported } = compileDhcpv4({ ...input, settings: { dns: { search: ['a.com', 'b.a.con'] } } });
  expect(unsupported).toEqual([
    {
      setting: 'dns.search',
      sentence:
        'dns.search: option 119 cannot hold both a.com and a.con in OVN, which confuses names that differ in their last character',
    },
  ]);
});

test('routes past the 255 bytes of one option are refused', () => {
  const routes = Array.from({ length: 32 }, (_, i) => ({ to: `10.9.${i}.0/24`, via: '10.244.0.7' }));
  const { unsupported } = compileDhcpv4({ ...input, settings: { routes } });
  expect(unsupported[0]?.sentence).toBe('routes: option 121 needs 261 bytes and OVN writes at most 255');
});

function needs(setting: string, what: string) {
  return { setting, sentence: `${setting}: ${what} needs guest.service: server; this OVN cannot say it` };
}
