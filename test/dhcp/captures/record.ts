import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compileDhcpv4 } from '#dhcp/ovn/dhcpv4.ts';
import { compileDhcpv6 } from '#dhcp/ovn/dhcpv6.ts';
import type { GuestSettings } from '#dhcp/settings.ts';
import { startTcpdump } from '#test/lab/observer/tcpdump.ts';
import { inPlace, run } from '#test/lab/topology/command.ts';
import { dhclient } from '../clients/dhclient.ts';
import { dhcp6c } from '../clients/dhcp6c.ts';
import { dhcpcd } from '../clients/dhcpcd.ts';
import type { ClientPlace } from '../clients/place.ts';
import { bootByNetwork } from '../clients/pxe.ts';
import { rdisc6 } from '../clients/rdisc6.ts';
import { type LabSegment, labSegment } from '../clients/segment.ts';
import { udhcpc } from '../clients/udhcpc.ts';
import { cidr4, cidr6, startOvnGuest } from '../ovn/ovn-guest.ts';

// `node test/dhcp/captures/record.ts`: makes the files of this folder anew, with the clients and servers of this machine (Debian's
// isc-dhcp-client, udhcpc, dhcpcd-base, wide-dhcpv6-client, ndisc6, ipxe-qemu; dnsmasq-base, kea-dhcp4-server, kea-dhcp6-server, OVN).

const mac = '52:54:00:12:00:3a';
const address4 = '10.77.0.10';
const address6 = 'fd77::10';

type Client = (place: ClientPlace) => Promise<unknown>;
const clients: Readonly<Record<string, Client>> = {
  dhclient: async (place) => [await dhclient(place, 4), await dhclient(place, 6)],
  udhcpc,
  dhcpcd: async (place) => [await dhcpcd(place, 4), await dhcpcd(place, 6)],
  dhcp6c: (place) => dhcp6c(place, 0),
  rdisc6,
};

const toldByOvn: GuestSettings = {
  dns: { servers: ['10.0.0.53', '10.0.0.54', 'fd00::53'], search: ['example.com', 'b.example.com'] },
  routes: [{ to: '10.9.0.0/16', via: '10.0.0.7' }],
  mtu: 1400,
};

const folder = await mkdtemp(join(tmpdir(), 'hawser-captures-'));
try {
  for (const [name, start] of Object.entries({ dnsmasq, kea })) {
    await using lab = await labSegment('capture');
    await run('ip', ['-batch', '-'], {
      netns: lab.netns,
      input: 'addr add 10.77.0.1/16 dev segment\naddr add fd77::1/64 dev segment nodad\n',
    });
    // Or dnsmasq would announce itself as no router.
    await run('sysctl', ['-qw', 'net.ipv6.conf.all.forwarding=1'], { netns: lab.netns });
    await sleep(2500);
    const servers = start(lab);
    await sleep(1500);
    for (const [client, ask] of Object.entries(clients)) {
      if (client === 'rdisc6' && name === 'kea') continue;
      const place = await lab.guest('client', mac);
      await recorded(`${client}-${name}`, place, () => ask(place));
    }
    if (name === 'dnsmasq') await ipxe(lab);
    for (const server of servers) server.kill('SIGKILL');
  }
  await using guest = await startOvnGuest('capture');
  const common = { settings: toldByOvn, capabilities: guest.capabilities, serverMac: '0a:00:00:00:00:01' };
  const row4 = compileDhcpv4({ ...common, cidr: cidr4, gateway: '10.0.0.1', serverId: '10.0.0.1' });
  const row6 = compileDhcpv6({ ...common, cidr: cidr6 });
  const ra = 'ipv6_ra_configs:address_mode=dhcpv6_stateful ipv6_ra_configs:mtu=1400 ipv6_ra_configs:rdnss=fd00::53';
  await guest.topology.nbctl('set', 'Logical_Router_Port', 'gateway', ...ra.split(' '));
  await guest.setDhcp(4, row4);
  await recorded('udhcpc-ovn', guest, () => udhcpc(guest));
  await recorded('rdisc6-ovn', guest, () => rdisc6(guest));
  await recorded('dhclient-ovn', guest, async () => {
    const told = await dhclient(guest, 4);
    if (row6 !== undefined) await guest.setDhcp(6, row6);
    return told && (await dhclient(guest, 6));
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** What passes the client's interface while it asks. */
async function recorded(name: string, { netns, device }: ClientPlace, ask: () => Promise<unknown>): Promise<void> {
  const file = fileURLToPath(new URL(`./${name}.pcap`, import.meta.url));
  const filter = 'udp port 67 or udp port 68 or udp port 546 or udp port 547 or icmp6[0] == 133 or icmp6[0] == 134';
  await using _dump = await startTcpdump({ netns }, ['-i', device, '-w', file, filter], () => {});
  const told = await ask();
  console.log(name, told === undefined ? 'NOT ANSWERED' : 'answered');
}

async function ipxe(lab: LabSegment): Promise<void> {
  const netns = lab.netns;
  await run('ip', ['-batch', '-'], {
    netns,
    input: 'tuntap add tap0 mode tap vnet_hdr\nlink set tap0 master segment up\n',
  });
  await recorded('ipxe-dnsmasq', { netns, device: 'tap0' }, () =>
    bootByNetwork({
      place: { netns },
      tftpPlace: { netns },
      tftpServer: '10.77.0.1',
      folder: join(folder, 'pxe'),
      tap: 'tap0',
      mac,
    }),
  );
}

function started(lab: LabSegment, command: string, args: readonly string[], env = {}): ChildProcess {
  const [file, ...rest] = inPlace(command, args, { netns: lab.netns });
  return spawn(file, rest, { stdio: 'ignore', env: { ...process.env, ...env } });
}

function dnsmasq(lab: LabSegment): ChildProcess[] {
  const flags = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--port=0',
    '--no-ping',
    '--user=root',
    '--pid-file=',
  ];
  const ranges = ['--dhcp-range=10.77.0.0,static,255.255.0.0,1h', '--dhcp-range=fd77::,static,64,1h', '--enable-ra'];
  const hosts = [`--dhcp-host=${mac},${address4},[${address6}],vm-a`, '--dhcp-authoritative'];
  const options = [
    '--dhcp-option=option:router,10.77.0.1',
    '--dhcp-option=option:dns-server,10.77.0.1',
    '--dhcp-option=option:domain-search,example.com,b.example.com',
    '--dhcp-option=option:classless-static-route,10.9.0.0/16,10.77.0.7',
    '--dhcp-option=option:mtu,1400',
    '--dhcp-option=option6:dns-server,[fd77::1]',
    '--dhcp-option=option6:domain-search,example.com',
    '--dhcp-boot=tftp://10.77.0.1/script.ipxe,,10.77.0.1',
    '--ra-param=segment,mtu:1400,10,600',
  ];
  const own = ['--interface=segment', '--bind-interfaces', `--dhcp-leasefile=${join(folder, 'leases')}`];
  return [started(lab, 'dnsmasq', [...flags, ...ranges, ...hosts, ...options, ...own, '--log-facility=/dev/null'])];
}

function kea(lab: LabSegment): ChildProcess[] {
  const shared = {
    'interfaces-config': { interfaces: ['segment'] },
    'lease-database': { type: 'memfile', persist: false },
    'valid-lifetime': 3600,
    loggers: [{ name: '*', severity: 'ERROR', output_options: [{ output: 'stderr' }] }],
  };
  const v4 = {
    ...shared,
    'option-data': [
      { name: 'routers', data: '10.77.0.1' },
      { name: 'domain-name-servers', data: '10.0.0.53, 10.0.0.54' },
      { name: 'domain-search', data: 'example.com, b.example.com' },
    ],
    subnet4: [{ subnet: '10.77.0.0/16', reservations: [{ 'hw-address': mac, 'ip-address': address4 }] }],
  };
  const v6 = {
    ...shared,
    'preferred-lifetime': 1800,
    'option-data': [
      { name: 'dns-servers', data: 'fd00::53' },
      { name: 'domain-search', data: 'example.com' },
      { name: 'sntp-servers', data: 'fd00::7' },
    ],
    subnet6: [{ subnet: 'fd77::/64', interface: 'segment', pools: [{ pool: 'fd77::1000 - fd77::1fff' }] }],
    'server-id': { type: 'LL', persist: false },
    'data-directory': folder,
  };
  return [
    ['kea-dhcp4', { Dhcp4: v4 }],
    ['kea-dhcp6', { Dhcp6: v6 }],
  ].map(([program, config]) => {
    const file = join(folder, `${program}.json`);
    writeFileSync(file, JSON.stringify(config));
    return started(lab, String(program), ['-c', file], { KEA_PIDFILE_DIR: folder, KEA_LOCKFILE_DIR: folder });
  });
}
