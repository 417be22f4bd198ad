import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentOffer } from '#dhcp/cli/agent-offer.ts';
import { dhclient } from '#test/dhcp/clients/dhclient.ts';
import { prepareClients } from '#test/dhcp/clients/packages.ts';
import { run } from '#test/lab/topology/command.ts';
import { type Bed, type BedPod, startBed } from './bed.ts';
import { makePort, network } from './lab-ports.ts';
import { outsideLink } from './outside-link.ts';

// A network with `guest.service: server` on real OVN: the rows are those the controller writes, by hand.

const serverPort = 'net/dhcp';
const settings = {
  service: 'server',
  dns: { servers: ['10.0.0.53', 'fd00::53'], search: ['example.com'] },
  leaseSeconds: 600,
  captivePortal: 'https://p.example/',
  ra: { pref64: '64:ff9b::/96' },
};

let bed: Bed;
let vm: BedPod;

beforeAll(async () => {
  await prepareClients();
  const guestLinks = [
    { physicalNetwork: 'storage', vlan: 100, device: 'br-storage' },
    ...[100, 200].map((vlan) => ({ physicalNetwork: 'trunk', vlan, device: `trunk${vlan}` })),
  ];
  bed = await startBed(2, { guestLinks });
  await bed.topology.nbctl(
    ...['lsp-add', network.switch, serverPort, '--', 'lsp-set-type', serverPort, 'localport'],
    ...['--', 'lsp-set-addresses', serverPort, '0a:00:00:00:00:dd'],
  );
  vm = await bed.pod('node-a', {
    attach: 'managedTap',
    name: 'vm/default/db',
    externalIds: {
      'hawser:guest-server': `${serverPort} 0a:00:00:00:00:dd 0a:58:0a:f4:00:01`,
      'hawser:guest': JSON.stringify({ hostName: 'db', network: settings, own: { ntp: ['10.0.0.7'] } }),
    },
  });
  await makePort(bed.topology, vm.port);
});
afterAll(() => bed?.[Symbol.asyncDispose]());

/** The pod's NIC is silent, for the guest's sake: here it plays the guest. */
async function asGuest(netns: string): Promise<{ readonly netns: string; readonly device: string }> {
  await run('sysctl', ['-qw', 'net.ipv6.conf.eth0.accept_dad=0', 'net.ipv6.conf.eth0.disable_ipv6=0'], { netns });
  await run('ip', ['link', 'set', 'eth0', 'arp', 'on'], { netns });
  return { netns, device: 'eth0' };
}

test('the node a guest runs on answers it, over IPv4 and IPv6', async () => {
  await vm.sandbox.add();
  const guest = await asGuest(vm.sandbox.netns);
  expect(await dhclient(guest, 4)).toMatchObject({
    ip_address: vm.ipv4,
    subnet_mask: '255.255.0.0',
    routers: '10.244.0.1',
    dhcp_server_identifier: '10.244.0.1',
    domain_name_servers: '10.0.0.53',
    domain_search: 'example.com.',
    host_name: 'db',
    interface_mtu: '1400',
    captive_portal: 'https://p.example/',
    ntp_servers: '10.0.0.7',
    dhcp_lease_time: '600',
  });
  expect(await dhclient(guest, 6)).toMatchObject({ ip6_address: vm.ipv6, dhcp6_name_servers: 'fd00::53' });
  const seen = (await run('rdisc6', ['-1', '-w', '3000', 'eth0'], guest)).replaceAll(/ +/g, ' ');
  expect(seen).toContain('Stateful address conf. : Yes');
  expect(seen).toContain('Prefix : fd00:10:244::/64');
  expect(seen).toContain('from fe80::858:aff:fef4:1');
});

test('the command says what a VM would be offered on the node of an agent', async () => {
  const said = await agentOffer(bed.agent('node-a').socket, 'default/db');
  expect(said).toMatch(/^segment net\/dhcp\nDHCPv4 OFFER/);
  await expect(agentOffer('/nowhere', 'default/db')).rejects.toThrow('--agent: /nowhere');
  await expect(agentOffer(bed.agent('node-b').socket, 'default/db')).rejects.toThrow(
    '--vm: port vm/default/db is not requested for this node: nobody here answers it',
  );
});

test('the agent says what a guest would be offered on its node, and counts what it answered', async () => {
  const { body } = await bed.agent('node-a').send('GET', `/offers/${vm.port.name}`);
  const inTheRoutersName = 'router advertisement from fe80::858:aff:fef4:1';
  for (const part of ['DHCPv4 OFFER', vm.ipv4, 'captive portal (114)', 'DHCPv6 ADVERTISE', vm.ipv6, inTheRoutersName]) {
    expect(body).toContain(part);
  }
  expect((await bed.agent('node-b').send('GET', `/offers/${vm.port.name}`)).status).toBe(404);
  const metrics = (await bed.agent('node-a').send('GET', '/metrics')).body;
  expect(metrics).toMatch(/hawser_guest_server_events_total\{segment="net\/dhcp",event="dhcpv4\.sent\.ACK"\} [1-9]/);
});

test('a guest that moves is told the same by its new node, and the old one takes its server away', async () => {
  const before = await dhclient(await asGuest(vm.sandbox.netns), 4);
  await bed.topology.nbctl('lsp-set-options', vm.port.name, 'requested-chassis=node-b');
  const target = await bed.pod('node-b', vm.port);
  await bed.topology.nbctl(
    ...['set', 'Logical_Switch_Port', vm.port.name, `external_ids:"hawser:pod:${target.sandbox.uid}"="eth0"`],
  );
  await target.sandbox.add();
  const after = await dhclient(await asGuest(target.sandbox.netns), 4);
  expect(after?.ip_address).toBe(before?.ip_address);
  expect(after?.dhcp_server_identifier).toBe(before?.dhcp_server_identifier);
  await expect.poll(() => bed.interfacesFor('node-a', serverPort), { timeout: 30_000 }).toEqual([]);
  expect(await bed.devices('node-a')).not.toContainEqual(expect.stringMatching(/^h[dg][0-9a-f]{12}$/));
  expect(await bed.interfacesFor('node-b', serverPort)).toHaveLength(1);
});

test('a guest whose NIC is on a link outside of br-int is answered by its node, and nobody else there hears of it', async () => {
  const link = await outsideLink(bed.topology, 'br-storage');
  const outside = await bed.pod('node-a', {
    attach: 'outside',
    name: 'vm/default/db/storage',
    externalIds: {
      'hawser:guest-server': 'net/storage/dhcp storage 100',
      'hawser:guest': JSON.stringify({ hostName: 'db', network: settings, own: {} }),
    },
  });
  await makePort(bed.topology, outside.port);
  const stranger = await link.machine('node-a', 'stranger', '0a:58:0a:00:00:99');
  const before = await link.machine('node-a', 'before', outside.mac);
  const heard = run('timeout', ['6', 'tcpdump', '-lnni', 'eth0', 'udp port 68 or udp port 546 or icmp6[0] == 134'], {
    netns: stranger.netns,
  }).catch(() => '');
  const told = {
    ip_address: outside.ipv4,
    routers: '10.244.0.1',
    host_name: 'db',
    captive_portal: 'https://p.example/',
  };
  expect(await dhclient(before, 4)).toMatchObject(told);
  expect(await dhclient(before, 6)).toMatchObject({ ip6_address: outside.ipv6, dhcp6_name_servers: 'fd00::53' });
  const seen = (await run('rdisc6', ['-1', '-w', '3000', 'eth0'], before)).replaceAll(/ +/g, ' ');
  expect(seen).toContain('Stateful address conf. : Yes');
  expect(seen).toContain('Router lifetime : 0 ');
  // The gateway is a real machine's: nobody here says he is it.
  await run('ip', ['addr', 'add', `${outside.ipv4}/16`, 'dev', 'eth0'], before);
  await run('sh', ['-c', 'ping -c 1 -W 1 10.244.0.1 || true'], before);
  expect(await run('ip', ['neigh', 'show', 'to', '10.244.0.1', 'dev', 'eth0'], before)).toMatch(/FAILED|INCOMPLETE/);
  expect((await dhclient(stranger, 4, { seconds: 2 }))?.ip_address).toBeUndefined();

  await bed.topology.nbctl('lsp-set-options', outside.port.name, 'requested-chassis=node-b');
  await run('ip', ['link', 'del', 'eth0'], before);
  const after = await link.machine('node-b', 'after', outside.mac);
  expect(await dhclient(after, 4)).toMatchObject(told);
  expect(await dhclient(after, 6)).toMatchObject({ ip6_address: outside.ipv6 });
  const tapsOn = async (node: string) => (await bed.devices(node)).filter((device) => device.startsWith('hwd'));
  await expect.poll(() => tapsOn('node-a'), { timeout: 30_000 }).toEqual([]);
  expect(await bed.interfacesFor('node-b', outside.port.name)).toEqual([]);
  expect(await heard).toBe('');
});

test('an agent without a device for a link says so, and answers as soon as the row names one it has', async () => {
  const ids = { 'hawser:guest': JSON.stringify({ network: settings, own: {} }) };
  const unknown = await bed.pod('node-b', {
    attach: 'outside',
    name: 'vm/default/db/backup',
    externalIds: { ...ids, 'hawser:guest-server': 'net/backup/dhcp backup' },
  });
  await makePort(bed.topology, unknown.port);
  const failed = /segment="net\/backup\/dhcp",event="transport\.failed"\} [1-9]/;
  await expect
    .poll(async () => (await bed.agent('node-b').send('GET', '/metrics')).body, { timeout: 30_000 })
    .toMatch(failed);
  await bed.topology.nbctl(
    ...[
      'set',
      'Logical_Switch_Port',
      unknown.port.name,
      'external_ids:"hawser:guest-server"="net/storage/dhcp storage 100"',
    ],
  );
  const offered = async () => (await bed.agent('node-b').send('GET', `/offers/${unknown.port.name}`)).body;
  await expect.poll(offered, { timeout: 30_000 }).toContain('segment net/storage/dhcp');
});

// Not every kernel has VLAN devices; Open vSwitch tags as well. The agent has an untagged device for each VLAN either way.
test('of two VLANs on one wire each has its own server, which hears nothing of the other', async () => {
  const { netns, vsctl } = bed.topology.node('node-a');
  const ip = (...lines: readonly string[]) => run('ip', ['-batch', '-'], { netns, input: `${lines.join('\n')}\n` });
  await ip('link add near type veth peer name far', 'link set near up', 'link set far up');
  for (const [bridge, wire] of [
    ['br-near', 'near'],
    ['br-far', 'far'],
  ] as const) {
    await vsctl('add-br', bridge, '--', 'set', 'Bridge', bridge, 'datapath_type=netdev');
    await vsctl('add-port', bridge, wire, 'vlan_mode=trunk', 'trunks=100,200');
  }
  const guests = [];
  for (const vlan of [100, 200]) {
    await ip(
      `link add trunk${vlan} type veth peer name near${vlan}`,
      `link set trunk${vlan} up`,
      `link set near${vlan} up`,
    );
    await vsctl('add-port', 'br-near', `near${vlan}`, `tag=${vlan}`);
    const guest = await bed.pod('node-a', {
      attach: 'outside',
      name: `vm/default/db/trunk${vlan}`,
      externalIds: {
        'hawser:guest-server': `net/trunk${vlan}/outside trunk ${vlan}`,
        'hawser:guest': JSON.stringify({ hostName: 'db', network: settings, own: {} }),
      },
    });
    await makePort(bed.topology, guest.port);
    guests.push({ ...guest, vlan });
  }
  const plugged = async (mac: string, vlan: number) => {
    const name = `v${vlan}-${mac.slice(-2)}`;
    const place = { netns: await bed.topology.addNamespace(name), device: 'eth0' };
    await ip(`link add ${name} type veth peer name eth0 address ${mac} netns ${place.netns}`, `link set ${name} up`);
    await run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up'], place);
    await run('ethtool', ['-K', 'eth0', 'tx', 'off'], place);
    await vsctl('add-port', 'br-far', name, `tag=${vlan}`);
    return place;
  };
  for (const { mac, ipv4, ipv6, vlan } of guests) {
    const here = await plugged(mac, vlan);
    expect(await dhclient(here, 4)).toMatchObject({ ip_address: ipv4, host_name: 'db' });
    expect(await dhclient(here, 6)).toMatchObject({ ip6_address: ipv6 });
  }
  const ofOtherVlan = guests[0]?.mac ?? '';
  expect((await dhclient(await plugged(ofOtherVlan, 200), 4, { seconds: 2 }))?.ip_address).toBeUndefined();
});
