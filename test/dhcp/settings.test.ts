import { expect, test } from 'vitest';
import { type GuestSettings, mergeGuestSettings, parseGuestSettings } from '#dhcp/settings.ts';

function settings(input: unknown): GuestSettings {
  const parsed = parseGuestSettings(input);
  if (parsed.problems) throw new Error(parsed.problems.map(({ sentence }) => sentence).join('; '));
  return parsed.settings;
}

const sentences = (input: unknown): readonly string[] =>
  (parseGuestSettings(input).problems ?? []).map(({ sentence }) => sentence);

test('every setting parses and comes out in canonical spelling', () => {
  expect(
    settings({
      service: 'server',
      dns: { servers: ['10.0.0.53', 'FD00:0:0::53'], search: ['Example.com.', 'b.org'] },
      ntp: ['10.0.0.1', 'fd00::7b'],
      defaultRoute: true,
      gateway: '10.0.0.254',
      routes: [
        { to: '10.9.1.2/16', via: '10.0.0.7' },
        { to: 'fd09::1/64', via: 'fd00::7' },
      ],
      mtu: 1400,
      leaseSeconds: 600,
      renewSeconds: 200,
      rebindSeconds: 500,
      hostName: 'db',
      fqdn: 'db.example.com',
      domain: 'example.com',
      boot: {
        nextServer: '10.0.0.2',
        tftpServer: 'tftp.example.com',
        tftpServers: ['10.0.0.2'],
        file: 'pxelinux.0',
        byArchitecture: [{ architecture: 7, file: 'grubx64.efi' }],
        ipxeUrl: 'http://10.0.0.2/boot.ipxe',
        ipv6Url: 'tftp://[fd00::2]/grub',
      },
      captivePortal: 'https://portal.example.com/api',
      ipv6OnlyPreferredSeconds: 1800,
      vendorOptions: [{ vendorClass: 'PXEClient', hex: '06:01:08' }],
      options: { dhcpv4: [{ code: 252, text: 'http://wpad/' }], dhcpv6: [{ code: 22, addresses: ['fd00::1'] }] },
      ra: { mode: 'stateless', preference: 'high', routes: [{ prefix: 'fd05::9/48' }], pref64: '64:ff9b::/96' },
    }),
  ).toEqual({
    service: 'server',
    dns: { servers: ['10.0.0.53', 'fd00::53'], search: ['Example.com', 'b.org'] },
    ntp: ['10.0.0.1', 'fd00::7b'],
    defaultRoute: true,
    gateway: '10.0.0.254',
    routes: [
      { to: '10.9.0.0/16', via: '10.0.0.7' },
      { to: 'fd09::/64', via: 'fd00::7' },
    ],
    mtu: 1400,
    leaseSeconds: 600,
    renewSeconds: 200,
    rebindSeconds: 500,
    hostName: 'db',
    fqdn: 'db.example.com',
    domain: 'example.com',
    boot: {
      nextServer: '10.0.0.2',
      tftpServer: 'tftp.example.com',
      tftpServers: ['10.0.0.2'],
      file: 'pxelinux.0',
      byArchitecture: [{ architecture: 7, file: 'grubx64.efi' }],
      ipxeUrl: 'http://10.0.0.2/boot.ipxe',
      ipv6Url: 'tftp://[fd00::2]/grub',
    },
    captivePortal: 'https://portal.example.com/api',
    ipv6OnlyPreferredSeconds: 1800,
    vendorOptions: [{ vendorClass: 'PXEClient', hex: '060108' }],
    options: { dhcpv4: [{ code: 252, text: 'http://wpad/' }], dhcpv6: [{ code: 22, addresses: ['fd00::1'] }] },
    ra: { mode: 'stateless', preference: 'high', routes: [{ prefix: 'fd05::/48' }], pref64: '64:ff9b::/96' },
  });
});

test('no settings are valid settings', () => {
  expect(settings({})).toEqual({});
});

test.each<[string, unknown, string[]]>([
  [
    'a word for an address',
    { dns: { servers: ['10.0.0.53', 'dns'] } },
    ['dns.servers[1]: "dns" is not an IPv4 or IPv6 address'],
  ],
  ['a short address', { ntp: ['10.1'] }, ['ntp[0]: "10.1" is not an IPv4 or IPv6 address']],
  ['an address with a zone', { ntp: ['fe80::1%eth0'] }, ['ntp[0]: "fe80::1%eth0" is not an IPv4 or IPv6 address']],
  ['a name that is misspelt', { dnsServers: [] }, ['dnsServers: is not a guest setting']],
  ['a nested name that is misspelt', { boot: { url: 'x' } }, ['boot.url: is not a guest setting']],
  ['a list that is none', { ntp: '10.0.0.1' }, ['ntp: must be a list']],
  ['text for a number', { mtu: '1400' }, ['mtu: must be a whole number']],
  ['a fraction', { mtu: 1400.5 }, ['mtu: must be a whole number']],
  ['an MTU nothing can use', { mtu: 60 }, ['mtu: must be at least 576']],
  ['null', null, ['guest settings: must be a set of fields']],
  ['a mode that is unknown', { ra: { mode: 'auto' } }, ['ra.mode: must be one of stateful, stateless, slaac']],
  [
    'a next hop of the other family',
    { routes: [{ to: '10.0.0.0/8', via: 'fd00::1' }] },
    ['routes[0].via: fd00::1 is not of the family of 10.0.0.0/8'],
  ],
  ['T1 without a lease', { renewSeconds: 60 }, ['renewSeconds: needs leaseSeconds beside it']],
  [
    'T2 past the lease',
    { leaseSeconds: 100, rebindSeconds: 100 },
    ['rebindSeconds: 100 is not shorter than leaseSeconds (100)'],
  ],
  [
    'T1 past T2',
    { leaseSeconds: 100, renewSeconds: 80, rebindSeconds: 70 },
    ['renewSeconds: T1 (80) is later than T2 (70)'],
  ],
  [
    'T1 past the T2 that follows from the lease',
    { leaseSeconds: 100, renewSeconds: 95 },
    ['renewSeconds: T1 (95) is later than T2 (87)'],
  ],
  [
    'a host name with a dot',
    { hostName: 'a.b' },
    ['hostName: "a.b" is not a host name of one label (letters, digits, hyphens; at most 63)'],
  ],
  [
    'shell in a domain',
    { domain: '$(reboot).com' },
    ['domain: "$(reboot).com" is not a domain name (letters, digits, hyphens; labels of at most 63)'],
  ],
  [
    'a portal that is no URL',
    { captivePortal: '() { :; }; reboot' },
    [
      'captivePortal: "() { :; }; reboot" is not an http or https URL of at most 255 characters, without quotes, $ and \\',
    ],
  ],
  [
    'an option with a setting of its own',
    { options: { dhcpv4: [{ code: 6, hex: '00' }] } },
    ['options.dhcpv4[0].code: option 6 has a setting of its own: dns.servers'],
  ],
  [
    'an option of the protocol',
    { options: { dhcpv4: [{ code: 54, hex: '00' }] } },
    ['options.dhcpv4[0].code: option 54 is written by the DHCP service itself'],
  ],
  [
    'an option with two values',
    { options: { dhcpv4: [{ code: 44, hex: '00', uint8: 1 }] } },
    ['options.dhcpv4[0]: wants exactly one of text, hex, addresses, domains, flag, uint8, uint16, uint32'],
  ],
  [
    'one option twice',
    {
      options: {
        dhcpv6: [
          { code: 22, hex: '00' },
          { code: 22, hex: '01' },
        ],
      },
    },
    ['options.dhcpv6[1].code: option 22 is there twice'],
  ],
  [
    'an RA interval out of step',
    { ra: { maxIntervalSeconds: 4, minIntervalSeconds: 4 } },
    ['ra.minIntervalSeconds: 4 is more than three quarters of maxIntervalSeconds (4) (RFC 4861 §6.2.1)'],
  ],
  [
    'a NAT64 prefix of an impossible length',
    { ra: { pref64: '64:ff9b::/95' } },
    ['ra.pref64: "64:ff9b::/95" is not a NAT64 prefix of length 96, 64, 56, 48, 40 or 32'],
  ],
])('%s is named with its field', (_what, input, expected) => {
  expect(sentences(input)).toEqual(expected);
});

test('every problem of an input is named at once', () => {
  expect(
    parseGuestSettings({ mtu: 1, ntp: ['x'], extra: 1 })
      .problems?.map(({ field }) => field)
      .sort(),
  ).toEqual(['extra', 'mtu', 'ntp[0]']);
});

test("a VM's fields replace its network's; dns, boot and ra field by field; options by code", () => {
  const network = settings({
    dns: { servers: ['10.0.0.53'], search: ['example.com'] },
    ntp: ['10.0.0.1'],
    mtu: 1400,
    leaseSeconds: 600,
    renewSeconds: 100,
    boot: { nextServer: '10.0.0.2', file: 'a' },
    options: {
      dhcpv4: [
        { code: 44, addresses: ['10.0.0.9'] },
        { code: 46, uint8: 8 },
      ],
    },
  });
  const vm = settings({
    dns: { servers: ['10.0.0.54'] },
    ntp: [],
    leaseSeconds: 60,
    boot: { file: 'b' },
    options: { dhcpv4: [{ code: 46, uint8: 2 }] },
  });
  expect(mergeGuestSettings(network, vm)).toEqual({
    dns: { servers: ['10.0.0.54'], search: ['example.com'] },
    ntp: [],
    mtu: 1400,
    leaseSeconds: 60,
    boot: { nextServer: '10.0.0.2', file: 'b' },
    options: {
      dhcpv4: [
        { code: 44, addresses: ['10.0.0.9'] },
        { code: 46, uint8: 2 },
      ],
      dhcpv6: [],
    },
  });
});
