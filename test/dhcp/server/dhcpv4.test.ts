import { expect, test } from 'vitest';
import { ipv4Number } from '#dhcp/address.ts';
import { ascii, be16, be32, fromHex, hexText } from '#dhcp/wire/bytes.ts';
import { encodeDhcpv4, MessageType } from '#dhcp/wire/dhcpv4-message.ts';
import { answered, asking, hexOptions } from './answers.ts';
import { address, guest, list, macA, macB, request4, requested, segment, serverIdOption } from './packets.ts';

const { discover, request, decline, release, inform } = MessageType;
const relay = { giaddr: ipv4Number('10.77.0.9') };

test('DISCOVER is answered by an OFFER of the bound address with what was asked for', () => {
  const { ask4 } = asking([guest()]);
  const { message, destination, bytes } = answered(
    ask4(request4(discover, [list(3, 6, 12, 26, 28)], { secs: 9, flags: 0x8000 })),
  );
  expect({ ...message, sname: '', file: '', options: hexOptions(message) }).toEqual({
    op: 2,
    hops: 0,
    xid: 0x12345678,
    secs: 0,
    flags: 0x8000,
    ciaddr: 0,
    yiaddr: address.a,
    siaddr: 0,
    giaddr: 0,
    chaddr: macA,
    sname: '',
    file: '',
    options: {
      53: '02',
      54: '0a4d0002',
      51: '00000e10',
      58: '00000708',
      59: '00000c4e',
      1: 'ffff0000',
      12: '766d2d61',
      3: '0a4d0001',
      26: '0578',
      28: '0a4dffff',
    },
  });
  expect(destination).toEqual({ to: 'guest', mac: macA, address: address.a, byBroadcast: true });
  expect(bytes.length).toBe(300);
});

test.each<[string, Uint8Array, string]>([
  ['SELECTING for the bound address', request4(request, [serverIdOption(), requested(address.a)]), 'ACK'],
  ['SELECTING for another address', request4(request, [serverIdOption(), requested(address.b)]), 'NAK'],
  [
    'SELECTING another server',
    request4(request, [serverIdOption('10.77.0.3'), requested(address.a)]),
    'silent otherServer',
  ],
  ['SELECTING without an address', request4(request, [serverIdOption()]), 'silent contradictoryRequest'],
  ['INIT-REBOOT with the bound address', request4(request, [requested(address.a)]), 'ACK'],
  ['INIT-REBOOT with another address', request4(request, [requested(address.b)]), 'NAK'],
  ['INIT-REBOOT from another network', request4(request, [requested(ipv4Number('192.168.1.5'))]), 'NAK'],
  ['RENEWING or REBINDING', request4(request, [], { ciaddr: address.a }), 'ACK'],
  ['RENEWING an address taken away', request4(request, [], { ciaddr: address.b }), 'NAK'],
  ['REQUEST for nothing', request4(request), 'silent contradictoryRequest'],
  ['INFORM', request4(inform, [], { ciaddr: address.a }), 'ACK'],
  ['INFORM for the address of another', request4(inform, [], { ciaddr: address.b }), 'silent contradictoryRequest'],
  ['RELEASE', request4(release, [serverIdOption()], { ciaddr: address.a }), 'silent released'],
  ['DECLINE', request4(decline, [serverIdOption(), requested(address.a)]), 'silent declined'],
  ['an OFFER', request4(2), 'silent unsupportedType'],
  ['LEASEQUERY', request4(10), 'silent unsupportedType'],
  ['a reply', request4(discover, [], { op: 2 }), 'silent notARequest'],
  [
    'BOOTP',
    encodeDhcpv4({ ...answered(asking([guest()]).ask4(request4(discover))).message, op: 1, options: new Map() }),
    'silent noMessageType',
  ],
  ['more than 16 relays', request4(discover, [], { hops: 17, ...relay }), 'silent tooManyHops'],
])('%s', (_what, bytes, expected) => {
  const answer = asking([guest()]).ask4(bytes);
  const types: Record<number, string> = { 2: 'OFFER', 5: 'ACK', 6: 'NAK' };
  expect(typeof answer === 'string' ? answer : types[answer.message.options.get(53)?.[0] ?? 0]).toBe(expected);
});

test('a guest of another node gets silence, never a NAK', () => {
  const { ask4 } = asking([guest({}, macB)]);
  expect(ask4(request4(discover))).toBe('silent notOurGuest');
  expect(ask4(request4(request, [requested(address.a)]))).toBe('silent notOurGuest');
});

test('a guest without an IPv4 address of the segment gets silence, and NAK for one it had', () => {
  const { ask4 } = asking([{ ...guest(), addresses: ['fd77::a', '192.168.7.7'] }]);
  expect(ask4(request4(discover))).toBe('silent noAddress');
  expect(hexOptions(answered(ask4(request4(request, [requested(address.a)]))).message)[53]).toBe('06');
});

test('NAK holds no address and nothing but 53, 54 and 61', () => {
  const { ask4 } = asking([guest({ dns: { servers: ['10.0.0.53'] } })]);
  const { message, destination } = answered(
    ask4(request4(request, [requested(address.b), [61, fromHex('01525400000000')], list(6, 3, 51)], { secs: 3 })),
  );
  expect({
    ...hexOptions(message),
    yiaddr: message.yiaddr,
    ciaddr: message.ciaddr,
    siaddr: message.siaddr,
    secs: message.secs,
  }).toEqual({
    53: '06',
    54: '0a4d0002',
    61: '01525400000000',
    yiaddr: 0,
    ciaddr: 0,
    siaddr: 0,
    secs: 0,
  });
  expect(destination).toEqual({ to: 'guest', mac: macA, address: 0xffff_ffff, byBroadcast: true });
});

test('the answer to INFORM promises no lease', () => {
  const { ask4 } = asking([guest()]);
  const { message } = answered(ask4(request4(inform, [list(51, 58, 59, 3)], { ciaddr: address.a })));
  expect([message.yiaddr, message.ciaddr, [...message.options.keys()]]).toEqual([0, address.a, [53, 54, 1, 3]]);
});

test('rapid commit is an ACK to DISCOVER, for those that offer it', () => {
  const { ask4 } = asking([guest()]);
  const { message } = answered(ask4(request4(discover, [[80, new Uint8Array()]])));
  expect([hexOptions(message)[53], hexOptions(message)[80]]).toEqual(['05', '']);
});

test('the client identifier comes back byte for byte, whatever it is (RFC 6842)', () => {
  const { ask4 } = asking([guest()]);
  for (const id of ['01525400000000', 'ff00000001000200000000abcdef', '00', 'ff'.repeat(255)]) {
    expect(hexOptions(answered(ask4(request4(discover, [[61, fromHex(id)]]))).message)[61]).toBe(id);
  }
});

test('installer, firmware and system of one VM, with different client identifiers, get one address', () => {
  const { ask4 } = asking([guest()]);
  const offered = ['01525400000000', 'ff01', '00aabb'].map(
    (id) => answered(ask4(request4(discover, [[61, fromHex(id)]]))).message.yiaddr,
  );
  expect(offered).toEqual([address.a, address.a, address.a]);
});

test('through a relay the answer goes to the relay, with its agent information last and untouched', () => {
  const { ask4 } = asking([guest()]);
  const agent = fromHex('0106000400010203ff020a');
  const { message, destination, bytes } = answered(
    ask4(
      request4(
        discover,
        [
          [82, agent],
          [61, fromHex('0102')],
        ],
        { ...relay, hops: 1 },
      ),
      'aa:aa:aa:aa:aa:aa',
    ),
  );
  expect(destination).toEqual({ to: 'relay', address: relay.giaddr });
  expect([message.giaddr, message.hops, hexText(message.options.get(82) ?? new Uint8Array())]).toEqual([
    relay.giaddr,
    0,
    hexText(agent),
  ]);
  expect([...message.options.keys()].slice(-2)).toEqual([61, 82]);
  expect(hexText(bytes).includes(`${hexText(agent)}ff`)).toBe(true);
});

test('NAK through a relay asks it to broadcast', () => {
  const { message } = answered(asking([guest()]).ask4(request4(request, [requested(address.b)], relay)));
  expect(message.flags).toBe(0x8000);
});

test('an unknown relay, and one on another link, get silence', () => {
  const { ask4 } = asking([guest()]);
  expect(ask4(request4(discover, [], { giaddr: ipv4Number('10.77.0.8') }))).toBe('silent unknownRelay');
  expect(ask4(request4(discover, [[82, fromHex('0504c0a80101')]], relay))).toBe('silent otherLink');
  expect(typeof ask4(request4(discover, [[82, fromHex('05040a4d0000')]], relay))).toBe('object');
});

test('agent information from a guest itself is not echoed', () => {
  expect(
    hexOptions(answered(asking([guest()]).ask4(request4(discover, [[82, fromHex('0102')]]))).message)[82],
  ).toBeUndefined();
});

test('every setting arrives as asked', () => {
  const settings = {
    dns: { servers: ['10.0.0.53', 'fd00::53', '10.0.0.54'], search: ['example.com', 'b.org'] },
    ntp: ['10.0.0.7', 'fd00::7'],
    gateway: '10.77.0.254',
    routes: [
      { to: '10.9.0.0/16', via: '10.77.0.7' },
      { to: '169.254.169.254/32', via: '0.0.0.0' },
    ],
    mtu: 1300,
    leaseSeconds: 600,
    renewSeconds: 100,
    rebindSeconds: 200,
    hostName: 'web',
    domain: 'example.com',
    captivePortal: 'https://p.example/',
    ipv6OnlyPreferredSeconds: 1800,
    options: {
      dhcpv4: [
        { code: 138, addresses: ['10.0.0.9'] },
        { code: 46, uint8: 8 },
        { code: 224, hex: 'c0ffee' },
      ],
    },
  };
  const codes = [3, 6, 12, 15, 26, 42, 108, 114, 119, 121, 249, 138, 46, 224];
  const message = answered(
    asking([guest(settings)]).ask4(request4(discover, [list(...codes), [57, be16(1400)]])),
  ).message;
  const routes = '100a090a4d0007' + '20a9fea9fe00000000' + '000a4d00fe';
  expect(hexOptions(message)).toEqual({
    53: '02',
    54: '0a4d0002',
    51: '00000258',
    58: '00000064',
    59: '000000c8',
    1: 'ffff0000',
    12: hexText(ascii('web')),
    3: '0a4d00fe',
    6: '0a0000350a000036',
    15: hexText(ascii('example.com')),
    26: '0514',
    42: '0a000007',
    108: '00000708',
    114: hexText(ascii('https://p.example/')),
    119: '076578616d706c6503636f6d000162036f726700',
    121: routes,
    249: routes,
    138: '0a000009',
    46: '08',
    224: 'c0ffee',
  });
});

test('what was not asked for is not sent', () => {
  const settings = { captivePortal: 'https://p.example/', ipv6OnlyPreferredSeconds: 300 };
  const message = answered(asking([guest(settings)]).ask4(request4(discover, [list(3)]))).message;
  expect([...message.options.keys()]).toEqual([53, 54, 51, 58, 59, 1, 3]);
});

test('a guest without a default route gets no router', () => {
  const message = answered(asking([guest({ defaultRoute: false })]).ask4(request4(discover, [list(3, 121)]))).message;
  expect([message.options.has(3), message.options.has(121)]).toEqual([false, false]);
});

test('the FQDN is answered in the encoding it was asked in, and says that nobody updates DNS for the guest', () => {
  const { ask4 } = asking([guest({ domain: 'example.com' })]);
  const reply = (flags: string) =>
    hexOptions(answered(ask4(request4(discover, [[81, fromHex(`${flags}0000`)]]))).message)[81];
  expect(reply('01')).toBe(`0affff${hexText(ascii('vm-a.example.com'))}`);
  expect(reply('04')).toBe('0cffff04766d2d61076578616d706c6503636f6d00');
});

test('an answer never exceeds what the client takes; what was asked for first stays', () => {
  const settings = {
    dns: { search: ['a'.repeat(60), 'b'.repeat(60), 'c'.repeat(60)].map((label) => `${label}.example.com`) },
    captivePortal: `https://p.example/${'x'.repeat(200)}`,
    options: {
      dhcpv4: [
        { code: 252, text: 'w'.repeat(120) },
        { code: 224, text: 'z'.repeat(200) },
      ],
    },
  };
  const { ask4 } = asking([guest(settings)]);
  const small = answered(ask4(request4(discover, [list(3, 119, 252, 224, 114)])));
  expect(small.bytes.length).toBeLessThanOrEqual(576 - 28);
  expect([3, 119, 252, 224, 114].map((code) => small.message.options.has(code))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(small.message.options.has(52)).toBe(true);
  const large = answered(ask4(request4(discover, [list(3, 119, 252, 224, 114), [57, be16(1500)]])));
  expect([3, 119, 252, 224, 114].every((code) => large.message.options.has(code))).toBe(true);
});

test('a search list of more than 255 bytes is split and comes back whole (RFC 3396)', () => {
  const search = Array.from({ length: 6 }, (_, i) => `${`${i}`.repeat(50)}.example.com`);
  const { ask4 } = asking([guest({ dns: { search } })]);
  const { message } = answered(ask4(request4(discover, [list(119), [57, be16(1500)]])));
  expect(message.options.get(119)?.length).toBe(6 * 64);
});

test('firmware gets the boot file of its architecture, iPXE its URL', () => {
  const settings = {
    boot: {
      nextServer: '10.0.0.2',
      file: 'pxelinux.0',
      byArchitecture: [
        { architecture: 7, file: 'grubx64.efi' },
        { architecture: 16, file: 'http://boot/x.efi' },
      ],
      ipxeUrl: 'http://boot/x.ipxe',
      tftpServer: 'tftp.example.com',
    },
  };
  const { ask4 } = asking([guest(settings)]);
  const pxe = (architecture: number, ...more: [number, Uint8Array][]) => {
    const vendor = architecture === 16 ? 'HTTPClient:Arch:00016' : 'PXEClient:Arch:00000:UNDI:002001';
    const options: [number, Uint8Array][] = [
      [60, ascii(vendor)],
      [93, be16(architecture)],
      [97, fromHex('00aabb')],
      ...more,
    ];
    const { message } = answered(ask4(request4(discover, [list(66, 67), ...options])));
    const text = (code: number) => Buffer.from(message.options.get(code) ?? []).toString();
    return {
      file: text(67),
      header: Buffer.from(message.file).toString().replaceAll('\0', ''),
      class: text(60),
      vendor: hexOptions(message)[43],
      machine: hexOptions(message)[97],
      siaddr: message.siaddr,
    };
  };
  const bios = {
    file: 'pxelinux.0',
    header: 'pxelinux.0',
    class: 'PXEClient',
    vendor: '060108ff',
    machine: '00aabb',
    siaddr: ipv4Number('10.0.0.2'),
  };
  expect(pxe(0)).toEqual(bios);
  expect(pxe(7)).toEqual({ ...bios, file: 'grubx64.efi', header: 'grubx64.efi' });
  expect(pxe(16)).toEqual({ ...bios, file: 'http://boot/x.efi', header: '', class: 'HTTPClient', vendor: undefined });
  expect(pxe(0, [77, ascii('iPXE')])).toEqual({ ...bios, file: 'http://boot/x.ipxe', header: 'http://boot/x.ipxe' });
  expect(pxe(0, [175, fromHex('0101')]).file).toBe('http://boot/x.ipxe');
});

test('an ordinary client gets no PXE options', () => {
  const message = answered(asking([guest({ boot: { file: 'x' } })]).ask4(request4(discover, [list(3)]))).message;
  expect([message.options.has(60), message.options.has(43), message.options.has(97)]).toEqual([false, false, false]);
});

test('vendor options go to the class they are for', () => {
  const { ask4 } = asking([guest({ vendorOptions: [{ vendorClass: 'MSFT', hex: '0104' }, { hex: '0105' }] })]);
  const reply = (vendor: string) =>
    hexOptions(answered(ask4(request4(discover, [list(43), [60, ascii(vendor)]]))).message)[43];
  expect([reply('MSFT 5.0'), reply('dhcpcd')]).toEqual(['0104', '0105']);
});

test('settings and bindings that change hold from the next request on', () => {
  const { ask4, book } = asking([guest()]);
  expect(answered(ask4(request4(discover))).message.yiaddr).toBe(address.a);
  book.set({ ...guest(), addresses: ['10.77.0.99'] });
  expect(answered(ask4(request4(discover))).message.yiaddr).toBe(ipv4Number('10.77.0.99'));
  book.delete(macA);
  expect(ask4(request4(discover))).toBe('silent notOurGuest');
});

test('a forged hardware address gets nothing where frames are seen, and elsewhere the answer goes to its owner', () => {
  const { ask4 } = asking([guest(), guest({}, macB)]);
  const forged = request4(discover, [], { chaddr: macB, flags: 0x8000 });
  expect(ask4(forged, macA)).toBe('silent forgedChaddr');
  const onSocket = asking([guest(), guest({}, macB)]);
  const { destination } = answered(onSocket.ask4(forged, null));
  expect(destination).toEqual({ to: 'guest', mac: macB, address: address.b, byBroadcast: true });
});

test('RELEASE and DECLINE, forged or not, change nothing', () => {
  const { ask4 } = asking([guest(), guest({}, macB)]);
  for (const type of [release, decline]) {
    ask4(request4(type, [serverIdOption(), requested(address.b)], { chaddr: macB, ciaddr: address.b }));
    ask4(request4(type, [serverIdOption(), requested(address.b)], { ciaddr: address.b }));
  }
  expect(answered(ask4(request4(discover, [], { chaddr: macB }), macB)).message.yiaddr).toBe(address.b);
});

test('two agents that share a segment answer one guest each', () => {
  const here = asking([guest()]);
  const there = asking([guest({}, macB)]);
  const bytes = request4(discover);
  expect([typeof here.ask4(bytes), there.ask4(bytes)]).toEqual(['object', 'silent notOurGuest']);
});

test('after a migration the new node renews what the old one gave', () => {
  const renewal = request4(request, [], { ciaddr: address.a });
  const [old, next] = [asking([guest()]), asking([guest()])];
  const [before, after] = [answered(old.ask4(renewal)), answered(next.ask4(renewal))];
  expect(hexText(after.bytes)).toBe(hexText(before.bytes));
});

test('a segment without a server address serves no DHCPv4', () => {
  const { serverId: _none, ...without } = segment;
  expect(asking([guest()], without).ask4(request4(discover))).toBe('');
});

test('starvation with 10,000 hardware addresses binds nothing and is counted', () => {
  const { ask4, counter } = asking([guest()]);
  for (let i = 0; i < 10_000; i++) {
    const chaddr = `02:00:00:00:${hexText(be16(i)).replace(/(..)(..)/, '$1:$2')}`;
    ask4(request4(discover, [], { chaddr }), chaddr);
  }
  expect(counter.tally.get('dhcpv4.silent.notOurGuest')).toBe(10_000);
  expect(answered(ask4(request4(discover))).message.yiaddr).toBe(address.a);
});

test('the requested lease time of a client is not what it gets', () => {
  const { message } = answered(asking([guest()]).ask4(request4(discover, [[51, be32(0xffff_ffff)]])));
  expect(hexOptions(message)[51]).toBe('00000e10');
});
