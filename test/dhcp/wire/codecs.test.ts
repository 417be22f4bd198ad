import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressBytes, addressFromBytes } from '#dhcp/address.ts';
import { emptyRequest } from '#dhcp/probe/requests.ts';
import { concat, fromHex, hexText } from '#dhcp/wire/bytes.ts';
import { decodeDhcpv4, encodeDhcpv4 } from '#dhcp/wire/dhcpv4-message.ts';
import { decodeDhcpv6, encodeDhcpv6 } from '#dhcp/wire/dhcpv6-message.ts';
import { decodedDomains, encodedDomains } from '#dhcp/wire/domain-name.ts';
import { icmp6Frame, parseFrame, udp4Frame, udp6Frame } from '#dhcp/wire/frame.ts';

const bytes = (most: number) => fc.uint8Array({ maxLength: most });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
/** Option codes whose length is free. */
const freeCode = fc.constantFrom(6, 12, 15, 43, 55, 60, 61, 66, 67, 77, 81, 82, 97, 114, 119, 121, 125, 150, 224, 252);

test('a DHCPv4 message comes back as it was written, options of any length split and joined', () => {
  const message = fc.record({
    hops: fc.integer({ min: 0, max: 255 }),
    xid: u32,
    secs: fc.integer({ min: 0, max: 0xffff }),
    flags: fc.integer({ min: 0, max: 0xffff }),
    ciaddr: u32,
    yiaddr: u32,
    siaddr: u32,
    giaddr: u32,
    options: fc.uniqueArray(fc.tuple(freeCode, bytes(700)), { maxLength: 8, selector: ([code]) => code }),
  });
  fc.assert(
    fc.property(message, ({ options, ...header }) => {
      const sent = { ...emptyRequest('52:54:00:00:00:01', 0), ...header, options: new Map(options) };
      const decoded = decodeDhcpv4(encodeDhcpv4(sent));
      if (typeof decoded === 'string') throw new Error(decoded);
      const { sname: _sname, file: _file, options: got, ...rest } = decoded;
      const { sname: _s, file: _f, options: want, ...expected } = sent;
      expect(rest).toEqual(expected);
      expect([...got].map(([code, content]) => [code, hexText(content)])).toEqual(
        [...want].map(([code, content]) => [code, hexText(content)]),
      );
    }),
  );
});

test('a DHCPv6 message comes back as it was written', () => {
  const options = fc.array(
    fc.record({ code: fc.integer({ min: 1, max: 0xffff }).filter((code) => code !== 9), content: bytes(300) }),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 11 }),
      fc.integer({ min: 0, max: 0xffffff }),
      options,
      (type, transactionId, list) => {
        const decoded = decodeDhcpv6(encodeDhcpv6({ type, transactionId, options: list }));
        if (typeof decoded === 'string') throw new Error(decoded);
        expect({
          ...decoded.message,
          options: decoded.message.options.map(({ code, content }) => [code, hexText(content)]),
        }).toEqual({
          type,
          transactionId,
          options: list.map(({ code, content }) => [code, hexText(content)]),
        });
      },
    ),
  );
});

test('domain names come back as they were written', () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,63}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  fc.assert(
    fc.property(fc.array(name, { maxLength: 6 }), (names) => {
      expect(decodedDomains(encodedDomains(names))).toEqual(names);
    }),
  );
});

test.each<[string, string, readonly string[] | undefined]>([
  ['a compressed suffix', '03616263037879 7a00026465c004', ['abc.xyz', 'de.xyz']],
  ['a pointer to itself', 'c000', undefined],
  ['a pointer forwards', 'c00203616263 00', undefined],
  ['pointers in a circle', '0161c0040162c000', undefined],
  ['a label past the end', '0561', undefined],
  ['a name without its end', '0161', undefined],
  ['a label of the reserved kind', '4061', undefined],
  ['a name of more than 255 bytes', `${'3f'.padEnd(128, '61')}`.repeat(5).concat('00'), undefined],
])('domain names: %s', (_what, hex, expected) => {
  expect(decodedDomains(fromHex(hex.replaceAll(' ', '')))).toEqual(expected);
});

const ends = [
  { mac: '52:54:00:00:00:01', address: addressBytes('10.0.0.1'), port: 67 },
  { mac: '52:54:00:00:00:02', address: addressBytes('10.0.0.2'), port: 68 },
] as const;
const ends6 = ends.map((end, index) => ({ ...end, address: addressBytes(`fe80::${index + 1}`) }));

test('frames come back as they were written', () => {
  fc.assert(
    fc.property(bytes(1400), (payload) => {
      const [from, to] = ends6;
      if (from === undefined || to === undefined) throw new Error('two ends');
      const udp4 = parseFrame(udp4Frame(ends[0], ends[1], payload));
      const udp6 = parseFrame(udp6Frame(from, to, payload));
      const common = { sourceMac: ends[0].mac, sourcePort: 67, destinationPort: 68 };
      expect(udp4?.kind === 'udp4' && { ...udp4, payload: hexText(udp4.payload) }).toEqual({
        kind: 'udp4',
        source: '10.0.0.1',
        ...common,
        payload: hexText(payload),
      });
      expect(udp6?.kind === 'udp6' && { ...udp6, payload: hexText(udp6.payload) }).toEqual({
        kind: 'udp6',
        source: 'fe80::1',
        ...common,
        payload: hexText(payload),
      });
      const icmp = parseFrame(icmp6Frame(from, to, new Uint8Array([133, 0, 0, 0, ...payload])));
      expect(icmp?.kind).toBe('icmp6');
    }),
  );
});

test('a frame with a VLAN tag is of another segment than the wire it is on', () => {
  const from = { mac: '02:00:00:00:00:01', address: Uint8Array.of(0, 0, 0, 0), port: 68 };
  const to = { mac: 'ff:ff:ff:ff:ff:ff', address: Uint8Array.of(255, 255, 255, 255), port: 67 };
  const frame = udp4Frame(from, to, new Uint8Array(300));
  expect(parseFrame(frame)).toMatchObject({ kind: 'udp4', destinationPort: 67 });
  const tag = Uint8Array.of(0x81, 0x00, 0x00, 0x64);
  expect(parseFrame(concat(frame.subarray(0, 12), tag, frame.subarray(12)))).toBeUndefined();
});

test('an ICMPv6 frame with a wrong checksum, and a fragment, are not parsed', () => {
  const [from, to] = ends6;
  if (from === undefined || to === undefined) throw new Error('two ends');
  const icmp = icmp6Frame(from, to, new Uint8Array([133, 0, 0, 0, 0, 0, 0, 0]));
  icmp[60] = 1;
  expect(parseFrame(icmp)).toBeUndefined();
  const fragment = udp4Frame(ends[0], ends[1], new Uint8Array(300));
  fragment[20] = 0x20;
  expect(parseFrame(fragment)).toBeUndefined();
});

test('addresses come back as they were written', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
      (address) => {
        expect(hexText(addressBytes(addressFromBytes(address)))).toBe(hexText(address));
      },
    ),
  );
});
