import { createRequire } from 'node:module';
import { expect, test, vi } from 'vitest';
import * as z from 'zod';
import { ipv4Text } from '#dhcp/address.ts';
import { emptyRequest } from '#dhcp/probe/requests.ts';
import { ascii, be16, be32, fromHex, hexText, u16, u32 } from '#dhcp/wire/bytes.ts';
import { decodeDhcpv4, encodeDhcpv4 } from '#dhcp/wire/dhcpv4-message.ts';
import { nodeDhcpOptions } from '#dhcp/wire/node-dhcp-table.ts';
import { optionName4 } from '#dhcp/wire/option-names.ts';
import { answered, asking, hexOptions } from '../server/answers.ts';
import { address, guest, list, request4, requested, serverIdOption } from '../server/packets.ts';

// The npm package `dhcp` beside us: where it is right we agree, and where it is known to be wrong we are not.

const { parse } = z
  .object({
    parse: z.custom<(bytes: Buffer) => { options: Record<string, unknown> }>((value) => typeof value === 'function'),
  })
  .parse(createRequire(import.meta.url)('dhcp/lib/protocol.js'));
const theirs = (bytes: Uint8Array): Record<string, unknown> => parse(Buffer.from(bytes)).options;

function ours(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const message = decodeDhcpv4(bytes);
  if (typeof message === 'string') throw new Error(message);
  return message.options;
}

test('the option table has a name for all common options, and its copy cannot be changed through the package', () => {
  const table = nodeDhcpOptions();
  expect([1, 3, 6, 12, 15, 26, 28, 42, 51, 53, 54, 58, 59].filter((code) => !table.has(code))).toEqual([]);
  expect([...table].filter(([, { type }]) => type === '')).toEqual([]);
  expect(table.get(121)?.type).toBe('Routes');
  expect([...optionName4.keys()].filter((code) => table.has(code)).length).toBeGreaterThan(15);
});

test('both read the same from options the package knows', () => {
  const bytes = request4(5, [
    [1, fromHex('ffff0000')],
    [3, fromHex('0a000001')],
    [6, fromHex('0a0000350a000036')],
    [12, ascii('vm-a')],
    [15, ascii('example.com')],
    [26, be16(1400)],
    [51, be32(3600)],
    [54, fromHex('0a000001')],
    [58, be32(1800)],
    [59, be32(3150)],
  ]);
  const mine = ours(bytes);
  const content = (code: number): Uint8Array => mine.get(code) ?? new Uint8Array();
  const addresses = (code: number): string[] =>
    (hexText(content(code)).match(/.{8}/g) ?? []).map((hex) => ipv4Text(Number.parseInt(hex, 16)));
  expect(theirs(bytes)).toEqual({
    53: content(53)[0],
    1: addresses(1)[0],
    3: addresses(3),
    6: addresses(6),
    12: Buffer.from(content(12)).toString(),
    15: Buffer.from(content(15)).toString(),
    26: u16(content(26), 0),
    51: u32(content(51), 0),
    54: addresses(54)[0],
    58: u32(content(58), 0),
    59: u32(content(59), 0),
  });
});

test('a client identifier of a QEMU address: the package cuts it at the first zero, we keep it', () => {
  const bytes = request4(1, [[61, fromHex('01525400120003a')]]);
  expect(theirs(bytes)[61]).toBe('\u0001RT');
  expect(hexText(ours(bytes).get(61) ?? new Uint8Array())).toBe(hexText(fromHex('01525400120003a')));
});

test('a PAD between options: the package loses the next option, we read it', () => {
  const bytes = encodeDhcpv4({ ...emptyRequest('52:54:00:00:00:01', 1), options: new Map([[53, Uint8Array.of(1)]]) });
  bytes.set([0, 12, 2, 0x61, 0x62, 255], 243);
  const readTheirs = (): unknown => {
    try {
      return theirs(bytes)[12];
    } catch (error) {
      return error;
    }
  };
  expect(readTheirs()).not.toBe('ab');
  expect(ours(bytes).get(12)).toEqual(fromHex('6162'));
});

test('options 82, 93, 97 and 108: the package drops them and writes to the console, we read them', () => {
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {});
  const bytes = request4(1, [
    [82, fromHex('0102aabb')],
    [93, be16(7)],
    [97, fromHex('00aa')],
    [108, be32(1800)],
  ]);
  expect(Object.keys(theirs(bytes))).toEqual(['53']);
  expect(complaints).toHaveBeenCalled();
  complaints.mockRestore();
  expect([...ours(bytes).keys()]).toEqual([53, 82, 93, 97, 108]);
});

test('a message type of two bytes and an address of none: the package reads on, we refuse the packet', () => {
  const with53 = encodeDhcpv4({ ...emptyRequest('52:54:00:00:00:01', 1), options: new Map([[53, fromHex('0101')]]) });
  const with50 = request4(3, [[50, new Uint8Array()]]);
  expect([decodeDhcpv4(with53), decodeDhcpv4(with50)]).toEqual(['badOptionLength', 'badOptionLength']);
});

test('what makes its server exit or grant wrongly, ours answers rightly', () => {
  const { ask4 } = asking([guest()]);
  // Every PXE ROM asks for option 60; a list with it ends the package's process.
  expect(hexOptions(answered(ask4(request4(1, [list(60, 61, 50, 53, 108, 200)]))).message)[53]).toBe('02');
  expect(ask4(new Uint8Array(100))).toBe('malformed tooShort');
  // The package acknowledges a request meant for another server, and one for a wrong address after a reboot.
  expect(ask4(request4(3, [serverIdOption('10.77.0.3'), requested(address.a)]))).toBe('silent otherServer');
  expect(hexOptions(answered(ask4(request4(3, [requested(address.b)]))).message)[53]).toBe('06');
});
