import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileDhcpv4 } from '#dhcp/ovn/dhcpv4.ts';
import { compileDhcpv6 } from '#dhcp/ovn/dhcpv6.ts';
import { portOptions } from '#dhcp/ovn/port-options.ts';
import { compileRa } from '#dhcp/ovn/ra.ts';
import { type GuestSettings, parseGuestSettings } from '#dhcp/settings.ts';
import { run } from '#test/lab/topology/command.ts';
import { attachManagedTap } from '#test/lab/virt/attachments/managed-tap.ts';
import { prepare } from '#test/setup/prepare.ts';
import { dhclient } from '../clients/dhclient.ts';
import { dhcp6c } from '../clients/dhcp6c.ts';
import { dhcpcd } from '../clients/dhcpcd.ts';
import { prepareClients } from '../clients/packages.ts';
import { bootByNetwork } from '../clients/pxe.ts';
import { rdisc6 } from '../clients/rdisc6.ts';
import { udhcpc } from '../clients/udhcpc.ts';
import { cidr4, cidr6, guestMac, type OvnGuest, startOvnGuest } from './ovn-guest.ts';

// One bad option silences DHCP for a port: so every option of the running OVN's tables is set by our settings, told by OVN
// and read by a real client.

const serverMac = '0a:00:00:00:00:01';

/** OVN's name for an option → settings that set it, and what dhclient then reports. */
const cases4: Record<string, [settings: unknown, reported: Record<string, string>]> = {
  netmask: [{}, { subnet_mask: '255.255.255.0' }],
  router: [{ gateway: '10.0.0.254' }, { routers: '10.0.0.254' }],
  dns_server: [{ dns: { servers: ['10.0.0.53', '10.0.0.54'] } }, { domain_name_servers: '10.0.0.53 10.0.0.54' }],
  log_server: [raw(7, { addresses: ['10.0.0.7'] }), { log_servers: '10.0.0.7' }],
  lpr_server: [raw(9, { addresses: ['10.0.0.9'] }), { lpr_servers: '10.0.0.9' }],
  hostname: [{ hostName: 'web' }, { host_name: 'web' }],
  domain_name: [{ domain: 'example.com' }, { domain_name: 'example.com' }],
  swap_server: [raw(16, { addresses: ['10.0.0.16'] }), { swap_server: '10.0.0.16' }],
  ip_forward_enable: [raw(19, { flag: true }), { ip_forwarding: 'true' }],
  policy_filter: [raw(21, { addresses: ['10.9.0.0', '255.255.0.0'] }), { policy_filter: '10.9.0.0 255.255.0.0' }],
  default_ttl: [raw(23, { uint8: 61 }), { default_ip_ttl: '61' }],
  mtu: [{ mtu: 1300 }, { interface_mtu: '1300' }],
  broadcast_address: [{}, { broadcast_address: '10.0.0.255' }],
  router_discovery: [raw(31, { flag: true }), { router_discovery: 'true' }],
  router_solicitation: [raw(32, { addresses: ['10.0.0.32'] }), { router_solicitation_address: '10.0.0.32' }],
  arp_cache_timeout: [raw(35, { uint32: 70_000 }), { arp_cache_timeout: '70000' }],
  ethernet_encap: [raw(36, { flag: true }), { ieee802_3_encapsulation: 'true' }],
  tcp_ttl: [raw(37, { uint8: 64 }), { default_tcp_ttl: '64' }],
  tcp_keepalive_interval: [raw(38, { uint32: 75 }), { tcp_keepalive_interval: '75' }],
  nis_server: [raw(41, { addresses: ['10.0.0.41'] }), { nis_servers: '10.0.0.41' }],
  ntp_server: [{ ntp: ['10.0.0.42', '10.0.0.43'] }, { ntp_servers: '10.0.0.42 10.0.0.43' }],
  netbios_name_server: [raw(44, { addresses: ['10.0.0.44'] }), { netbios_name_servers: '10.0.0.44' }],
  netbios_node_type: [raw(46, { uint8: 8 }), { netbios_node_type: '8' }],
  lease_time: [{ leaseSeconds: 777 }, { dhcp_lease_time: '777' }],
  server_id: [{}, { dhcp_server_identifier: '10.0.0.1' }],
  T1: [{ leaseSeconds: 1000, renewSeconds: 300 }, { dhcp_renewal_time: '300' }],
  T2: [{ leaseSeconds: 1000, rebindSeconds: 800 }, { dhcp_rebinding_time: '800' }],
  tftp_server: [{ boot: { tftpServer: 'tftp.example.com' } }, { tftp_server_name: 'tftp.example.com' }],
  // dhclient puts backslashes of its own before quotes and backslashes.
  bootfile_name: [{ boot: { file: 'say "hi" \\ {a, b}' } }, { bootfile_name: 'say \\"hi\\" \\\\ {a, b}' }],
  domain_search_list: [
    { dns: { search: ['example.com', 'b.example.com', 'c.org'] } },
    { domain_search: 'example.com. b.example.com. c.org.' },
  ],
  classless_static_route: [
    {
      routes: [
        { to: '10.9.0.0/16', via: '10.0.0.7' },
        { to: '192.168.1.1/32', via: '10.0.0.8' },
      ],
    },
    { rfc3442: '16 10 9 10 0 0 7 32 192 168 1 1 10 0 0 8 0 10 0 0 1' },
  ],
  ms_classless_static_route: [
    { routes: [{ to: '10.9.0.0/16', via: '10.0.0.7' }] },
    { ms_routes: '16 10 9 10 0 0 7 0 10 0 0 1' },
  ],
  tftp_server_address: [{ boot: { tftpServers: ['10.0.0.2', '10.0.0.3'] } }, { tftp_addresses: '10.0.0.2 10.0.0.3' }],
  path_prefix: [{ boot: { pathPrefix: '/srv/tftp/' } }, { path_prefix: '/srv/tftp/' }],
  wpad: [raw(252, { text: 'http://wpad.example.com/wpad.dat' }), { wpad: 'http://wpad.example.com/wpad.dat' }],
  next_server: [{ boot: { nextServer: '10.0.0.2' } }, { next_server: '10.0.0.2' }],
  // dhclient is no iPXE, so it is told the file for all others.
  bootfile_name_alt: [{ boot: { file: 'grub.efi', ipxeUrl: 'http://10.0.0.2/x.ipxe' } }, { bootfile_name: 'grub.efi' }],
};

const cases6: Record<string, [settings: unknown, reported: Record<string, string>]> = {
  server_id: [{}, { dhcp6_server_id: '0:3:0:1:a:0:0:0:0:1' }],
  dns_server: [{ dns: { servers: ['fd00::53', 'fd00::54'] } }, { dhcp6_name_servers: 'fd00::53 fd00::54' }],
  domain_search: [{ dns: { search: ['lan'] } }, { dhcp6_domain_search: 'lan.' }],
  bootfile_name: [{ boot: { ipv6Url: 'tftp://[fd00::2]/x' } }, { dhcp6_bootfile_url: 'tftp://[fd00::2]/x' }],
  bootfile_name_alt: [{ boot: { ipv6Url: 'http://[fd00::2]/x' } }, { dhcp6_bootfile_url: 'http://[fd00::2]/x' }],
  // dhclient sends no FQDN of its own for OVN to answer; that it still gets its address says the row is well-formed.
  fqdn: [{ hostName: 'web', domain: 'example.com' }, {}],
};

describe.each([
  ['the OVN of this machine', undefined],
  ['OVN 25.03', '25.03'],
])('%s', (_name, version) => {
  let guest: OvnGuest;
  beforeAll(async () => {
    await prepare({ log: console.log, ...(version !== undefined && { ovn: version }) });
    await prepareClients();
    guest = await startOvnGuest(`dhcp${version?.replace('.', '') ?? 'native'}`, version);
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  async function tell4(input: unknown): Promise<Readonly<Record<string, string>> | undefined> {
    await prepareDhcp4(input);
    return dhclient(guest, 4);
  }

  async function prepareDhcp4(input: unknown): Promise<void> {
    const settings = parsed(input);
    const row = compileDhcpv4({
      settings,
      capabilities: guest.capabilities,
      cidr: cidr4,
      gateway: '10.0.0.1',
      serverMac,
      serverId: '10.0.0.1',
    });
    expect(row.unsupported).toEqual([]);
    await setPortOptions(settings);
    await guest.setDhcp(4, row);
  }

  async function tell6(input: unknown): Promise<Readonly<Record<string, string>> | undefined> {
    await prepareDhcp6(input);
    return dhclient(guest, 6);
  }

  async function prepareDhcp6(input: unknown): Promise<void> {
    const settings = parsed(input);
    const row = compileDhcpv6({ settings, capabilities: guest.capabilities, cidr: cidr6, serverMac });
    expect(row?.unsupported).toEqual([]);
    await setPortOptions(settings);
    if (row !== undefined) await guest.setDhcp(6, row);
  }

  async function setPortOptions(settings: GuestSettings): Promise<void> {
    const pairs = Object.entries(portOptions(settings, 'vm', guest.capabilities)).map(
      ([key, value]) => `options:${key}=${JSON.stringify(value)}`,
    );
    await guest.topology.nbctl('set', 'Logical_Switch_Port', 'guest', ...pairs);
  }

  test('there is a case for every option this OVN lists', () => {
    expect(guest.rows.dhcpv4.map(({ name }) => name).filter((name) => cases4[name] === undefined)).toEqual([]);
    expect(guest.rows.dhcpv6.map(({ name }) => name).filter((name) => cases6[name] === undefined)).toEqual([]);
  });

  test.each(Object.entries(cases4))('DHCPv4 %s reaches dhclient as set', async (_option, [settings, reported]) => {
    expect(await tell4(settings)).toMatchObject({ ip_address: '10.0.0.10', ...reported });
  });

  test('all DHCPv4 options at once reach dhclient as set', async () => {
    const raws = Object.values(cases4).flatMap(([settings]) => parsed(settings).options?.dhcpv4 ?? []);
    const settings = {
      dns: { servers: ['10.0.0.53'], search: ['example.com', 'c.org'] },
      ntp: ['10.0.0.42'],
      domain: 'example.com',
      hostName: 'web',
      mtu: 1300,
      routes: [{ to: '10.9.0.0/16', via: '10.0.0.7' }],
      boot: {
        nextServer: '10.0.0.2',
        tftpServer: '10.0.0.2',
        tftpServers: ['10.0.0.2'],
        file: 'x',
        pathPrefix: '/p/',
        ipxeUrl: 'http://b/',
      },
      options: { dhcpv4: raws },
    };
    expect(await tell4(settings)).toMatchObject({
      ip_address: '10.0.0.10',
      domain_search: 'example.com. c.org.',
      interface_mtu: '1300',
      host_name: 'web',
      rfc3442: '16 10 9 10 0 0 7 0 10 0 0 1',
      netbios_node_type: '8',
      wpad: 'http://wpad.example.com/wpad.dat',
    });
  });

  test('DHCPv6 options reach dhclient as set', async () => {
    for (const { name } of guest.rows.dhcpv6) {
      const [settings, reported] = cases6[name] ?? [{}, {}];
      expect({ name, lease: await tell6(settings) }).toMatchObject({
        name,
        lease: { ip6_address: 'fd00::10', ...reported },
      });
    }
  });

  const all = {
    dns: { servers: ['10.0.0.53', 'fd00::53'], search: ['example.com', 'b.example.com'] },
    ntp: ['10.0.0.42'],
    domain: 'example.com',
    hostName: 'web',
    mtu: 1300,
    routes: [{ to: '10.9.0.0/16', via: '10.0.0.7' }],
    leaseSeconds: 1000,
    renewSeconds: 300,
    rebindSeconds: 800,
  };

  /** All that OVN can say by DHCPv6 to a client that does not boot. */
  const all6 = { dns: { servers: ['fd00::53', 'fd00::54'], search: ['lan'] } };

  test('udhcpc is told every setting as asked', async () => {
    await prepareDhcp4(all);
    expect(await udhcpc(guest)).toMatchObject({
      ip: '10.0.0.10',
      subnet: '255.255.255.0',
      router: '10.0.0.1',
      domain: 'example.com',
      dns: '10.0.0.53',
      search: 'example.com b.example.com',
      hostname: 'web',
      mtu: '1300',
      ntpsrv: '10.0.0.42',
      staticroutes: '10.9.0.0/16 10.0.0.7 0.0.0.0/0 10.0.0.1',
      lease: '1000',
      serverid: '10.0.0.1',
    });
  });

  test('dhcpcd is told every setting as asked, over IPv4 and IPv6', async () => {
    await prepareDhcp4(all);
    expect(await dhcpcd(guest, 4)).toMatchObject({
      ip_address: '10.0.0.10',
      subnet_cidr: '24',
      routers: '10.0.0.1',
      domain_name: 'example.com',
      domain_name_servers: '10.0.0.53',
      domain_search: 'example.com b.example.com',
      host_name: 'web',
      interface_mtu: '1300',
      ntp_servers: '10.0.0.42',
      classless_static_routes: '10.9.0.0/16 10.0.0.7 0.0.0.0/0 10.0.0.1',
      dhcp_lease_time: '1000',
      dhcp_renewal_time: '300',
      dhcp_rebinding_time: '800',
    });
    await prepareDhcp6(all6);
    expect(await dhcpcd(guest, 6)).toMatchObject({
      dhcp6_ia_na1_iaid: '00000007',
      dhcp6_ia_na1_ia_addr1: 'fd00::10',
      dhcp6_name_servers: 'fd00::53 fd00::54',
      dhcp6_domain_search: 'lan',
    });
  });

  test('wide-dhcpv6 is told every setting as asked; of its own IAID, 0, OVN knows nothing', async () => {
    await prepareDhcp6(all6);
    expect(await dhcp6c(guest, 7)).toMatchObject({
      address: 'fd00::10',
      new_domain_name_servers: 'fd00::53 fd00::54 ',
      new_domain_name: 'lan. ',
    });
    expect(await dhcp6c(guest, 0, 2)).toBeUndefined();
  });

  test('router advertisements say what the settings say, and the kernel does as they say', async () => {
    const settings = parsed({
      dns: { servers: ['fd00::53'], search: ['example.com', 'b.org'] },
      ra: { mode: 'stateless', preference: 'high', routes: [{ prefix: 'fd05::/48', preference: 'low' }] },
    });
    const { configs, unsupported } = compileRa({ settings, gateways: ['fd00::1'], mtu: 1400 });
    expect(unsupported).toEqual([]);
    const pairs = Object.entries(configs).map(([key, value]) => `ipv6_ra_configs:${key}=${JSON.stringify(value)}`);
    await guest.topology.nbctl('--wait=hv', 'set', 'Logical_Router_Port', 'gateway', ...pairs);
    const seen = await rdisc6(guest);
    for (const line of [
      'Stateful address conf. : No',
      'Stateful other conf. : Yes',
      'Router preference : high',
      'MTU : 1400 bytes (valid)',
      'Prefix : fd00::/64',
      'Autonomous address conf.: Yes',
      'Recursive DNS server : fd00::53',
      'DNS search list : example.com b.org',
      'Route : fd05::/48',
    ]) {
      expect(seen).toContain(line);
    }
    await run('sh', ['-c', 'ip link set eth0 down; ip link set eth0 up'], { netns: guest.netns });
    const addresses = () => run('ip', ['-6', 'addr', 'show', 'dev', 'eth0'], { netns: guest.netns });
    await expect.poll(addresses, { timeout: 30_000 }).toContain('fd00::800:ff:fe00:a/64');
    const routes = await run('ip', ['-6', 'route'], { netns: guest.netns });
    expect(routes).toContain('default via fe80::800:ff:fe00:1 dev eth0 proto ra');
    expect(routes).toMatch(/fd00::\/64 dev eth0 proto kernel/);
  });

  // The last, since it puts the guest's NIC into a bridge.
  test('a PXE ROM boots by network with what OVN tells it', async () => {
    const boot = { nextServer: '10.0.0.2', tftpServer: 'tftp.example', file: 'other' };
    await prepareDhcp4({ hostName: 'web', boot: { ...boot, ipxeUrl: 'tftp://10.0.0.2/script.ipxe' } });
    const { netns, topology } = guest;
    const { tap } = await attachManagedTap(netns);
    await run('ip', ['addr', 'add', '10.0.0.2/24', 'dev', 'k6t-eth0'], { netns });
    const place = { netns, env: topology.node('node-a').env };
    const seen = await bootByNetwork({
      place,
      tftpPlace: place,
      folder: `${topology.folder}/pxe`,
      tap,
      mac: guestMac,
      tftpServer: '10.0.0.2',
    });
    // OVN 23.03 leaves siaddr empty for iPXE and sends option 253 in its stead.
    expect(seen).toMatch(
      /^seen\/web\/255\.255\.255\.0\/10\.0\.0\.1\/(10\.0\.0\.2)?\/tftp\.example\/tftp:\/\/10\.0\.0\.2\/script\.ipxe$/,
    );
  });
});

function raw(code: number, value: Record<string, unknown>): unknown {
  return { options: { dhcpv4: [{ code, ...value }] } };
}

function parsed(input: unknown): GuestSettings {
  const { settings, problems } = parseGuestSettings(input);
  if (settings === undefined) throw new Error(problems.map(({ sentence }) => sentence).join());
  return settings;
}
