import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GuestBinding, GuestBook, type Segment } from '#dhcp/guests.ts';
import { serverDuid } from '#dhcp/server-duid.ts';
import { type Service, serveSegment } from '#dhcp/service.ts';
import { parseGuestSettings } from '#dhcp/settings.ts';
import { systemClock } from '#dhcp/system-clock.ts';
import { framesTransport } from '#dhcp/transport/frames.ts';
import { type BridgedHosts, startBridgedHosts } from '#test/lab/qemu/bridged-hosts.ts';
import { prepare } from '#test/setup/prepare.ts';
import { bootByNetwork } from './pxe.ts';

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
  boot: { nextServer: '10.9.0.1', tftpServer: 'tftp.example', ipxeUrl: 'tftp://10.9.0.1/script.ipxe', file: 'other' },
});
const guest: GuestBinding = { mac, addresses: ['10.9.0.77', 'fd00:9::77'], hostName: 'db', settings: settings ?? {} };

let hosts: BridgedHosts;
let server: Service;

beforeAll(async () => {
  await prepare({ log: console.log });
  hosts = await startBridgedHosts(['a'], { isSilent: true });
  const guests = new GuestBook([guest]);
  const open = framesTransport({
    parent: 'br0',
    netns: hosts.netnsOf('a'),
    mac: '0a:00:00:00:00:0a',
    serverId: '10.9.0.2',
    guests,
    router: { mac: hosts.routerMac, linkLocal: hosts.routerLinkLocal },
  });
  server = serveSegment({ segment, guests, open, clock: systemClock });
  await server.ready;
});
afterAll(async () => {
  await server?.close();
  await hosts?.[Symbol.asyncDispose]();
});

test('a PXE ROM boots by network with what our server tells it', async () => {
  const [place, tftpPlace] = [hosts.netnsOf('a'), hosts.router].map((netns) => ({ netns, env: hosts.env }));
  const seen = await bootByNetwork({
    place: place ?? {},
    tftpPlace: tftpPlace ?? {},
    folder: `${hosts.folder}/pxe`,
    tap: 'tap0',
    mac,
    tftpServer: '10.9.0.1',
  });
  expect(seen).toBe('seen/db/255.255.255.0/10.9.0.1/10.9.0.1/tftp.example/tftp://10.9.0.1/script.ipxe');
});
