import { expect, test } from 'vitest';
import { addressBytes, ipv4Number } from '#dhcp/address.ts';
import { GuestBook } from '#dhcp/guests.ts';
import { describeAdvertisement, describeDhcpv4, describeDhcpv6 } from '#dhcp/probe/describe.ts';
import { routerSolicitation } from '#dhcp/probe/requests.ts';
import { advertisementOf } from '#dhcp/server/advertisement.ts';
import { segmentServer } from '#dhcp/server/segment-server.ts';
import { Counter } from '#dhcp/server/tally.ts';
import { ascii, fromHex } from '#dhcp/wire/bytes.ts';
import { decodeDhcpv4 } from '#dhcp/wire/dhcpv4-message.ts';
import { decodeDhcpv6, encodeRelay, MessageType6 } from '#dhcp/wire/dhcpv6-message.ts';
import { decodedDomains } from '#dhcp/wire/domain-name.ts';
import { parseFrame, udp4Frame, udp6Frame } from '#dhcp/wire/frame.ts';
import {
  decodeRouterAdvertisement,
  decodeRouterSolicitation,
  encodeRouterAdvertisement,
} from '#dhcp/wire/router-advertisement.ts';
import {
  address,
  clientId,
  guest,
  iaNa,
  linkLocalA,
  list,
  macA,
  oro,
  request4,
  request6,
  requested,
  segment,
  serverId6,
  serverIdOption,
} from '../server/packets.ts';
import { fuzz } from './outcome-guided.ts';

// No input makes a parser or the server throw, hang, answer at too great a length or change a binding.

const settings = {
  dns: { servers: ['10.0.0.53', 'fd00::53'], search: ['example.com'] },
  domain: 'example.com',
  boot: { file: 'x', byArchitecture: [{ architecture: 7, file: 'y' }] },
};
const boot: [number, Uint8Array][] = [
  [60, ascii('PXEClient:Arch:00000')],
  [93, fromHex('0007')],
  [97, fromHex('0001')],
];
const seeds4 = [
  request4(1, [
    list(1, 3, 6, 12, 15, 26, 119, 121),
    [61, fromHex('01525400000000')],
    [57, fromHex('05dc')],
    [81, fromHex('04000001610162')],
  ]),
  request4(1, [list(66, 67), ...boot, [52, Uint8Array.of(3)]]),
  request4(3, [serverIdOption(), requested(address.a)]),
  request4(3, [], { ciaddr: address.a }),
  request4(8, [[82, fromHex('0104000102030504 0a4d0001'.replace(' ', ''))]], {
    ciaddr: address.a,
    giaddr: ipv4Number('10.77.0.9'),
  }),
  request4(4, [serverIdOption()]),
];
const inner = request6(
  1,
  clientId,
  iaNa(0, 'fd77::a'),
  oro(23, 24, 39),
  { code: 39, content: fromHex('0104766d2d61') },
  { code: 14, content: new Uint8Array() },
);
const layer = {
  hopCount: 0,
  linkAddress: addressBytes('fd77::1'),
  peerAddress: addressBytes(linkLocalA),
  options: [{ code: 18, content: ascii('p') }],
};
const relayed = encodeRelay(MessageType6.relayForward, layer, inner);
const seeds6 = [
  inner,
  request6(
    3,
    clientId,
    serverId6,
    iaNa(1, 'fd77::a'),
    { code: 25, content: new Uint8Array(12) },
    { code: 4, content: new Uint8Array(4) },
  ),
  request6(4, clientId, iaNa(1, 'fd77::a')),
  request6(8, clientId, serverId6, iaNa(1, 'fd77::a')),
  request6(11, clientId, oro(82, 83)),
  relayed,
  encodeRelay(MessageType6.relayForward, { ...layer, hopCount: 1 }, relayed),
];

const longestAnswer = 1472;

test('DHCPv4: 500,000 inputs', { timeout: 120_000 }, () => {
  const guests = new GuestBook([guest(settings)]);
  const before = [...guests.byMac];
  const server = segmentServer(segment, guests, new Counter());
  let longest = 0;
  let lastSize = 0;
  const way = {
    sendDhcpv4(bytes: Uint8Array): void {
      longest = Math.max(longest, bytes.length);
      lastSize = bytes.length;
      if (bytes[0] !== 2) throw new Error('the server sent a request');
    },
    sendDhcpv6(): void {},
  };
  const result = fuzz(
    (input) => {
      lastSize = 0;
      server.dhcpv4(input, { mac: macA, address: '0.0.0.0', port: 68 }, way);
      const message = decodeDhcpv4(input);
      if (typeof message === 'string') return message;
      describeDhcpv4(message);
      return `${lastSize} ${[...message.options.keys()].slice(0, 3).join()}`;
    },
    { seeds: seeds4, inputs: 500_000, seed: 1 },
  );
  expect(result.inputs).toBe(500_000);
  expect(result.outcomes.size).toBeGreaterThan(10);
  expect(result.slowestMs).toBeLessThan(1000);
  expect(longest).toBeLessThanOrEqual(longestAnswer);
  expect([...guests.byMac]).toEqual(before);
});

test('DHCPv6: 400,000 inputs', { timeout: 120_000 }, () => {
  const guests = new GuestBook([guest(settings)]);
  const before = [...guests.byMac];
  const server = segmentServer(segment, guests, new Counter());
  const way = {
    sendDhcpv4(): void {},
    sendDhcpv6(bytes: Uint8Array): void {
      if (![2, 7, 13].includes(bytes[0] ?? 0)) throw new Error('the server sent a request');
    },
  };
  const result = fuzz(
    (input) => {
      server.dhcpv6(input, { mac: macA, address: 'fd77::9', port: 546 }, way);
      const packet = decodeDhcpv6(input);
      if (typeof packet === 'string') return packet;
      describeDhcpv6(packet.message);
      return `${packet.relays.length} ${packet.message.type} ${packet.message.options.slice(0, 2).map(({ code }) => code)}`;
    },
    { seeds: seeds6, inputs: 400_000, seed: 2 },
  );
  expect(result.inputs).toBe(400_000);
  expect(result.outcomes.size).toBeGreaterThan(10);
  expect(result.slowestMs).toBeLessThan(1000);
  expect([...guests.byMac]).toEqual(before);
});

test('neighbour discovery, frames and names: 200,000 inputs', { timeout: 120_000 }, () => {
  const ra = encodeRouterAdvertisement(
    advertisementOf(
      { ...settings, captivePortal: 'https://p/', ra: { pref64: '64:ff9b::/96', routes: [{ prefix: 'fd05::/48' }] } },
      segment,
      true,
    ),
  );
  const [from, to] = [
    { mac: macA, address: addressBytes('10.0.0.1'), port: 68 },
    { mac: macA, address: addressBytes('10.0.0.2'), port: 67 },
  ];
  const [from6, to6] = [
    { ...from, address: addressBytes('fe80::1') },
    { ...to, address: addressBytes('fe80::2') },
  ];
  const names = fromHex('0361626303636f6d0002646500c004c000');
  const seeds = [
    ra,
    routerSolicitation(macA),
    udp4Frame(from, to, seeds4[0] ?? ra),
    udp6Frame(from6, to6, inner),
    names,
  ];
  const result = fuzz(
    (input) => {
      const solicitation = decodeRouterSolicitation(input, { hopLimit: 255, sourceIsUnspecified: false });
      const advertisement = decodeRouterAdvertisement(input);
      if (typeof advertisement !== 'string') describeAdvertisement(advertisement, 'fe80::1');
      const frame = parseFrame(input);
      const names = decodedDomains(input);
      return `${typeof solicitation} ${typeof advertisement} ${frame?.kind} ${names?.length}`;
    },
    { seeds, inputs: 200_000, seed: 3 },
  );
  expect(result.inputs).toBe(200_000);
  expect(result.outcomes.size).toBeGreaterThan(10);
  expect(result.slowestMs).toBeLessThan(1000);
});

test('every prefix of every seed is refused or answered, never thrown at', () => {
  const server = segmentServer(segment, new GuestBook([guest(settings)]), new Counter());
  const way = { sendDhcpv4(): void {}, sendDhcpv6(): void {} };
  let tried = 0;
  for (const seed of [...seeds4, ...seeds6]) {
    for (let length = 0; length <= seed.length; length++) {
      server.dhcpv4(seed.subarray(0, length), { mac: macA, address: '0.0.0.0', port: 68 }, way);
      server.dhcpv6(seed.subarray(0, length), { mac: macA, address: 'fd77::9', port: 546 }, way);
      tried++;
    }
  }
  expect(tried).toBeGreaterThan(2000);
});
