import { addressFromBytes } from '../address.ts';
import { hexText, printable, u16, u32 } from '../wire/bytes.ts';
import { decodeOptions6 } from '../wire/dhcpv6-message.ts';
import { decodedDomains } from '../wire/domain-name.ts';
import { nodeDhcpOptions } from '../wire/node-dhcp-table.ts';

/** What a DHCPv4 option holds, for a person; in hexadecimal what is not known or not what it should be. */
export function readable4(code: number, content: Uint8Array): string {
  return readable(kind4.get(code) ?? kindOfType[nodeDhcpOptions().get(code)?.type ?? ''], content);
}

/** The same for DHCPv6. */
export function readable6(code: number, content: Uint8Array): string {
  return readable(kind6.get(code), content);
}

/** Seconds, of which 2³²−1 are for ever in every protocol here. */
export function span(seconds: number): string {
  return seconds === 0xffff_ffff ? 'ever' : `${seconds} s`;
}

function readable(kind: Kind | undefined, content: Uint8Array): string {
  return (kind && readers[kind](content)) ?? hexText(content);
}

/** What the bytes of an option are. */
type Kind = keyof typeof readers;

const readers = {
  ipv4: (content: Uint8Array) => addressList(content, 4),
  ipv6: (content: Uint8Array) => addressList(content, 16),
  seconds: (content: Uint8Array) => (content.length === 4 ? span(u32(content, 0)) : undefined),
  number: (content: Uint8Array) =>
    content.length > 4 ? undefined : String(content.reduce((number, byte) => number * 256 + byte, 0)),
  flag: (content: Uint8Array) => (content.length === 1 ? (content[0] === 0 ? 'no' : 'yes') : undefined),
  text: printable,
  domains: (content: Uint8Array) => decodedDomains(content)?.join(' '),
  routes: classlessRoutes,
  /** NTP_SUBOPTION_SRV_ADDR and its like (RFC 5908 §4). */
  ntp6: (content: Uint8Array) =>
    decodeOptions6(content)
      ?.map((option) => addressList(option.content, 16))
      .join(' '),
  /** Each with its length before it (RFC 5970 §3.2). */
  texts6: (content: Uint8Array) => lengthPrefixed(content)?.map(printable).join(' '),
  status6: (content: Uint8Array) => `${u16(content, 0)} ${printable(content.subarray(2))}`,
} as const satisfies Readonly<Record<string, (content: Uint8Array) => string | undefined>>;

/** By the types of the npm package's table. */
const kindOfType: Readonly<Record<string, Kind>> = {
  ...{ IP: 'ipv4', IPs: 'ipv4', UInt8: 'number', UInt16: 'number', UInt32: 'number', ASCII: 'text', UTF8: 'text' },
  ...{ Bool: 'flag', Domains: 'domains', Routes: 'routes' },
};

/** What that table lacks, or has no better word for than a number. */
const kind4: ReadonlyMap<number, Kind> = new Map([
  ...[51, 58, 59, 108].map((code): [number, Kind] => [code, 'seconds']),
  ...[114, 210].map((code): [number, Kind] => [code, 'text']),
  [150, 'ipv4'],
]);

const kind6: ReadonlyMap<number, Kind> = new Map([
  [7, 'number'],
  [13, 'status6'],
  [23, 'ipv6'],
  [24, 'domains'],
  [31, 'ipv6'],
  [32, 'seconds'],
  [56, 'ntp6'],
  [59, 'text'],
  [60, 'texts6'],
  [82, 'seconds'],
  [83, 'seconds'],
  [103, 'text'],
]);

function lengthPrefixed(content: Uint8Array): Uint8Array[] | undefined {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    const end = at + 2 + u16(content, at);
    if (end > content.length) return undefined;
    parts.push(content.subarray(at + 2, end));
    at = end;
  }
  return parts;
}

function addressList(content: Uint8Array, size: 4 | 16): string {
  const list: string[] = [];
  for (let at = 0; at + size <= content.length; at += size)
    list.push(addressFromBytes(content.subarray(at, at + size)));
  return list.join(' ');
}

/** RFC 3442: length, significant bytes of the destination, router. */
function classlessRoutes(content: Uint8Array): string | undefined {
  const routes: string[] = [];
  for (let at = 0; at < content.length; ) {
    const length = content[at] ?? 0;
    const bytes = Math.ceil(length / 8);
    if (length > 32 || at + 5 + bytes > content.length) return undefined;
    const destination = new Uint8Array(4);
    destination.set(content.subarray(at + 1, at + 1 + bytes));
    const router = addressFromBytes(content.subarray(at + 1 + bytes, at + 5 + bytes));
    routes.push(`${addressFromBytes(destination)}/${length} via ${router}`);
    at += 5 + bytes;
  }
  return routes.join(', ');
}
