import { addressFromBytes, ipv4Text } from '../address.ts';
import { messageName4, messageName6 } from '../server/tally.ts';
import { hexText, printable, u16, u32 } from '../wire/bytes.ts';
import type { Dhcpv4Message } from '../wire/dhcpv4-message.ts';
import { type Dhcpv6Message, decodeOptions6 } from '../wire/dhcpv6-message.ts';
import { decodedDomains } from '../wire/domain-name.ts';
import { nodeDhcpOptions } from '../wire/node-dhcp-table.ts';
import { optionName4, optionName6 } from '../wire/option-names.ts';
import type { RouterAdvertisement } from '../wire/router-advertisement.ts';

/** A message as lines for a person. Nothing a guest or server sent is printed raw. */
export function describeDhcpv4(message: Dhcpv4Message): string[] {
  const type = messageName4[message.options.get(53)?.[0] ?? 0] || 'message of unknown type';
  const lines = [`DHCPv4 ${type}`, line('address', ipv4Text(message.yiaddr))];
  if (message.siaddr !== 0) lines.push(line('next server', ipv4Text(message.siaddr)));
  const file = printable(untilNul(message.file));
  if (file !== '') lines.push(line('boot file (header)', file));
  for (const [code, content] of message.options) {
    if (code === 53) continue;
    const name = optionName4.get(code) ?? nodeDhcpOptions().get(code)?.name ?? 'option';
    lines.push(line(`${name} (${code})`, value4(code, content)));
  }
  return lines;
}

export function describeDhcpv6(message: Dhcpv6Message): string[] {
  const lines = [`DHCPv6 ${messageName6[message.type] || 'message of unknown type'}`];
  for (const { code, content } of message.options) {
    if (code === 3) lines.push(...describeAssociation(content));
    else if (code > 2) lines.push(line(`${optionName6.get(code) ?? 'option'} (${code})`, value6(code, content)));
  }
  return lines;
}

export function describeAdvertisement(ra: RouterAdvertisement, from: string): string[] {
  const prefixes = ra.prefixes.map((prefix) => {
    const flags = [prefix.onLink && 'on-link', prefix.autonomous && 'autonomous'].filter(Boolean).join(' ');
    return `${prefix.address}/${prefix.length} ${flags} valid ${span(prefix.validSeconds)} preferred ${span(prefix.preferredSeconds)}`;
  });
  const routes = ra.routes.map(
    (route) => `${route.address}/${route.length} ${route.preference} ${span(route.lifetimeSeconds)}`,
  );
  return [
    `router advertisement from ${from}`,
    line('flags', [ra.managed && 'managed', ra.other && 'other'].filter(Boolean).join(' ') || 'none'),
    line('router lifetime', `${ra.routerLifetimeSeconds} s, preference ${ra.preference}`),
    ...(ra.mtu === undefined ? [] : [line('MTU', String(ra.mtu))]),
    ...prefixes.map((text) => line('prefix', text)),
    ...routes.map((text) => line('route', text)),
    ...(ra.dns?.servers ?? []).map((text) => line('name server', text)),
    ...(ra.dns?.search ?? []).map((text) => line('search domain', text)),
    ...(ra.pref64 === undefined ? [] : [line('PREF64', `${ra.pref64.address}/${ra.pref64.length}`)]),
    ...(ra.captivePortal === undefined ? [] : [line('captive portal', ra.captivePortal)]),
  ];
}

const line = (name: string, value: string): string => `  ${name.padEnd(38)} ${value}`;
const span = (seconds: number): string => (seconds === 0xffff_ffff ? 'for ever' : `${seconds} s`);

function value4(code: number, content: Uint8Array): string {
  switch (code) {
    case 1:
    case 3:
    case 6:
    case 28:
    case 42:
    case 54:
    case 150:
      return addressList(content, 4);
    case 51:
    case 58:
    case 59:
    case 108:
      return content.length === 4 ? span(u32(content, 0)) : hexText(content);
    case 26:
      return content.length === 2 ? String(u16(content, 0)) : hexText(content);
    case 119:
      return decodedDomains(content)?.join(' ') ?? hexText(content);
    case 121:
    case 249:
      return classlessRoutes(content);
    case 12:
    case 15:
    case 60:
    case 66:
    case 67:
    case 114:
    case 210:
    case 252:
      return printable(content);
    default:
      return hexText(content);
  }
}

function value6(code: number, content: Uint8Array): string {
  switch (code) {
    case 23:
    case 31:
      return addressList(content, 16);
    case 24:
      return decodedDomains(content)?.join(' ') ?? hexText(content);
    case 32:
    case 82:
    case 83:
      return content.length === 4 ? span(u32(content, 0)) : hexText(content);
    case 56:
      return (decodeOptions6(content) ?? []).map((option) => addressList(option.content, 16)).join(' ');
    case 59:
    case 103:
      return printable(content);
    case 13:
      return `${u16(content, 0)} ${printable(content.subarray(2))}`;
    default:
      return hexText(content);
  }
}

function describeAssociation(content: Uint8Array): string[] {
  const head = `IAID ${u32(content, 0)}, T1 ${span(u32(content, 4))}, T2 ${span(u32(content, 8))}`;
  const inner = decodeOptions6(content.subarray(12)) ?? [];
  return [
    line('IA_NA (3)', head),
    ...inner.map((option) =>
      option.code === 5 && option.content.length >= 24
        ? line('address', `${addressFromBytes(option.content.subarray(0, 16))} valid ${span(u32(option.content, 20))}`)
        : line(`option (${option.code})`, value6(option.code, option.content)),
    ),
  ];
}

function addressList(content: Uint8Array, size: 4 | 16): string {
  const list: string[] = [];
  for (let at = 0; at + size <= content.length; at += size)
    list.push(addressFromBytes(content.subarray(at, at + size)));
  return list.join(' ');
}

/** RFC 3442: length, significant bytes of the destination, router. */
export function classlessRoutes(content: Uint8Array): string {
  const routes: string[] = [];
  for (let at = 0; at < content.length; ) {
    const length = content[at] ?? 0;
    const bytes = Math.ceil(length / 8);
    if (length > 32 || at + 5 + bytes > content.length) return hexText(content);
    const destination = new Uint8Array(4);
    destination.set(content.subarray(at + 1, at + 1 + bytes));
    const router = addressFromBytes(content.subarray(at + 1 + bytes, at + 5 + bytes));
    routes.push(`${addressFromBytes(destination)}/${length} via ${router}`);
    at += 5 + bytes;
  }
  return routes.join(', ');
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
