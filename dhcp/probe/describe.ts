import { addressFromBytes, ipv4Text } from '../address.ts';
import { messageName4, messageName6 } from '../server/tally.ts';
import { printable, u32 } from '../wire/bytes.ts';
import type { Dhcpv4Message } from '../wire/dhcpv4-message.ts';
import { type Dhcpv6Message, type Dhcpv6Option, decodeOptions6 } from '../wire/dhcpv6-message.ts';
import { nodeDhcpOptions } from '../wire/node-dhcp-table.ts';
import { optionName4, optionName6 } from '../wire/option-names.ts';
import type { RouterAdvertisement } from '../wire/router-advertisement.ts';
import { readable4, readable6, span } from './option-values.ts';

/** Whom a message is from. */
export interface Origin {
  readonly address: string;
  readonly mac?: string;
}

/** A message as lines for a person. Nothing a guest or server sent is printed raw. */
export function describeDhcpv4(message: Dhcpv4Message, from?: Origin): string[] {
  const type = messageName4[message.options.get(53)?.[0] ?? 0] || 'message of unknown type';
  const lines = [`DHCPv4 ${type}${origin(from)}`, line('address', ipv4Text(message.yiaddr))];
  if (message.siaddr !== 0) lines.push(line('next server', ipv4Text(message.siaddr)));
  const file = printable(untilNul(message.file));
  if (file !== '') lines.push(line('boot file (header)', file));
  for (const [code, content] of message.options) {
    if (code === 53) continue;
    const name = optionName4.get(code) ?? nodeDhcpOptions().get(code)?.name ?? 'option';
    lines.push(line(`${name} (${code})`, readable4(code, content)));
  }
  return lines;
}

export function describeDhcpv6(message: Dhcpv6Message, from?: Origin): string[] {
  const lines = [`DHCPv6 ${messageName6[message.type] || 'message of unknown type'}${origin(from)}`];
  for (const option of message.options) {
    if (option.code === 3) lines.push(...describeAssociation(option.content));
    // Who asked is known; who answers matters where two servers do.
    else if (option.code > 1) lines.push(line6(option));
  }
  return lines;
}

export function describeAdvertisement(ra: RouterAdvertisement, from: Origin): string[] {
  const prefixes = ra.prefixes.map((prefix) => {
    const flags = [prefix.onLink && 'on-link', prefix.autonomous && 'autonomous'].filter(Boolean).join(' ');
    return `${prefix.address}/${prefix.length} ${flags}, valid ${span(prefix.validSeconds)}, preferred ${span(prefix.preferredSeconds)}`;
  });
  const routes = ra.routes.map(
    (route) => `${route.address}/${route.length}, preference ${route.preference}, ${span(route.lifetimeSeconds)}`,
  );
  const router =
    ra.routerLifetimeSeconds === 0 ? 'no' : `for ${span(ra.routerLifetimeSeconds)}, preference ${ra.preference}`;
  const told = ra.dns === undefined ? '' : `, for ${span(ra.dns.lifetimeSeconds)}`;
  return [
    `router advertisement${origin(from)}`,
    line('addresses by DHCPv6 (M)', ra.managed ? 'yes' : 'no'),
    line('the rest by DHCPv6 (O)', ra.other ? 'yes' : 'no'),
    line('default router', router),
    ...(ra.mtu === undefined ? [] : [line('MTU', String(ra.mtu))]),
    ...prefixes.map((text) => line('prefix', text)),
    ...routes.map((text) => line('route', text)),
    ...(ra.dns?.servers ?? []).map((text) => line('name server', `${text}${told}`)),
    ...(ra.dns?.search ?? []).map((text) => line('search domain', `${text}${told}`)),
    ...(ra.pref64 === undefined
      ? []
      : [line('PREF64', `${ra.pref64.address}/${ra.pref64.length}, for ${span(ra.pref64.lifetimeSeconds)}`)]),
    ...(ra.captivePortal === undefined ? [] : [line('captive portal', ra.captivePortal)]),
  ];
}

function line(name: string, value: string): string {
  return `  ${name.padEnd(42)} ${value.replaceAll(/[^\x20-\x7e]/g, '?')}`;
}

function origin(from: Origin | undefined): string {
  if (from === undefined) return '';
  return ` from ${from.address}${from.mac === undefined ? '' : ` (${from.mac})`}`;
}

function describeAssociation(content: Uint8Array): string[] {
  const head = `IAID ${u32(content, 0)}, T1 ${span(u32(content, 4))}, T2 ${span(u32(content, 8))}`;
  const inner = decodeOptions6(content.subarray(12)) ?? [];
  return [
    line('IA_NA (3)', head),
    ...inner.map((option) =>
      option.code === 5 && option.content.length >= 24
        ? line('address', `${addressFromBytes(option.content.subarray(0, 16))}, for ${span(u32(option.content, 20))}`)
        : line6(option),
    ),
  ];
}

function line6({ code, content }: Dhcpv6Option): string {
  const name = optionName6.get(code) ?? ofProtocol6.get(code) ?? 'option';
  return line(`${name} (${code})`, readable6(code, content));
}

/** What nobody asks for by code. */
const ofProtocol6: ReadonlyMap<number, string> = new Map([
  [2, 'server identifier (DUID)'],
  [7, 'preference'],
  [13, 'status'],
  [14, 'rapid commit'],
]);

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
