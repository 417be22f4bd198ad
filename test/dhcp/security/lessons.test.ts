import { expect, test } from 'vitest';
import { ipv4Number } from '#dhcp/address.ts';
import { type GuestBinding, GuestBook } from '#dhcp/guests.ts';
import { describeDhcpv4, describeDhcpv6 } from '#dhcp/probe/describe.ts';
import { advertisementOf } from '#dhcp/server/advertisement.ts';
import { segmentServer } from '#dhcp/server/segment-server.ts';
import { Counter, type Tally } from '#dhcp/server/tally.ts';
import { type GuestSettings, parseGuestSettings } from '#dhcp/settings.ts';
import { concat, fromHex } from '#dhcp/wire/bytes.ts';
import { decodeDhcpv4, encodeOptions } from '#dhcp/wire/dhcpv4-message.ts';
import { decodeDhcpv6, encodeRelay, MessageType6 } from '#dhcp/wire/dhcpv6-message.ts';
import { decodedDomains } from '#dhcp/wire/domain-name.ts';
import { decodeRouterSolicitation } from '#dhcp/wire/router-advertisement.ts';
import {
  address,
  clientId,
  guest,
  iaNa,
  linkLocalA,
  list,
  macA,
  macB,
  oro,
  request4,
  request6,
  requested,
  segment,
  serverId6,
  serverIdOption,
} from '../server/packets.ts';

// What other servers and clients got wrong, one test for each lesson; the names of the reports are in the tests' names.

interface Answers {
  readonly bytes: readonly Uint8Array[];
  readonly tally: Tally;
}

/** What a server with one guest says to these packets, one after the other. */
function answersTo(packets: readonly Uint8Array[], settings: GuestSettings = {}, guests = [guest(settings)]): Answers {
  const bytes: Uint8Array[] = [];
  const counter = new Counter();
  const server = segmentServer(segment, new GuestBook(guests), counter);
  const way = {
    sendDhcpv4: (answer: Uint8Array) => void bytes.push(answer),
    sendDhcpv6: (answer: Uint8Array) => void bytes.push(answer),
  };
  for (const packet of packets) {
    server.dhcpv4(packet, { mac: macA, address: '0.0.0.0', port: 68 }, way);
    server.dhcpv6(packet, { mac: macA, address: linkLocalA, port: 546 }, way);
  }
  return { bytes, tally: counter.tally };
}

const layer = (inner: Uint8Array, hopCount = 0): Uint8Array =>
  encodeRelay(
    MessageType6.relayForward,
    { hopCount, linkAddress: new Uint8Array(16), peerAddress: new Uint8Array(16), options: [] },
    inner,
  );
const solicit = request6(1, clientId, iaNa(1), oro(23, 24));

test('CVE-2017-14493, CVE-2026-3608: relays nested without end are refused, not followed', () => {
  let packet: Uint8Array = solicit;
  for (let depth = 0; depth < 100; depth++) packet = layer(packet, depth % 32);
  expect(decodeDhcpv6(packet)).toBe('nestedTooDeep');
  expect(answersTo([packet]).bytes).toEqual([]);
});

test('CVE-2017-14494: an option that claims more than its relayed packet has, is given nothing of what lies behind', () => {
  const short = layer(solicit);
  short[36] = 0xff;
  expect(decodeDhcpv6(short)).toBe('optionOverrun');
  const secret = concat(solicit, new Uint8Array(64).fill(0xaa));
  const cut = secret.subarray(0, solicit.length - 2);
  expect(decodeDhcpv6(cut)).toBe('optionOverrun');
});

test('CVE-2017-14492: a solicitation whose options have length 0 or run over its end is refused', () => {
  const header = { hopLimit: 255, sourceIsUnspecified: false };
  for (const options of ['0100', '01020000', '0102', 'ff01000000000000ff']) {
    expect(typeof decodeRouterSolicitation(fromHex(`8500000000000000${options}`), header)).toBe('string');
  }
});

test('CVE-2022-0934: messages in any order and repeated change nothing that a later one sees', () => {
  const packets = [
    solicit,
    request6(3, clientId, serverId6, iaNa(1, 'fd77::a')),
    request6(8, clientId, serverId6, iaNa(1, 'fd77::a')),
    request6(9, clientId, serverId6, iaNa(1, 'fd77::a')),
    request6(5, clientId, serverId6, iaNa(1, 'fd77::a')),
  ];
  const alone = packets.map((packet) => answersTo([packet]).bytes[0]);
  expect(answersTo([...packets, ...packets]).bytes).toEqual([...alone, ...alone]);
  expect(answersTo([...packets].reverse()).bytes).toEqual([...alone].reverse());
});

test('CVE-2015-8373: what describes a packet for people takes any bytes', () => {
  const packet = request4(1, [
    [12, fromHex('00ff0a1b5b324a')],
    [121, fromHex('ff')],
    [119, fromHex('c000')],
  ]);
  const message = decodeDhcpv4(packet);
  if (typeof message === 'string') throw new Error(message);
  expect(describeDhcpv4(message).join('\n')).not.toMatch(/[^\x20-\x7e\n]/);
  const six = decodeDhcpv6(request6(1, { code: 13, content: fromHex('00') }, { code: 3, content: fromHex('00') }));
  if (typeof six === 'string') throw new Error(six);
  expect(describeDhcpv6(six.message).join('\n')).not.toMatch(/[^\x20-\x7e\n]/);
});

test('CVE-2025-40779: options from a guest that no subnet fits are met with silence', () => {
  const elsewhere: GuestBinding = { mac: macA, addresses: ['192.0.2.1', '2001:db8::1'], settings: {} };
  const { bytes, tally } = answersTo([request4(1, [list(1, 3, 6), [61, fromHex('01')]])], {}, [elsewhere]);
  expect(bytes).toEqual([]);
  expect(tally.get('dhcpv4.silent.noAddress')).toBe(1);
});

test.each([0, 1, 2, 3, 130, 131, 255])(
  'CVE-2019-6472: a DUID of %d bytes is answered or refused, no more',
  (length) => {
    const duid = { code: 1, content: new Uint8Array(length).fill(7) };
    const { bytes } = answersTo([request6(1, duid, iaNa(1))]);
    expect(bytes.length).toBe(length >= 3 && length <= 130 ? 1 : 0);
  },
);

test.each([
  ['empty', ''],
  ['255 NUL', '00'.repeat(255)],
  ['not UTF-8', 'c328ff'],
  ['nothing left after cleaning', '2d2d2d'],
])('CVE-2019-6473, CVE-2025-11232: a host name that is %s does not reach the answer', (_what, hex) => {
  const { bytes } = answersTo([request4(1, [list(12, 15), [12, fromHex(hex)]])]);
  const answer = decodeDhcpv4(bytes[0] ?? new Uint8Array());
  expect(typeof answer === 'object' && answer.options.get(12)).toEqual(new TextEncoder().encode('vm-a'));
});

test('CVE-2019-6474: settings that the server could not read again are refused when they are set', () => {
  for (const input of [{ leaseSeconds: 0 }, { dns: { servers: ['10.0.0.300'] } }, { domain: 'a..b' }, { mtu: 1 }]) {
    expect(parseGuestSettings(input).settings).toBeUndefined();
  }
});

test('CVE-2022-2929: a name with a label over 63, or that points at itself, is no name', () => {
  expect(decodedDomains(concat(Uint8Array.of(64), new Uint8Array(64).fill(0x61), Uint8Array.of(0)))).toBeUndefined();
  expect(decodedDomains(fromHex('c000'))).toBeUndefined();
  expect(decodedDomains(fromHex('0161c000'))).toBeUndefined();
});

test('CVE-2022-2928: 200,000 packets leave nothing behind', { timeout: 60_000 }, () => {
  const server = segmentServer(segment, new GuestBook([guest({})]), new Counter());
  const way = { sendDhcpv4(): void {}, sendDhcpv6(): void {} };
  const packets = [request4(1, [list(1, 3, 6), [81, fromHex('0400000161')]]), request4(8, [list(12)])];
  const round = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const packet = packets[i % 2] ?? solicit;
      packet[4] = i;
      server.dhcpv4(packet, { mac: macA, address: '0.0.0.0', port: 68 }, way);
      server.dhcpv6(solicit, { mac: macA, address: linkLocalA, port: 546 }, way);
    }
  };
  round(20_000);
  const before = process.memoryUsage().rss;
  round(180_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test('CVE-2021-25217, CVE-2018-5732: options of every length are read as they were written, split ones too', () => {
  for (let length = 0; length <= 600; length++) {
    const content = Uint8Array.from({ length }, (_, i) => i);
    const packet = concat(request4(1).subarray(0, 240), encodeOptions([[224, content]]), Uint8Array.of(255));
    const message = decodeDhcpv4(packet);
    expect(typeof message === 'object' && [...(message.options.get(224) ?? [])]).toEqual([...content]);
  }
});

test.each([50, 54])('CVE-2018-20679, CVE-2019-5747: option %d of any length but 4 condemns the packet', (code) => {
  for (const length of [0, 1, 3, 5, 8]) {
    expect(decodeDhcpv4(request4(3, [[code, new Uint8Array(length)]]))).toBe('badOptionLength');
  }
});

test('CVE-2018-15688, PixieFail: what old firmware is told stays short', () => {
  expect(segment.serverDuid.length).toBeLessThanOrEqual(20);
  const { bytes } = answersTo([request6(1, clientId, iaNa(1), oro(23, 24, 59))], { dns: { servers: ['fd00::53'] } });
  expect(bytes[0]?.length).toBeLessThan(300);
});

test('CVE-2018-1111, CVE-2011-0997: text that a shell would act on is refused as a setting', () => {
  for (const input of [
    { hostName: 'a;reboot' },
    { domain: '$(reboot)' },
    { dns: { search: ['a`b`'] } },
    { captivePortal: "https://p/'$(x)" },
    { captivePortal: '() { :;}; reboot' },
  ]) {
    expect(parseGuestSettings(input).settings).toBeUndefined();
  }
});

test('CVE-2026-56116: a route that is withdrawn is no longer said, rather than said with lifetime 0', () => {
  const told = advertisementOf({ ra: { routes: [] } }, segment, true);
  expect(told.routes).toEqual([]);
});

test('no packet takes another guest its binding: forged chaddr, RELEASE, DECLINE', () => {
  const ofB = { ...guest({}), mac: macB, addresses: ['10.77.0.11'] };
  const forged = [1, 4, 7].map((type) => {
    const packet = request4(type, [serverIdOption(), requested(address.a)], { ciaddr: ipv4Number('10.77.0.11') });
    packet.set(fromHex(macB.replaceAll(':', '')), 28);
    return packet;
  });
  const { bytes, tally } = answersTo(forged, {}, [guest({}), ofB]);
  expect(bytes).toEqual([]);
  expect(tally.get('dhcpv4.silent.forgedChaddr')).toBe(3);
});
