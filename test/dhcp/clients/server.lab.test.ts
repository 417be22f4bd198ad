import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { probe } from '#dhcp/cli/probe.ts';
import { GuestBook } from '#dhcp/guests.ts';
import { type Service, serveSegment } from '#dhcp/service.ts';
import { systemClock } from '#dhcp/system-clock.ts';
import { framesTransport } from '#dhcp/transport/frames.ts';
import { socketsTransport } from '#dhcp/transport/sockets.ts';
import { run } from '#test/lab/topology/command.ts';
import { dhclient } from './dhclient.ts';
import { prepareClients } from './packages.ts';
import { attacked } from './rogue.ts';
import { type LabSegment, labSegment } from './segment.ts';
import { agentOn, guestOf, parsed, segment } from './served-segment.ts';

// How our server reaches guests, whatever they and their segment do; what it tells them is in every-setting.lab.test.ts.

const settings = parsed({
  dns: { servers: ['10.0.0.53', 'fd00::53'] },
  routes: [{ to: '10.9.0.0/16', via: '10.77.0.7' }],
  leaseSeconds: 600,
  captivePortal: 'https://p.example/',
  ra: { mode: 'stateless', pref64: '64:ff9b::/96', routes: [{ prefix: 'fd05::/48', preference: 'low' }] },
});
const guestA = guestOf(10, settings, 'vm-a');
const { mac: macA } = guestA;
const macRogue = '52:54:00:00:00:66';

let lab: LabSegment;
let a: { readonly netns: string; readonly device: string };
let rogue: { readonly netns: string; readonly device: string };
let book: GuestBook;
let service: Service;

beforeAll(async () => {
  await prepareClients();
  lab = await labSegment('dhcptest');
  rogue = await lab.guest('rogue', macRogue);
  book = new GuestBook([guestA]);
  service = agent('0a:00:00:00:00:01', book);
  await service.ready;
});
afterAll(async () => {
  await service.close();
  await lab[Symbol.asyncDispose]();
});
// A client leaves addresses and settings of the kernel behind: each test has a new guest.
beforeEach(async () => {
  a = await lab.guest('a', macA);
});

function agent(mac: string, guests: GuestBook): Service {
  return agentOn(lab, mac, guests, settings);
}

test('dhclient, which may do without IPv4, does so when told (RFC 8925)', async () => {
  book.set({ ...guestA, settings: { ...settings, ipv6OnlyPreferredSeconds: 1800 } });
  try {
    const acknowledged = service.tally.get('dhcpv4.sent.ACK');
    expect(await dhclient(a, 4, { seconds: 2 })).toBeUndefined();
    expect(service.tally.get('dhcpv4.sent.ACK')).toBe(acknowledged);
    expect(await probe({ device: 'eth0', netns: a.netns, seconds: 1 })).toMatch(/IPv6-only preferred \(108\) +1800 s/);
  } finally {
    book.set(guestA);
  }
});

test('a guest keeps its addresses when it moves to another node of the segment', async () => {
  const elsewhere = new GuestBook();
  const other = agent('0a:00:00:00:00:02', elsewhere);
  await other.ready;
  try {
    const before = [await dhclient(a, 4), await dhclient(a, 6)];
    elsewhere.set(guestA);
    book.delete(macA);
    const after = [await dhclient(a, 4), await dhclient(a, 6)];
    expect(after.map((lease) => [lease?.ip_address, lease?.ip6_address])).toEqual(
      before.map((lease) => [lease?.ip_address, lease?.ip6_address]),
    );
    expect(other.tally.get('dhcpv4.sent.ACK')).toBeGreaterThan(0);
  } finally {
    book.set(guestA);
    await other.close();
  }
});

test('a transport whose device is taken away is opened again', async () => {
  const opened = service.tally.get('transport.opened') ?? 0;
  await run('ip', ['link', 'del', 'hwd0a0000000001'], { netns: lab.netns });
  await expect.poll(() => service.tally.get('transport.opened'), { timeout: 30_000 }).toBe(opened + 1);
  expect(await dhclient(a, 4)).toMatchObject({ ip_address: '10.77.0.10' });
});

test('over sockets, guests without an address are reached by unicast', async () => {
  await using own = await labSegment('dhcptest-sockets');
  const { netns } = await own.guest('s', '0a:00:00:00:00:05');
  const client = await own.guest('c', macA);
  await run('ip', ['addr', 'add', '10.77.0.2/16', 'dev', 'eth0'], { netns });
  const guests = new GuestBook([guestA]);
  const open = socketsTransport({ device: 'eth0', netns, serverId: '10.77.0.2', guests });
  const sockets = serveSegment({ segment, guests, open, clock: systemClock });
  await sockets.ready;
  try {
    expect(await dhclient(client, 4)).toMatchObject({
      ip_address: '10.77.0.10',
      routers: '10.77.0.1',
      host_name: 'vm-a',
    });
    expect(await dhclient(client, 6)).toMatchObject({ ip6_address: 'fd77::a' });
    const neighbours = await run('ip', ['neigh', 'show', 'dev', 'eth0'], { netns });
    expect(neighbours).toContain(`10.77.0.10 lladdr ${macA} PERMANENT`);
  } finally {
    await sockets.close();
  }
});

test('guests whose macvtaps share a parent with ours are answered, and by no bridge', async () => {
  await using own = await labSegment('dhcptest-macvlan');
  // A veth pair's end stands for the uplink; the guest's macvlan and our macvtap are both on it.
  const { netns } = await own.guest('host', '0a:00:00:00:00:06');
  const guestNs = await own.guest('inside', '0a:00:00:00:00:07');
  await run('ip', ['link', 'del', 'eth0'], guestNs);
  await run('ip', ['-batch', '-'], {
    netns,
    input: `link add link eth0 name g0 address ${macA} type macvlan mode bridge\nlink set g0 netns ${guestNs.netns} name eth0\n`,
  });
  await run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up'], guestNs);
  const guests = new GuestBook([guestA]);
  const open = framesTransport({ parent: 'eth0', netns, mac: '0a:00:00:00:00:08', serverId: '10.77.0.2', guests });
  const server = serveSegment({ segment, guests, open, clock: systemClock });
  await server.ready;
  try {
    expect(await dhclient(guestNs, 4)).toMatchObject({ ip_address: '10.77.0.10' });
    expect(await dhclient(guestNs, 6)).toMatchObject({ ip6_address: 'fd77::a' });
  } finally {
    await server.close();
  }
});

test('the probe describes what a segment offers', async () => {
  const said = await probe({ device: 'eth0', netns: a.netns, seconds: 1 });
  for (const part of [
    'DHCPv4 OFFER',
    '10.77.0.10',
    'captive portal (114)',
    'DHCPv6 ADVERTISE',
    'fd77::a, for 600 s',
    'router advertisement from fe80::fe (0a:00:00:00:00:fe)',
    'fd05::/48, preference low, ever',
    '64:ff9b::/96, for 1800 s',
  ]) {
    expect(said).toContain(part);
  }
});

test('a rogue that forges, starves and floods 10,000 packets/s gets nothing and delays nobody', {
  timeout: 60_000,
}, async () => {
  const { sent, seen, asked, waitsMs } = await attacked({ victim: a, mac: macA, rogueNetns: rogue.netns, seconds: 3 });
  expect(sent).toBeGreaterThan(25_000);
  expect(seen).toBe(0);
  // The bench has the figures that count (99 %, 20 ms). Here other tests' programs take part, and what comes while this process is
  // off its core for longer than the 0.2 s of a flood that are kept, is lost.
  expect(waitsMs.length).toBeGreaterThanOrEqual(asked * 0.9);
  expect(waitsMs[Math.floor(waitsMs.length * 0.99)]).toBeLessThanOrEqual(500);
  expect(service.tally.get('dhcpv4.silent.forgedChaddr')).toBeGreaterThan(1000);
  expect(service.tally.get('dhcpv4.malformed.optionOverrun')).toBeGreaterThan(1000);
});
