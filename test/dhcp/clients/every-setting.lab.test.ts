import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GuestBook } from '#dhcp/guests.ts';
import { settingsReference } from '#dhcp/settings/reference.ts';
import { mergeGuestSettings } from '#dhcp/settings.ts';
import { run } from '#test/lab/topology/command.ts';
import { dhclient } from './dhclient.ts';
import { dhcp6c } from './dhcp6c.ts';
import { dhcpcd, dhcpcdAdvertised } from './dhcpcd.ts';
import { prepareClients } from './packages.ts';
import type { ClientPlace, Told } from './place.ts';
import { rdisc6 } from './rdisc6.ts';
import { type LabSegment, labSegment } from './segment.ts';
import { agentOn, guestOf, parsed } from './served-segment.ts';
import { udhcpc } from './udhcpc.ts';

// Each setting there is, told by our server and read by real clients.

const settings = parsed({
  service: 'server',
  dns: { servers: ['10.0.0.53', '10.0.0.54', 'fd00::53', 'fd00::54'], search: ['example.com', 'b.org'] },
  ntp: ['10.0.0.7', 'fd00::7'],
  gateway: '10.77.0.254',
  routes: [
    { to: '10.9.0.0/16', via: '10.77.0.7' },
    { to: 'fd09::/48', via: 'fd77::1' },
  ],
  mtu: 1350,
  leaseSeconds: 600,
  renewSeconds: 100,
  rebindSeconds: 200,
  hostName: 'web',
  fqdn: 'shop.example.net',
  domain: 'example.com',
  boot: {
    nextServer: '10.77.0.3',
    tftpServer: 'tftp.example',
    tftpServers: ['10.77.0.3', '10.77.0.4'],
    file: 'grub.efi',
    pathPrefix: '/srv/',
    byArchitecture: [{ architecture: 7, file: 'x64.efi' }],
    ipxeUrl: 'http://10.77.0.3/x.ipxe',
    ipv6Url: 'tftp://[fd77::3]/x',
    ipv6Parameters: ['quiet', 'root=/dev/vda'],
  },
  captivePortal: 'https://p.example/',
  vendorOptions: [{ vendorClass: 'acme', hex: '010203' }, { hex: '0a0b' }],
  options: {
    dhcpv4: [
      { code: 252, text: 'http://wpad/' },
      { code: 224, hex: 'a0b1' },
      { code: 138, addresses: ['10.0.0.9'] },
      { code: 225, domains: ['c.example', 'd.example'] },
      { code: 19, flag: true },
      { code: 37, uint8: 61 },
      { code: 22, uint16: 9000 },
      { code: 35, uint32: 70_000 },
    ],
    dhcpv6: [
      { code: 65_001, text: 'six' },
      { code: 65_002, hex: 'a0b1' },
      { code: 65_003, addresses: ['fd00::9'] },
      { code: 65_004, domains: ['c.example', 'd.example'] },
      { code: 65_005, flag: true },
      { code: 65_006, uint8: 61 },
      { code: 65_007, uint16: 9000 },
      { code: 65_008, uint32: 70_000 },
    ],
  },
  ra: {
    mode: 'stateless',
    preference: 'high',
    routerLifetimeSeconds: 900,
    prefixValidSeconds: 4000,
    prefixPreferredSeconds: 2000,
    deprecatedPrefixes: ['fd66::/64'],
    routes: [{ prefix: 'fd05::/48', preference: 'low', lifetimeSeconds: 7200 }],
    dnsLifetimeSeconds: 1234,
    pref64: '64:ff9b::/96',
    maxIntervalSeconds: 4,
    minIntervalSeconds: 3,
  },
});

/** What a client said it was told. Those whose output is for people, in their words, runs of blanks made one. */
type Client =
  | 'dhclient'
  | 'dhclient -6'
  | 'dhclient -6 -S'
  | 'dhcpcd'
  | 'dhcpcd -6'
  | 'dhcp6c'
  | 'udhcpc'
  | 'firmware'
  | 'iPXE'
  | 'rdisc6'
  | "dhcpcd's RA"
  | 'kernel';

const cases: Readonly<Record<string, Partial<Record<Client, Readonly<Record<string, string>> | readonly string[]>>>> = {
  'dns.servers': {
    dhclient: { domain_name_servers: '10.0.0.53 10.0.0.54' },
    dhcpcd: { domain_name_servers: '10.0.0.53 10.0.0.54' },
    udhcpc: { dns: '10.0.0.53 10.0.0.54' },
    'dhcpcd -6': { dhcp6_name_servers: 'fd00::53 fd00::54' },
    dhcp6c: { new_domain_name_servers: 'fd00::53 fd00::54 ' },
    'dhclient -6': { dhcp6_name_servers: 'fd00::53 fd00::54' },
    'dhclient -6 -S': { dhcp6_name_servers: 'fd00::53 fd00::54' },
    rdisc6: ['Recursive DNS server : fd00::53', 'Recursive DNS server : fd00::54'],
    "dhcpcd's RA": { nd1_rdnss1_servers: 'fd00::53 fd00::54' },
  },
  'dns.search': {
    dhclient: { domain_search: 'example.com. b.org.' },
    dhcpcd: { domain_search: 'example.com b.org' },
    udhcpc: { search: 'example.com b.org' },
    'dhcpcd -6': { dhcp6_domain_search: 'example.com b.org' },
    dhcp6c: { new_domain_name: 'example.com. b.org. ' },
    'dhclient -6': { dhcp6_domain_search: 'example.com. b.org.' },
    rdisc6: ['DNS search list : example.com b.org'],
    "dhcpcd's RA": { nd1_dnssl1_search: 'example.com b.org' },
  },
  ntp: {
    dhclient: { ntp_servers: '10.0.0.7' },
    dhcpcd: { ntp_servers: '10.0.0.7' },
    udhcpc: { ntpsrv: '10.0.0.7' },
    'dhcpcd -6': { dhcp6_sntp_servers: 'fd00::7' },
    dhcp6c: { new_ntp_servers: 'fd00::7 ' },
    'dhclient -6': { dhcp6_sntp_servers: 'fd00::7', dhcp6_ntp: '0:1:0:10:fd:0:0:0:0:0:0:0:0:0:0:0:0:0:0:7' },
  },
  defaultRoute: { firmware: { staticroutes: '10.9.0.0/16 10.77.0.7' } },
  gateway: {
    dhclient: { routers: '10.77.0.254' },
    dhcpcd: { routers: '10.77.0.254' },
    udhcpc: { router: '10.77.0.254' },
  },
  'routes[].to': {
    dhclient: { rfc3442: '16 10 9 10 77 0 7 0 10 77 0 254', ms_routes: '16 10 9 10 77 0 7 0 10 77 0 254' },
    rdisc6: ['Route : fd09::/48'],
  },
  'routes[].via': {
    udhcpc: { staticroutes: '10.9.0.0/16 10.77.0.7 0.0.0.0/0 10.77.0.254' },
    dhcpcd: { classless_static_routes: '10.9.0.0/16 10.77.0.7 0.0.0.0/0 10.77.0.254' },
    kernel: ['fd09::/48 via fe80::fe '],
  },
  mtu: {
    dhclient: { interface_mtu: '1350' },
    dhcpcd: { interface_mtu: '1350' },
    udhcpc: { mtu: '1350' },
    rdisc6: ['MTU : 1350 bytes (valid)'],
    kernel: ['mtu6 1350'],
  },
  leaseSeconds: {
    dhclient: { dhcp_lease_time: '600' },
    dhcpcd: { dhcp_lease_time: '600' },
    'dhcpcd -6': { dhcp6_ia_na1_ia_addr1_vltime: '600' },
    udhcpc: { lease: '600' },
    'dhclient -6': { max_life: '600', preferred_life: '600' },
  },
  renewSeconds: {
    dhclient: { dhcp_renewal_time: '100' },
    dhcpcd: { dhcp_renewal_time: '100' },
    'dhcpcd -6': { dhcp6_ia_na1_t1: '100' },
    'dhclient -6': { renew: '100' },
  },
  rebindSeconds: {
    dhclient: { dhcp_rebinding_time: '200' },
    dhcpcd: { dhcp_rebinding_time: '200' },
    'dhcpcd -6': { dhcp6_ia_na1_t2: '200' },
    'dhclient -6': { rebind: '200' },
  },
  hostName: { dhclient: { host_name: 'web' }, dhcpcd: { host_name: 'web' }, udhcpc: { hostname: 'web' } },
  fqdn: {
    dhcpcd: { fqdn: 'shop.example.net' },
    'dhcpcd -6': { dhcp6_fqdn: 'shop.example.net' },
    dhclient: { fqdn_fqdn: 'shop.example.net' },
  },
  domain: {
    dhclient: { domain_name: 'example.com' },
    dhcpcd: { domain_name: 'example.com' },
    udhcpc: { domain: 'example.com' },
  },
  'boot.nextServer': { dhclient: { next_server: '10.77.0.3' }, firmware: { siaddr: '10.77.0.3' } },
  'boot.tftpServer': { dhclient: { tftp_server_name: 'tftp.example' } },
  'boot.tftpServers': { dhclient: { tftp_addresses: '10.77.0.3 10.77.0.4' } },
  'boot.file': { dhclient: { bootfile_name: 'grub.efi' }, udhcpc: { boot_file: 'grub.efi' } },
  'boot.pathPrefix': { dhclient: { path_prefix: '/srv/' } },
  'boot.byArchitecture[].architecture': { firmware: { boot_file: 'x64.efi' } },
  'boot.byArchitecture[].file': { firmware: { boot_file: 'x64.efi' } },
  'boot.ipxeUrl': { iPXE: { boot_file: 'http://10.77.0.3/x.ipxe' } },
  'boot.ipv6Url': { 'dhclient -6': { dhcp6_bootfile_url: 'tftp://[fd77::3]/x' } },
  'boot.ipv6Parameters': {
    'dhclient -6': { dhcp6_boot_parameters: '0:5:71:75:69:65:74:0:d:72:6f:6f:74:3d:2f:64:65:76:2f:76:64:61' },
  },
  captivePortal: {
    dhclient: { captive_portal: 'https://p.example/' },
    'dhclient -6': { dhcp6_portal: 'https://p.example/' },
    "dhcpcd's RA": { nd1_captive_portal: 'https://p.example/' },
  },
  ipv6OnlyPreferredSeconds: { firmware: { opt108: '00000708' } },
  'vendorOptions[].vendorClass': { dhclient: { vendor_encapsulated_options: '1:2:3' } },
  'vendorOptions[].hex': { udhcpc: { opt43: '0a0b' } },
  'options.dhcpv4[].code': { dhclient: { private_224: 'a0:b1' } },
  'options.dhcpv4[].text': { dhclient: { wpad: 'http://wpad/' } },
  'options.dhcpv4[].hex': { dhclient: { private_224: 'a0:b1' } },
  'options.dhcpv4[].addresses': { dhclient: { capwap: '10.0.0.9' } },
  'options.dhcpv4[].domains': { dhclient: { private_225: 'c.example. d.example.' } },
  'options.dhcpv4[].flag': { dhclient: { ip_forwarding: 'true' } },
  'options.dhcpv4[].uint8': { dhclient: { default_tcp_ttl: '61' } },
  'options.dhcpv4[].uint16': { dhclient: { max_dgram_reassembly: '9000' } },
  'options.dhcpv4[].uint32': { dhclient: { arp_cache_timeout: '70000' } },
  'options.dhcpv6[].code': { 'dhclient -6': { dhcp6_private_2: 'a0:b1' } },
  'options.dhcpv6[].text': { 'dhclient -6': { dhcp6_private_1: 'six' }, 'dhclient -6 -S': { dhcp6_private_1: 'six' } },
  'options.dhcpv6[].hex': { 'dhclient -6': { dhcp6_private_2: 'a0:b1' } },
  'options.dhcpv6[].addresses': { 'dhclient -6': { dhcp6_private_3: 'fd00::9' } },
  'options.dhcpv6[].domains': { 'dhclient -6': { dhcp6_private_4: 'c.example. d.example.' } },
  'options.dhcpv6[].flag': { 'dhclient -6': { dhcp6_private_5: 'true' } },
  'options.dhcpv6[].uint8': { 'dhclient -6': { dhcp6_private_6: '61' } },
  'options.dhcpv6[].uint16': { 'dhclient -6': { dhcp6_private_7: '9000' } },
  'options.dhcpv6[].uint32': { 'dhclient -6': { dhcp6_private_8: '70000' } },
  'ra.mode': {
    rdisc6: ['Stateful address conf. : No', 'Stateful other conf. : Yes', 'Autonomous address conf.: Yes'],
    kernel: ['inet6 fd77::5054:ff:fe00:'],
  },
  'ra.preference': { rdisc6: ['Router preference : high'], kernel: ['pref high'] },
  'ra.routerLifetimeSeconds': {
    rdisc6: ['Router lifetime : 900 '],
    kernel: ['default via fe80::fe dev eth0 proto ra '],
  },
  'ra.prefixValidSeconds': { rdisc6: ['Valid time : 4000 '] },
  'ra.prefixPreferredSeconds': { rdisc6: ['Pref. time : 2000 '] },
  'ra.deprecatedPrefixes': { rdisc6: ['Prefix : fd66::/64'], kernel: ['scope global deprecated'] },
  'ra.routes[].prefix': { rdisc6: ['Route : fd05::/48'], kernel: ['fd05::/48 via fe80::fe '] },
  'ra.routes[].preference': { rdisc6: ['Route preference : low'], kernel: ['pref low'] },
  'ra.routes[].lifetimeSeconds': { rdisc6: ['Route lifetime : 7200 '] },
  'ra.dnsLifetimeSeconds': { rdisc6: ['DNS servers lifetime : 1234 '], "dhcpcd's RA": { nd1_rdnss1_lifetime: '1234' } },
  'ra.pref64': { "dhcpcd's RA": { nd1_pref64: '00100064ff9b0000000000000000' } },
};

/** Said otherwise than by a value that arrives. */
const others = ['service', 'ra.maxIntervalSeconds', 'ra.minIntervalSeconds'];

/** What these clients have for themselves; the others are told `settings` alone. */
const own: Partial<Record<Client, unknown>> = { firmware: { defaultRoute: false, ipv6OnlyPreferredSeconds: 1800 } };

const fqdnOfDhclient = 'send fqdn.fqdn "guess.example."; send fqdn.encoded on; send fqdn.server-update on;';
const dhclientSends = `send dhcp-max-message-size 1400; send vendor-class-identifier "acme 1"; ${fqdnOfDhclient}`;

const clients: Readonly<Record<Client, (place: ClientPlace) => Promise<Told | string>>> = {
  dhclient: (place) => dhclient(place, 4, { sends: dhclientSends }),
  'dhclient -6': (place) => dhclient(place, 6),
  'dhclient -6 -S': (place) => dhclient(place, 6, { stateless: true }),
  dhcpcd: (place) => dhcpcd(place, 4, 'hostname guess\nfqdn both\n'),
  'dhcpcd -6': (place) => dhcpcd(place, 6, 'hostname guess\nfqdn both\noption dhcp6_fqdn\n'),
  "dhcpcd's RA": dhcpcdAdvertised,
  dhcp6c: (place) => dhcp6c(place, 0),
  udhcpc: (place) => udhcpc(place),
  firmware: (place) => udhcpc(place, '-V PXEClient:Arch:00007:UNDI:003016 -x 0x5d:0007'),
  iPXE: (place) => udhcpc(place, '-x 0xaf:0105'),
  rdisc6,
  kernel,
};

let lab: LabSegment;
let closeServer = async () => {};
const told = new Map<string, Told | string>();
/** Of two advertisements to everybody, in seconds. */
let sentAt: readonly number[] = [];

beforeAll(async () => {
  await prepareClients();
  lab = await labSegment('dhcptold');
  const names = Object.keys(clients);
  const guests = names.map((name, index) => {
    const different = Object.entries(own).find(([client]) => client === name)?.[1];
    return guestOf(10 + index, mergeGuestSettings(settings, parsed(different ?? {})), `vm-${index}`);
  });
  const watcher = await lab.guest('watcher', '52:54:00:00:00:99');
  const watched = advertisementTimes(watcher);
  const places = await Promise.all(guests.map(({ mac }, index) => lab.guest(`g${index}`, mac)));
  const service = agentOn(lab, '0a:00:00:00:00:01', new GuestBook(guests), settings);
  closeServer = () => service.close();
  await service.ready;
  await Promise.all(
    Object.entries(clients).map(async ([name, ask], index) => {
      const place = places[index];
      if (place !== undefined) told.set(name, await ask(place));
    }),
  );
  sentAt = await watched;
});
afterAll(async () => {
  await closeServer();
  await lab?.[Symbol.asyncDispose]();
});

test('there is a case for every setting', () => {
  const paths = [...settingsReference().matchAll(/^\| `(\S+)`/gm)].map(([, path = '']) => path);
  const isLeaf = (path: string) =>
    !paths.some((other) => [`${path}.`, `${path}[].`].some((head) => other.startsWith(head)));
  expect([...Object.keys(cases), ...others].sort()).toEqual(paths.filter(isLeaf).sort());
});

test.each(Object.entries(cases))('%s arrives as asked', (_setting, expected) => {
  for (const [client, said] of Object.entries(expected)) {
    const heard = told.get(client);
    if (Array.isArray(said)) for (const part of said) expect(heard, client).toContain(part);
    else expect(heard, client).toMatchObject(said);
  }
});

test('each client has the address of its guest, whatever its IAID', () => {
  const addresses = ['dhclient', 'dhclient -6', 'dhcpcd', 'dhcpcd -6', 'dhcp6c', 'udhcpc'].map((name) => {
    const { ip_address, ip6_address, dhcp6_ia_na1_ia_addr1, address, ip } = Object(told.get(name));
    return ip_address ?? ip6_address ?? dhcp6_ia_na1_ia_addr1 ?? address ?? ip;
  });
  expect(addresses).toEqual(['10.77.0.10', 'fd77::b', '10.77.0.13', 'fd77::e', 'fd77::10', '10.77.0.17']);
  expect(told.get('dhcpcd -6')).toMatchObject({ dhcp6_ia_na1_iaid: '00000007' });
});

test('router advertisements come as often as asked', () => {
  const [first = 0, second = 0] = sentAt;
  expect(second - first).toBeGreaterThan(2.9);
  // As many as they are at first, without the setting they would be 16 s apart.
  expect(second - first).toBeLessThan(8);
});

/** What the kernel makes of router advertisements, when it also takes routes from them. */
async function kernel({ netns, device }: ClientPlace): Promise<string> {
  const conf = `net.ipv6.conf.${device}`;
  const again = `ip link set ${device} down; sysctl -qw ${conf}.accept_ra_rt_info_max_plen=64 ${conf}.router_solicitation_delay=0; ip link set ${device} up`;
  await run('sh', ['-c', again], { netns });
  const shown = `ip -6 addr show dev ${device}; ip -6 route; echo mtu6 $(cat /proc/sys/net/ipv6/conf/${device}/mtu)`;
  const words = async () => (await run('sh', ['-c', shown], { netns })).replaceAll(/\s+/g, ' ');
  for (const until = Date.now() + 10_000; Date.now() < until; await sleep(100)) {
    const now = await words();
    if (now.includes('default via')) return now;
  }
  return await words();
}

async function advertisementTimes({ netns, device }: ClientPlace): Promise<readonly number[]> {
  const filter = 'icmp6[0] == 134 and dst host ff02::1';
  const text = await run('timeout', ['20', 'tcpdump', '-c', '2', '-ttnni', device, filter], { netns });
  return [...text.matchAll(/^[\d.]+/gm)].map(([seconds]) => Number(seconds));
}
