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
import { capturedPayloads, captures } from '../captures/captures.ts';
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
import type { FuzzTarget } from './coverage-guided.ts';

// What guests send, into everything that reads it: nothing throws, answers stay short and bindings what they are.

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

/** Of a whole message without its headers, bytes. */
const longestAnswer = 1472;

function dhcpv4(): FuzzTarget {
  const server = watchedServer();
  const seeds = [
    request4(1, [
      list(1, 3, 6, 12, 15, 26, 119, 121),
      [61, fromHex('01525400000000')],
      [57, fromHex('05dc')],
      [81, fromHex('04000001610162')],
    ]),
    request4(1, [list(66, 67), ...boot, [52, Uint8Array.of(3)]]),
    request4(3, [serverIdOption(), requested(address.a)]),
    request4(3, [], { ciaddr: address.a }),
    request4(8, [[82, fromHex('01040001020305040a4d0001')]], { ciaddr: address.a, giaddr: ipv4Number('10.77.0.9') }),
    request4(4, [serverIdOption()]),
    ...capturedPayloads('udp4'),
  ];
  return {
    seeds,
    feed(input) {
      server.dhcpv4(input);
      const message = decodeDhcpv4(input);
      if (typeof message !== 'string') describeDhcpv4(message);
    },
  };
}

function dhcpv6(): FuzzTarget {
  const server = watchedServer();
  const seeds = [
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
    ...capturedPayloads('udp6'),
  ];
  return {
    seeds,
    feed(input) {
      server.dhcpv6(input);
      const packet = decodeDhcpv6(input);
      if (typeof packet !== 'string') describeDhcpv6(packet.message);
    },
  };
}

function neighbourDiscovery(): FuzzTarget {
  const told = {
    ...settings,
    captivePortal: 'https://p/',
    ra: { pref64: '64:ff9b::/96', routes: [{ prefix: 'fd05::/48' }] },
  };
  return {
    seeds: [
      encodeRouterAdvertisement(advertisementOf(told, segment, true)),
      routerSolicitation(macA),
      ...capturedPayloads('icmp6'),
    ],
    feed(input) {
      decodeRouterSolicitation(input, { hopLimit: 255, sourceIsUnspecified: false });
      decodeRouterSolicitation(input, { hopLimit: 255, sourceIsUnspecified: true });
      const advertisement = decodeRouterAdvertisement(input);
      if (typeof advertisement !== 'string') describeAdvertisement(advertisement, { address: 'fe80::1' });
    },
  };
}

function frames(): FuzzTarget {
  const [from, to] = [
    { mac: macA, address: addressBytes('10.0.0.1'), port: 68 },
    { mac: macA, address: addressBytes('10.0.0.2'), port: 67 },
  ];
  const [from6, to6] = [
    { ...from, address: addressBytes('fe80::1') },
    { ...to, address: addressBytes('fe80::2') },
  ];
  return {
    seeds: [
      udp4Frame(from, to, request4(1)),
      udp6Frame(from6, to6, inner),
      fromHex('0361626303636f6d0002646500c004c000'),
      ...captures().map(({ frame }) => frame),
    ],
    feed(input) {
      parseFrame(input);
      decodedDomains(input);
    },
  };
}

/** Each makes its target anew. */
export const fuzzTargets = { dhcpv4, dhcpv6, neighbourDiscovery, frames } as const;

export const fuzzTargetNames = [
  'dhcpv4',
  'dhcpv6',
  'neighbourDiscovery',
  'frames',
] as const satisfies readonly (keyof typeof fuzzTargets)[];

export type FuzzTargetName = (typeof fuzzTargetNames)[number];

/** A server that has one guest, and throws when it says what no server may. */
function watchedServer(): { dhcpv4(input: Uint8Array): void; dhcpv6(input: Uint8Array): void } {
  const known = guest(settings);
  const guests = new GuestBook([known]);
  const server = segmentServer(segment, guests, new Counter());
  const answered = (bytes: Uint8Array, types: readonly number[]): void => {
    if (!types.includes(bytes[0] ?? -1)) throw new Error('the server sent what only clients send');
    if (bytes.length > longestAnswer) throw new Error(`an answer of ${bytes.length} bytes`);
  };
  const way = {
    sendDhcpv4: (bytes: Uint8Array): void => answered(bytes, [2]),
    sendDhcpv6: (bytes: Uint8Array): void => answered(bytes, [2, 7, 13]),
  };
  const unchanged = (): void => {
    if (guests.byMac.size !== 1 || guests.byMac.get(macA) !== known) throw new Error('a packet changed a binding');
  };
  return {
    dhcpv4(input) {
      server.dhcpv4(input, { mac: macA, address: '0.0.0.0', port: 68 }, way);
      unchanged();
    },
    dhcpv6(input) {
      server.dhcpv6(input, { mac: macA, address: 'fd77::9', port: 546 }, way);
      unchanged();
    },
  };
}
