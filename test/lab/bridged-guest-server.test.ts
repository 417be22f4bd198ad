import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GuestBinding, GuestBook, type Segment } from '#dhcp/guests.ts';
import { serverDuid } from '#dhcp/server-duid.ts';
import { type Service, serveSegment } from '#dhcp/service.ts';
import { parseGuestSettings } from '#dhcp/settings.ts';
import { systemClock } from '#dhcp/system-clock.ts';
import { framesTransport } from '#dhcp/transport/frames.ts';
import { bootByNetwork } from '#test/dhcp/clients/pxe.ts';
import { type GuestImage, prepareGuest } from '#test/lab/guest/guest.ts';
import { askGuest } from '#test/lab/guest/report-port.ts';
import { type BridgedHosts, startBridgedHosts } from '#test/lab/qemu/bridged-hosts.ts';
import { type MachineOptions, startMachine } from '#test/lab/qemu/machine.ts';
import { prepare } from '#test/setup/prepare.ts';

// A plain Linux bridge segment across two hosts, without OVN. Each host has a server of ours that knows its own guests only.

const mac = '02:48:57:00:00:07';
const segment: Segment = {
  name: 'bridged',
  subnets: ['10.9.0.0/24', 'fd00:9::/64'],
  gateways: ['10.9.0.1', 'fd00:9::1'],
  mtu: 1400,
  serverId: '10.9.0.2',
  serverDuid: serverDuid('bridged'),
  relays: [],
  trustDuid: false,
};
const { settings } = parseGuestSettings({
  leaseSeconds: 60,
  renewSeconds: 2,
  rebindSeconds: 4,
  boot: { nextServer: '10.9.0.1', tftpServer: 'tftp.example', ipxeUrl: 'tftp://10.9.0.1/script.ipxe', file: 'other' },
});
const guest: GuestBinding = { mac, addresses: ['10.9.0.77', 'fd00:9::77'], hostName: 'db', settings: settings ?? {} };

let image: GuestImage;
let hosts: BridgedHosts;
const books = { a: new GuestBook([guest]), b: new GuestBook() };
let servers: { readonly a: Service; readonly b: Service };

beforeAll(async () => {
  await prepare({ log: console.log });
  image = await prepareGuest(() => {});
  hosts = await startBridgedHosts(['a', 'b'], { isSilent: true });
  servers = { a: serverOn('a', '0a:00:00:00:00:0a'), b: serverOn('b', '0a:00:00:00:00:0b') };
  await Promise.all([servers.a.ready, servers.b.ready]);
});
afterAll(async () => {
  await Promise.all([servers?.a.close(), servers?.b.close()]);
  await hosts?.[Symbol.asyncDispose]();
});

function serverOn(host: 'a' | 'b', own: string): Service {
  const open = framesTransport({
    parent: 'br0',
    netns: hosts.netnsOf(host),
    mac: own,
    serverId: '10.9.0.2',
    guests: books[host],
    router: { mac: hosts.routerMac, linkLocal: hosts.routerLinkLocal },
  });
  const advertising = { settings: guest.settings, isRouter: true };
  return serveSegment({ segment, guests: books[host], open, advertising, clock: systemClock });
}

test('a PXE ROM boots by network with what our server tells it', async () => {
  const [place, tftpPlace] = [hosts.netnsOf('a'), hosts.router].map((netns) => ({ netns, env: hosts.env }));
  const folder = `${hosts.folder}/pxe`;
  const seen = await bootByNetwork({
    place: place ?? {},
    tftpPlace: tftpPlace ?? {},
    folder,
    tap: 'tap0',
    mac,
    tftpServer: '10.9.0.1',
  });
  expect(seen).toBe('seen/db/255.255.255.0/10.9.0.1/10.9.0.1/tftp.example/tftp://10.9.0.1/script.ipxe');
});

test('a guest has its addresses from the server of its host and keeps them across a live migration', async () => {
  const source = await startMachine(optionsOn('a'));
  const isConfigured = { until: ({ ipv4, ipv6 }: Addresses) => ipv4.length > 0 && ipv6.length > 0 };
  const before = await askGuest(source.reportSocket, isConfigured);
  expect(before).toMatchObject({ ipv4: ['10.9.0.77/24'], mtu: 1400 });
  expect(before.ipv6.join()).toContain('fd00:9::77/');
  expect(servers.b.tally.get('dhcpv4.silent.notOurGuest')).toBeGreaterThan(0);

  const target = await startMachine({ ...optionsOn('b'), incoming: { postCopy: false } });
  books.b.set(guest);
  const outcome = await source.migrateTo(target, {}).outcome;
  expect(outcome.status).toBe('completed');
  await source.kill();
  books.a.delete(mac);

  const answered = servers.a.tally.get('dhcpv4.sent.ACK');
  const acknowledgedByB = servers.b.tally.get('dhcpv4.sent.ACK') ?? 0;
  // What the guest's neighbour cache forgets by itself within a minute.
  await typeAt(target.consoleSocket, 'ip neigh flush all; kill -USR1 $(pidof udhcpc)');
  await expect
    .poll(() => servers.b.tally.get('dhcpv4.sent.ACK') ?? 0, { timeout: 15_000 })
    .toBeGreaterThan(acknowledgedByB);
  await expect.poll(() => servers.b.tally.get('dhcpv6.received.RENEW') ?? 0, { timeout: 15_000 }).toBeGreaterThan(0);
  const after = await askGuest(target.reportSocket, isConfigured);
  expect([after.ipv4, after.ipv6]).toEqual([before.ipv4, before.ipv6]);
  expect(servers.a.tally.get('dhcpv4.sent.ACK')).toBe(answered);
  await target.kill();
});

type Addresses = { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };

function optionsOn(host: 'a' | 'b'): MachineOptions {
  return {
    name: `guest on ${host}`,
    folder: `${hosts.folder}/${host}`,
    place: { netns: hosts.netnsOf(host), env: hosts.env },
    image,
    nics: [{ tap: 'tap0', mac }],
  };
}

async function typeAt(socketPath: string, line: string): Promise<void> {
  const console = connect(socketPath);
  await new Promise((resolve) => console.once('connect', resolve));
  await new Promise((resolve) => console.write(`${line}\n`, resolve));
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.destroy();
}
