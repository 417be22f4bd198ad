import { addressBytes, ipv4Number } from '#dhcp/address.ts';
import type { GuestBinding, Segment } from '#dhcp/guests.ts';
import { emptyRequest } from '#dhcp/probe/requests.ts';
import type { GuestSettings } from '#dhcp/settings.ts';
import { be16, be32, concat, fromHex, macBytes } from '#dhcp/wire/bytes.ts';
import { type Dhcpv4Message, encodeDhcpv4 } from '#dhcp/wire/dhcpv4-message.ts';
import { type Dhcpv6Option, encodeDhcpv6, option6 } from '#dhcp/wire/dhcpv6-message.ts';

// What the server tests speak: one segment, two guests of it, and requests as clients write them.

export const segment: Segment = {
  name: 'blue',
  subnets: ['10.77.0.0/16', 'fd77::/64'],
  gateways: ['10.77.0.1', 'fd77::1'],
  mtu: 1400,
  serverId: '10.77.0.2',
  serverDuid: fromHex('0004000102030405060708090a0b0c0d0e0f'),
  relays: ['10.77.0.9', 'fd77::9'],
  trustDuid: false,
};

export const macA = '52:54:00:00:00:0a';
export const macB = '52:54:00:00:00:0b';
export const linkLocalA = 'fe80::5054:ff:fe00:a';

export function guest(settings: GuestSettings = {}, mac = macA): GuestBinding {
  const last = mac === macA ? 'a' : 'b';
  return { mac, addresses: [`10.77.0.${last === 'a' ? 10 : 11}`, `fd77::${last}`], hostName: `vm-${last}`, settings };
}

export const address = { a: ipv4Number('10.77.0.10'), b: ipv4Number('10.77.0.11') };

export type Options4 = readonly (readonly [code: number, content: Uint8Array])[];

/** A DHCPv4 message of type `type` from `macA`. */
export function request4(type: number, options: Options4 = [], header: Partial<Dhcpv4Message> = {}): Uint8Array {
  return encodeDhcpv4({
    ...emptyRequest(macA, 0x12345678),
    ...header,
    options: new Map([[53, Uint8Array.of(type)], ...options]),
  });
}

export const serverIdOption = (text = '10.77.0.2'): readonly [number, Uint8Array] => [54, be32(ipv4Number(text))];
export const requested = (number: number): readonly [number, Uint8Array] => [50, be32(number)];
export const list = (...codes: number[]): readonly [number, Uint8Array] => [55, Uint8Array.from(codes)];

export const duidA = concat(be16(3, 1), macBytes(macA));
export const clientId: Dhcpv6Option = { code: 1, content: duidA };
export const serverId6: Dhcpv6Option = { code: 2, content: segment.serverDuid };

/** IA_NA naming `addresses`. */
export function iaNa(iaid: number, ...addresses: string[]): Dhcpv6Option {
  const named = addresses.map((text) => option6(5, addressBytes(text), be32(0, 0)));
  return { code: 3, content: concat(be32(iaid, 0, 0), ...named) };
}

export const oro = (...codes: number[]): Dhcpv6Option => ({ code: 6, content: be16(...codes) });

export function request6(type: number, ...options: Dhcpv6Option[]): Uint8Array {
  return encodeDhcpv6({ type, transactionId: 0xabcdef, options });
}
