import { expect, test } from 'vitest';
import { addressBytes } from '#dhcp/address.ts';
import { ascii, be16, concat, fromHex, hexText } from '#dhcp/wire/bytes.ts';
import { type Dhcpv6Option, encodeRelay, MessageType6 } from '#dhcp/wire/dhcpv6-message.ts';
import { answered, asking, readable6 } from './answers.ts';
import { clientId, duidA, guest, iaNa, linkLocalA, macA, macB, oro, request6, segment, serverId6 } from './packets.ts';

const { solicit, advertise, request, confirm, renew, rebind, reply, release, decline, informationRequest } =
  MessageType6;
const ids = { 1: hexText(duidA), 2: hexText(segment.serverDuid) };
const given = 'fd77::a 3600';
const rapidCommit: Dhcpv6Option = { code: 14, content: new Uint8Array() };

test('SOLICIT is answered by an ADVERTISE with preference 255 and the bound address', () => {
  const { ask6 } = asking([guest({ dns: { servers: ['fd00::53', '10.0.0.53'] } })]);
  expect(readable6(answered(ask6(request6(solicit, clientId, iaNa(1), oro(23, 24)))))).toEqual({
    type: advertise,
    ...ids,
    7: 'ff',
    3: { iaid: 1, t1: 1800, t2: 2880, holds: [given] },
    23: hexText(addressBytes('fd00::53')),
  });
});

test('rapid commit turns it into a REPLY', () => {
  const { ask6 } = asking([guest()]);
  expect(readable6(answered(ask6(request6(solicit, clientId, iaNa(1), rapidCommit))))).toEqual({
    type: reply,
    ...ids,
    14: '',
    3: { iaid: 1, t1: 1800, t2: 2880, holds: [given] },
  });
});

const assigned = { iaid: 0, t1: 1800, t2: 2880, holds: [given] };
const refused = (status: number) => ({ iaid: 0, t1: 0, t2: 0, holds: [`status ${status}`] });

test.each<[string, Uint8Array, unknown]>([
  [
    'REQUEST, with the IAID 0 that wide-dhcpv6 uses',
    request6(request, clientId, serverId6, iaNa(0, 'fd77::a')),
    { 3: assigned },
  ],
  [
    'REQUEST for an address of another link',
    request6(request, clientId, serverId6, iaNa(0, 'fd99::a')),
    { 3: refused(4) },
  ],
  [
    'REQUEST for the address of another guest',
    request6(request, clientId, serverId6, iaNa(0, 'fd77::b')),
    { 3: assigned },
  ],
  ['RENEW', request6(renew, clientId, serverId6, iaNa(0, 'fd77::a')), { 3: assigned }],
  [
    'RENEW of an address taken away',
    request6(renew, clientId, serverId6, iaNa(0, 'fd77::b')),
    { 3: { ...assigned, holds: [given, 'fd77::b 0'] } },
  ],
  ['REBIND', request6(rebind, clientId, iaNa(0, 'fd77::a')), { 3: assigned }],
  ['CONFIRM on the link', request6(confirm, clientId, iaNa(0, 'fd77::b')), { 13: 0 }],
  ['CONFIRM off the link', request6(confirm, clientId, iaNa(0, 'fd77::a', 'fd99::a')), { 13: 4 }],
  ['RELEASE', request6(release, clientId, serverId6, iaNa(0, 'fd77::a')), { 13: 0, 3: refused(0) }],
  [
    'RELEASE of the address of another guest',
    request6(release, clientId, serverId6, iaNa(0, 'fd77::b')),
    { 13: 0, 3: refused(3) },
  ],
  ['DECLINE', request6(decline, clientId, serverId6, iaNa(0, 'fd77::a')), { 13: 0, 3: refused(0) }],
  ['INFORMATION-REQUEST', request6(informationRequest, clientId), { 32: '00015180' }],
])('%s', (_what, bytes, expected) => {
  expect(readable6(answered(asking([guest()]).ask6(bytes)))).toEqual({ type: reply, ...ids, ...Object(expected) });
});

test.each<[string, Uint8Array, string]>([
  ['SOLICIT without a client DUID', request6(solicit, iaNa(1)), 'silent noClientId'],
  ['a DUID of no content', request6(solicit, { code: 1, content: be16(3) }, iaNa(1)), 'silent badClientId'],
  ['a DUID of 131 bytes', request6(solicit, { code: 1, content: new Uint8Array(131) }, iaNa(1)), 'silent badClientId'],
  ['SOLICIT that names a server', request6(solicit, clientId, serverId6, iaNa(1)), 'silent contradictoryRequest'],
  ['REBIND that names a server', request6(rebind, clientId, serverId6, iaNa(1)), 'silent contradictoryRequest'],
  ['REQUEST that names none', request6(request, clientId, iaNa(1)), 'silent contradictoryRequest'],
  ['RENEW to another server', request6(renew, clientId, { code: 2, content: duidA }, iaNa(1)), 'silent otherServer'],
  ['CONFIRM of nothing', request6(confirm, clientId, iaNa(1)), 'silent contradictoryRequest'],
  ['INFORMATION-REQUEST with an IA', request6(informationRequest, clientId, iaNa(1)), 'silent contradictoryRequest'],
  ['ADVERTISE', request6(advertise, clientId, serverId6), 'silent notARequest'],
  ['REPLY', request6(reply, clientId, serverId6), 'silent notARequest'],
  ['RECONFIGURE', request6(10, clientId, serverId6), 'silent notARequest'],
  ['a type of the future', request6(99, clientId), 'silent unsupportedType'],
])('%s gets silence', (_what, bytes, expected) => {
  expect(asking([guest()]).ask6(bytes)).toBe(expected);
});

test('a DUID of 130 bytes is echoed whole', () => {
  const content = new Uint8Array(130).fill(7);
  expect(readable6(answered(asking([guest()]).ask6(request6(solicit, { code: 1, content }, iaNa(1)))))[1]).toBe(
    hexText(content),
  );
});

test('INFORMATION-REQUEST needs no client DUID', () => {
  expect(readable6(answered(asking([guest()]).ask6(request6(informationRequest))))).toEqual({
    type: reply,
    2: ids[2],
    32: '00015180',
  });
});

test('of several IAs one gets the address: the one that has it, else the first', () => {
  const { ask6 } = asking([guest()]);
  const associations = (...options: Dhcpv6Option[]) =>
    answered(ask6(request6(solicit, clientId, ...options)))
      .message.options.filter(({ code }) => code === 3)
      .map(({ content }) => content.length);
  const [holds, empty] = [12 + 28, 12 + 6];
  expect(associations(iaNa(0), iaNa(1), iaNa(2))).toEqual([holds, empty, empty]);
  expect(associations(iaNa(0), iaNa(1, 'fd77::a'))).toEqual([empty, holds]);
});

test('a guest with two addresses gets both in its IA', () => {
  const { ask6 } = asking([{ ...guest(), addresses: ['fd77::a', 'fd77::aa'] }]);
  expect(readable6(answered(ask6(request6(solicit, clientId, iaNa(1)))))[3]).toEqual({
    iaid: 1,
    t1: 1800,
    t2: 2880,
    holds: [given, 'fd77::aa 3600'],
  });
});

test('a guest without an IPv6 address is told so, and gets the rest', () => {
  const { ask6 } = asking([{ ...guest({ dns: { servers: ['fd00::53'] } }), addresses: ['10.77.0.10'] }]);
  const { 3: association, 23: dns } = readable6(answered(ask6(request6(solicit, clientId, iaNa(0), oro(23)))));
  expect([association, dns]).toEqual([refused(2), hexText(addressBytes('fd00::53'))]);
});

test('temporary addresses and prefixes are refused each in its own words', () => {
  const { ask6 } = asking([guest()]);
  const ta: Dhcpv6Option = { code: 4, content: fromHex('00000009') };
  const pd: Dhcpv6Option = { code: 25, content: fromHex('000000070000000000000000') };
  const { 4: temporary, 25: prefix } = readable6(answered(ask6(request6(solicit, clientId, ta, pd))));
  expect([temporary, prefix]).toEqual([
    { iaid: 9, holds: ['status 2'] },
    { iaid: 7, holds: ['status 6'] },
  ]);
});

test('every setting arrives when asked for', () => {
  const settings = {
    dns: { servers: ['fd00::53'], search: ['example.com'] },
    ntp: ['fd00::7b', '10.0.0.7'],
    domain: 'example.com',
    captivePortal: 'https://p.example/',
    boot: { ipv6Url: 'tftp://[fd00::2]/x', ipv6Parameters: ['a', 'bc'] },
    options: { dhcpv6: [{ code: 22, addresses: ['fd00::5'] }] },
    leaseSeconds: 1000,
    renewSeconds: 100,
    rebindSeconds: 200,
  };
  const { ask6 } = asking([guest(settings)]);
  const fqdn: Dhcpv6Option = { code: 39, content: fromHex('01') };
  const bytes = request6(solicit, clientId, iaNa(1), oro(23, 24, 31, 56, 59, 60, 82, 83, 103, 22), fqdn);
  expect(readable6(answered(ask6(bytes)))).toEqual({
    type: advertise,
    ...ids,
    7: 'ff',
    3: { iaid: 1, t1: 100, t2: 200, holds: ['fd77::a 1000'] },
    23: hexText(addressBytes('fd00::53')),
    24: '076578616d706c6503636f6d00',
    31: hexText(addressBytes('fd00::7b')),
    56: `00010010${hexText(addressBytes('fd00::7b'))}`,
    59: hexText(ascii('tftp://[fd00::2]/x')),
    60: '00016100026263',
    82: '00000258',
    83: '00000258',
    103: hexText(ascii('https://p.example/')),
    22: hexText(addressBytes('fd00::5')),
    39: '0604766d2d61076578616d706c6503636f6d00',
  });
  expect(readable6(answered(ask6(request6(solicit, clientId, iaNa(1)))))[23]).toBeUndefined();
});

const layer = (options: Dhcpv6Option[] = [], hopCount = 0, link = 'fd77::1') => ({
  hopCount,
  linkAddress: addressBytes(link),
  peerAddress: addressBytes(linkLocalA),
  options,
});
const relayed = (inner: Uint8Array, ...layers: ReturnType<typeof layer>[]) =>
  layers.reduce((bytes, each) => encodeRelay(MessageType6.relayForward, each, bytes), inner);
const clientMac: Dhcpv6Option = { code: 79, content: concat(be16(1), fromHex('52540000000a')) };
const interfaceId: Dhcpv6Option = { code: 18, content: ascii('port 7') };

test('through relays the answer goes back layer by layer, each with its interface id', () => {
  const { ask6 } = asking([guest()]);
  const bytes = relayed(request6(solicit, clientId, iaNa(1)), layer([interfaceId, clientMac]), layer([], 1, '::'));
  const answer = answered(ask6(bytes, { address: 'fd77::9' }));
  expect(
    answer.relays.map(({ hopCount, options }) => [
      hopCount,
      options.map(({ code, content }) => `${code} ${hexText(content)}`),
    ]),
  ).toEqual([
    [1, []],
    [0, [`18 ${hexText(interfaceId.content)}`]],
  ]);
  expect(readable6(answer)[3]).toEqual({ iaid: 1, t1: 1800, t2: 2880, holds: [given] });
});

test('a relay that is not ours, one of another link, and layers too deep get silence', () => {
  const { ask6 } = asking([guest()]);
  const inner = request6(solicit, clientId, iaNa(1));
  expect(ask6(relayed(inner, layer([clientMac])), { address: 'fd77::8' })).toBe('silent unknownRelay');
  expect(ask6(relayed(inner, layer([clientMac], 0, 'fd99::1')), { address: 'fd77::9' })).toBe('silent otherLink');
  const nine = Array.from({ length: 9 }, () => layer([clientMac]));
  expect(ask6(relayed(inner, ...nine), { address: 'fd77::9' })).toBe('malformed nestedTooDeep');
  expect(typeof ask6(relayed(inner, ...nine.slice(1)), { address: 'fd77::9' })).toBe('object');
});

test('a forged DUID is worth nothing: the frame says who asks', () => {
  const { ask6 } = asking([guest(), guest({}, macB)]);
  const bytes = request6(solicit, clientId, iaNa(1));
  expect(readable6(answered(ask6(bytes, { mac: macB })))[3]).toMatchObject({ holds: ['fd77::b 3600'] });
  expect(ask6(bytes, { mac: '02:00:00:00:00:01' })).toBe('silent notOurGuest');
});

test('on sockets the link-local source says who asks, and a DUID only where it is trusted', () => {
  const bytes = request6(solicit, clientId, iaNa(1));
  const careful = asking([guest()]);
  expect(readable6(answered(careful.ask6(bytes, { address: linkLocalA })))[3]).toMatchObject({ holds: [given] });
  expect(careful.ask6(bytes, { address: 'fe80::1234:5678:9abc:def0' })).toBe('silent notOurGuest');
  const trusting = asking([guest()], { ...segment, trustDuid: true });
  expect(readable6(answered(trusting.ask6(bytes, { address: 'fe80::1' })))[3]).toMatchObject({ holds: [given] });
});

test('RELEASE and DECLINE change nothing', () => {
  const { ask6 } = asking([guest()]);
  for (const type of [release, decline]) ask6(request6(type, clientId, serverId6, iaNa(0, 'fd77::a')));
  expect(readable6(answered(ask6(request6(renew, clientId, serverId6, iaNa(0, 'fd77::a')))))[3]).toEqual(assigned);
});

test('after a migration the new node understands a renewal addressed to the old one', () => {
  const bytes = request6(renew, clientId, serverId6, iaNa(0, 'fd77::a'));
  const [before, after] = [asking([guest()]), asking([guest()])].map(({ ask6 }) =>
    readable6(answered(ask6(bytes, { mac: macA }))),
  );
  expect(after).toEqual(before);
});
