import { expect, test } from 'vitest';
import { GuestBook } from '#dhcp/guests.ts';
import { describeAdvertisement, describeDhcpv4, describeDhcpv6 } from '#dhcp/probe/describe.ts';
import { segmentServer } from '#dhcp/server/segment-server.ts';
import { Counter, messageName4, messageName6 } from '#dhcp/server/tally.ts';
import { hexText } from '#dhcp/wire/bytes.ts';
import { decodeDhcpv4, encodeDhcpv4 } from '#dhcp/wire/dhcpv4-message.ts';
import { decodeDhcpv6, encodeDhcpv6 } from '#dhcp/wire/dhcpv6-message.ts';
import { decodeRouterAdvertisement, encodeRouterAdvertisement } from '#dhcp/wire/router-advertisement.ts';
import { guest, segment } from '../server/packets.ts';
import { type Capture, capturedPayloads, captures } from './captures.ts';

const clientMac = '52:54:00:12:00:3a';

const asksFor4 = 'DISCOVER OFFER REQUEST ACK';
const expectedConversations = {
  'dhclient-dnsmasq.pcap': `${asksFor4} SOLICIT6 ADVERTISE6 REQUEST6 REPLY6`,
  'dhclient-kea.pcap': `${asksFor4} SOLICIT6 ADVERTISE6 REQUEST6 REPLY6`,
  'dhclient-ovn.pcap': `${asksFor4} SOLICIT6 ADVERTISE6 REQUEST6 REPLY6`,
  // It has no address for whom it does not know by this DUID.
  'dhcp6c-dnsmasq.pcap': 'SOLICIT6 ADVERTISE6 RA',
  'dhcp6c-kea.pcap': 'SOLICIT6 ADVERTISE6 REQUEST6 REPLY6 RELEASE6',
  'dhcpcd-dnsmasq.pcap': 'DISCOVER RA OFFER REQUEST ACK SOLICIT6 ADVERTISE6',
  'dhcpcd-kea.pcap': `${asksFor4} SOLICIT6 ADVERTISE6 REQUEST6 REPLY6`,
  'ipxe-dnsmasq.pcap': 'RA DISCOVER OFFER SOLICIT6 ADVERTISE6 REQUEST ACK',
  'rdisc6-dnsmasq.pcap': 'RS RA',
  'rdisc6-ovn.pcap': 'RS RA',
  'udhcpc-dnsmasq.pcap': asksFor4,
  'udhcpc-kea.pcap': asksFor4,
  'udhcpc-ovn.pcap': asksFor4,
};

/** What a frame is, in a word. */
function wordFor({ parsed }: Capture): string {
  if (parsed?.kind === 'udp4') {
    const message = decodeDhcpv4(parsed.payload);
    return typeof message === 'string' ? message : (messageName4[message.options.get(53)?.[0] ?? 0] ?? 'other');
  }
  if (parsed?.kind === 'udp6') {
    const packet = decodeDhcpv6(parsed.payload);
    return typeof packet === 'string' ? packet : `${messageName6[packet.message.type] ?? 'other'}6`;
  }
  if (parsed?.kind === 'icmp6') return parsed.payload[0] === 133 ? 'RS' : 'RA';
  return 'unread';
}

/** File → the different words of its frames, in the order in which they came first. */
function conversations(): Readonly<Record<string, string>> {
  const words = new Map<string, Set<string>>();
  for (const capture of captures()) {
    const said = words.get(capture.file) ?? new Set();
    words.set(capture.file, said.add(wordFor(capture)));
  }
  return Object.fromEntries([...words].map(([file, said]) => [file, [...said].join(' ')]));
}

test('every frame of every client and server is read as what it is', () => {
  expect(conversations()).toEqual(expectedConversations);
});

test('what DHCPv4 clients and servers send comes back byte for byte, but for padding', () => {
  // OVN puts its padding before the end option, others behind it.
  const withoutPadding = (bytes: Uint8Array): string =>
    hexText(bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0 && byte !== 255) + 1));
  for (const payload of capturedPayloads('udp4')) {
    const message = decodeDhcpv4(payload);
    if (typeof message === 'string') throw new Error(message);
    expect(withoutPadding(encodeDhcpv4(message))).toBe(withoutPadding(payload));
    expect(describeDhcpv4(message).join('\n')).not.toMatch(/[^\x20-\x7e\n]/);
  }
});

test('what DHCPv6 clients and servers send comes back byte for byte', () => {
  for (const payload of capturedPayloads('udp6')) {
    const packet = decodeDhcpv6(payload);
    if (typeof packet === 'string') throw new Error(packet);
    expect(hexText(encodeDhcpv6(packet.message))).toBe(hexText(payload));
    expect(describeDhcpv6(packet.message).join('\n')).not.toMatch(/[^\x20-\x7e\n]/);
  }
});

test('what routers advertise is read, and read again when we have written it', () => {
  const advertisements = capturedPayloads('icmp6').filter((payload) => payload[0] === 134);
  expect(advertisements.length).toBeGreaterThan(2);
  for (const payload of advertisements) {
    const told = decodeRouterAdvertisement(payload);
    if (typeof told === 'string') throw new Error(told);
    expect(decodeRouterAdvertisement(encodeRouterAdvertisement(told))).toEqual(told);
    expect(describeAdvertisement(told, { address: 'fe80::1' }).length).toBeGreaterThan(1);
  }
});

test('each client is known by what it asks with', () => {
  const first = (file: string): Capture['parsed'] =>
    captures().find((capture) => capture.file === file && capture.parsed?.kind === 'udp4')?.parsed;
  const options = (file: string): ReadonlyMap<number, Uint8Array> => {
    const parsed = first(file);
    const message = parsed?.kind === 'udp4' ? decodeDhcpv4(parsed.payload) : 'not DHCPv4';
    if (typeof message === 'string') throw new Error(`${file}: ${message}`);
    return message.options;
  };
  const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
  expect(text(options('udhcpc-kea.pcap').get(60))).toMatch(/^udhcp /);
  expect(hexText(options('udhcpc-kea.pcap').get(61) ?? new Uint8Array())).toBe('015254001200 3a'.replace(' ', ''));
  expect(text(options('dhcpcd-kea.pcap').get(60))).toMatch(/^dhcpcd-/);
  expect(options('dhclient-kea.pcap').has(61)).toBe(false);
  const rom = options('ipxe-dnsmasq.pcap');
  expect(text(rom.get(60))).toMatch(/^PXEClient:Arch:00000/);
  expect([93, 94, 97, 175].filter((code) => !rom.has(code))).toEqual([]);
});

test('our server answers what each of them asked', () => {
  const counter = new Counter();
  const book = new GuestBook([{ ...guest(), mac: clientMac }]);
  const server = segmentServer(segment, book, counter);
  const answered = new Set<string>();
  for (const { file, parsed } of captures()) {
    if (parsed?.kind !== 'udp4' && parsed?.kind !== 'udp6') continue;
    const way = { sendDhcpv4: () => void answered.add(file), sendDhcpv6: () => void answered.add(file) };
    const sender = { mac: parsed.sourceMac, address: parsed.source, port: parsed.sourcePort };
    if (parsed.kind === 'udp4' && parsed.destinationPort === 67) server.dhcpv4(parsed.payload, sender, way);
    if (parsed.kind === 'udp6' && parsed.destinationPort === 547) server.dhcpv6(parsed.payload, sender, way);
  }
  const asked = Object.keys(conversations()).filter((file) => !file.startsWith('rdisc6') && !file.includes('-ovn'));
  expect([...answered].sort()).toEqual(asked.sort());
});
