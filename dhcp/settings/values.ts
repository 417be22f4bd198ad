import * as z from 'zod';
import { canonicalAddress, canonicalMac, familyOf, parsePrefix, prefixText } from '../address.ts';

// The kinds of value guest settings are made of. Each parses to one canonical spelling, and says in its own words what
// it wants, because the sentence reaches whoever wrote the setting.

/** Text that `canonical` accepts, in the spelling it returns; otherwise the sentence `"<text>" is not <what>`. */
function parsedText(what: string, canonical: (text: string) => string | undefined) {
  return z.string().transform((text, context) => {
    const value = canonical(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not ${what}` });
    return z.NEVER;
  });
}

function ofFamily(family: 4 | 6): (text: string) => string | undefined {
  return (text) => {
    const address = canonicalAddress(text);
    return address !== undefined && familyOf(address) === family ? address : undefined;
  };
}

/** Letters, digits and hyphens, at most 63 (RFC 1123 §2.1). */
export const isLabel = (label: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label);

/** Letters, digits and hyphens in labels of at most 63, at most 253 in all (RFC 1123 §2.1). */
function canonicalDomain(text: string): string | undefined {
  const name = text.replace(/\.$/, '');
  return name.length <= 253 && name.split('.').every(isLabel) ? name : undefined;
}

const isPrintable = (text: string): boolean => /^[\x20-\x7e]+$/.test(text);

function canonicalUrl(schemes: readonly string[]): (text: string) => string | undefined {
  return (text) => {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text)?.[1];
    if (scheme === undefined || !schemes.includes(scheme)) return undefined;
    return isPrintable(text) && !text.includes(' ') && URL.canParse(text) && text.length <= 255 ? text : undefined;
  };
}

export const ipAddress = parsedText('an IPv4 or IPv6 address', canonicalAddress);
export const ipv4Address = parsedText('an IPv4 address', ofFamily(4));
export const linkLocalAddress = parsedText('an IPv6 link-local address (fe80::…)', (text) => {
  const address = ofFamily(6)(text);
  return address !== undefined && /^fe[89ab]/.test(address) ? address : undefined;
});
export const ethernetAddress = parsedText('an Ethernet address', canonicalMac);
export const ipv6Prefix = parsedText('an IPv6 prefix such as fd00:1::/64', (text) => {
  const prefix = parsePrefix(text);
  return prefix?.family === 6 ? prefixText(prefix) : undefined;
});
export const ipPrefix = parsedText('a prefix such as 10.1.0.0/16 or fd00:1::/64', (text) => {
  const prefix = parsePrefix(text);
  return prefix && prefixText(prefix);
});
/** RFC 6052 §2.2: the lengths a NAT64 prefix can have, and the only ones PREF64 can spell (RFC 8781 §4). */
export const pref64Prefix = parsedText('a NAT64 prefix of length 96, 64, 56, 48, 40 or 32', (text) => {
  const prefix = parsePrefix(text);
  return prefix?.family === 6 && [96, 64, 56, 48, 40, 32].includes(prefix.length) ? prefixText(prefix) : undefined;
});
export const domainName = parsedText('a domain name (letters, digits, hyphens; labels of at most 63)', canonicalDomain);
export const hostLabel = parsedText('a host name of one label (letters, digits, hyphens; at most 63)', (text) =>
  isLabel(text) ? text : undefined,
);
export const hostOrAddress = parsedText('an address or a domain name', (text) => {
  if (/^[\d.]+$/.test(text)) return ofFamily(4)(text);
  return canonicalDomain(text);
});
/** Without what a shell would act on: clients have handed this option to scripts unquoted (CVE-2018-1111). */
export const webUrl = parsedText('an http or https URL of at most 255 characters, without quotes, $ and \\', (text) =>
  /['`$\\"]/.test(text) ? undefined : canonicalUrl(['http', 'https'])(text),
);
export const bootUrl = parsedText(
  'a URL (http, https, tftp, ftp or nfs) of at most 255 characters',
  canonicalUrl(['http', 'https', 'tftp', 'ftp', 'nfs']),
);
export const printableText = parsedText('1 to 255 printable ASCII characters', (text) =>
  text.length <= 255 && isPrintable(text) ? text : undefined,
);
export const hexBytes = parsedText('1 to 255 bytes in hexadecimal', (text) => {
  const digits = text.replace(/^0x/i, '').replace(/[:\s]/g, '').toLowerCase();
  return /^([0-9a-f]{2}){1,255}$/.test(digits) ? digits : undefined;
});

/** Whole seconds, `least` to 2³²−1; 4294967295 is "for ever" in every protocol here. */
export const seconds = (least: number) => z.int().min(least).max(0xffff_ffff);
