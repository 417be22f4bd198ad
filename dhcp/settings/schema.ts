import * as z from 'zod';
import { familyOf, parsePrefix } from '../address.ts';
import { reservedDhcpv4, reservedDhcpv6 } from './reserved-codes.ts';
import {
  bootUrl,
  domainName,
  hexBytes,
  hostLabel,
  hostOrAddress,
  ipAddress,
  ipPrefix,
  ipv4Address,
  ipv6Prefix,
  pref64Prefix,
  printableText,
  seconds,
  webUrl,
} from './values.ts';

// The one description of what a guest is told. Every text here is documentation: `docs/dhcp.md` is generated from it.

const list = <Item extends z.ZodType>(item: Item, most: number) => z.array(item).max(most).readonly();
const optional = <Value extends z.ZodType>(value: Value, text: string) => z.exactOptional(value.describe(text));

const dns = z
  .strictObject({
    servers: optional(list(ipAddress, 16), 'Name servers, IPv4 and IPv6 mixed; each protocol is told its own family.'),
    search: optional(list(domainName, 16), 'Search domains, first one tried first.'),
  })
  .readonly();

const route = z
  .strictObject({
    to: ipPrefix.describe('Destination prefix.'),
    via: ipAddress.describe('Next hop, of the same family; 0.0.0.0 means on the link.'),
  })
  .superRefine(({ to, via }, context) => {
    if (parsePrefix(to)?.family !== familyOf(via)) {
      context.addIssue({ code: 'custom', path: ['via'], message: `${via} is not of the family of ${to}` });
    }
  })
  .readonly();

const architectureFile = z
  .strictObject({
    architecture: z
      .int()
      .min(0)
      .max(0xffff)
      .describe('Client system architecture (RFC 4578 §2.1): 0 BIOS, 7 UEFI x64, 11 UEFI arm64 …'),
    file: printableText.describe('Boot file, or a URL for the HTTP boot architectures (15 and up).'),
  })
  .readonly();

const boot = z
  .strictObject({
    nextServer: optional(ipv4Address, 'Where the boot file is (siaddr).'),
    tftpServer: optional(hostOrAddress, 'TFTP server name or address (option 66).'),
    tftpServers: optional(list(ipv4Address, 8), 'TFTP server addresses (option 150).'),
    file: optional(printableText, 'Boot file (option 67).'),
    pathPrefix: optional(printableText, 'PXELINUX path prefix (option 210).'),
    byArchitecture: optional(list(architectureFile, 16), 'Boot file by client architecture; `file` is for all others.'),
    ipxeUrl: optional(bootUrl, 'What iPXE loads instead of the boot file.'),
    ipv6Url: optional(bootUrl, 'Boot file URL for DHCPv6 (option 59).'),
    ipv6Parameters: optional(list(printableText, 8), 'Boot file parameters for DHCPv6 (option 60).'),
  })
  .readonly();

const vendorOption = z
  .strictObject({
    vendorClass: optional(printableText, 'Only for clients whose option 60 begins with this.'),
    hex: hexBytes.describe('Content of option 43.'),
  })
  .readonly();

const rawValue = {
  text: optional(printableText, 'As ASCII text.'),
  hex: optional(hexBytes, 'As bytes.'),
  addresses: optional(list(ipAddress, 63), 'As addresses.'),
  domains: optional(list(domainName, 16), 'As domain names (RFC 1035).'),
  flag: optional(z.boolean(), 'As one byte, 0 or 1.'),
  uint8: optional(z.int().min(0).max(0xff), 'As one byte.'),
  uint16: optional(z.int().min(0).max(0xffff), 'As two bytes.'),
  uint32: optional(z.int().min(0).max(0xffff_ffff), 'As four bytes.'),
};

const rawOption = (family: 4 | 6, most: number, reserved: ReadonlyMap<number, string>) =>
  z
    .strictObject({ code: z.int().min(1).max(most).describe('Option code.'), ...rawValue })
    .superRefine(({ code, ...values }, context) => {
      const owner = reserved.get(code);
      if (owner !== undefined) {
        context.addIssue({ code: 'custom', path: ['code'], message: `option ${code} ${owner}` });
      }
      if (Object.keys(values).length !== 1) {
        context.addIssue({ code: 'custom', message: `wants exactly one of ${Object.keys(rawValue).join(', ')}` });
      }
      if (values.addresses?.some((address) => familyOf(address) !== family)) {
        context.addIssue({ code: 'custom', path: ['addresses'], message: `holds an address that is not IPv${family}` });
      }
    })
    .readonly();

const options = z
  .strictObject({
    dhcpv4: optional(list(rawOption(4, 254, reservedDhcpv4), 64), 'DHCPv4 options by code.'),
    dhcpv6: optional(list(rawOption(6, 0xffff, reservedDhcpv6), 64), 'DHCPv6 options by code.'),
  })
  .readonly();

const preference = z.enum(['high', 'medium', 'low']);

const raRoute = z
  .strictObject({
    prefix: ipv6Prefix.describe('Destination reached through this router.'),
    preference: optional(preference, 'Route preference (RFC 4191); medium.'),
    lifetimeSeconds: optional(seconds(0), 'How long it holds; for ever.'),
  })
  .readonly();

const ra = z
  .strictObject({
    mode: optional(
      z.enum(['stateful', 'stateless', 'slaac']),
      'stateful: addresses by DHCPv6 (M=1 O=1 A=0). stateless: own addresses, the rest by DHCPv6 (O=1 A=1). slaac: no DHCPv6 (A=1). Default stateful.',
    ),
    preference: optional(preference, 'Default router preference (RFC 4191); medium.'),
    routerLifetimeSeconds: optional(
      z.int().min(0).max(0xffff),
      'How long the router is a default router; 0: it is none.',
    ),
    prefixValidSeconds: optional(seconds(0), 'Valid lifetime of on-link prefixes.'),
    prefixPreferredSeconds: optional(seconds(0), 'Preferred lifetime of on-link prefixes.'),
    deprecatedPrefixes: optional(
      list(ipv6Prefix, 8),
      'Prefixes told with preferred lifetime 0, so that guests stop using them for new connections.',
    ),
    routes: optional(list(raRoute, 17), 'More specific routes through this router (RFC 4191).'),
    dnsLifetimeSeconds: optional(seconds(0), 'Lifetime of RDNSS and DNSSL (RFC 8106).'),
    pref64: optional(pref64Prefix, 'NAT64 prefix (RFC 8781).'),
    maxIntervalSeconds: optional(z.int().min(4).max(1800), 'Longest time between unsolicited RAs.'),
    minIntervalSeconds: optional(
      z.int().min(3).max(1350),
      'Shortest time between unsolicited RAs; at most ¾ of the longest.',
    ),
  })
  .superRefine((ra, context) => {
    const { maxIntervalSeconds: longest = 600, minIntervalSeconds: shortest = 3 } = ra;
    if (shortest > Math.max(3, longest * 0.75)) {
      context.addIssue({
        code: 'custom',
        path: ['minIntervalSeconds'],
        message: `${shortest} is more than three quarters of maxIntervalSeconds (${longest}) (RFC 4861 §6.2.1)`,
      });
    }
    if ((ra.prefixPreferredSeconds ?? 0) > (ra.prefixValidSeconds ?? 0xffff_ffff)) {
      context.addIssue({
        code: 'custom',
        path: ['prefixPreferredSeconds'],
        message: 'is longer than prefixValidSeconds',
      });
    }
  })
  .readonly();

/** The shape of `GuestSettings`; `parseGuestSettings` adds what binds several fields together. */
export const guestSettingsSchema = z
  .strictObject({
    service: optional(z.enum(['ovn', 'server']), 'Who answers: OVN on every node (default), or our own server.'),
    dns: optional(dns, 'Name resolution.'),
    ntp: optional(list(ipAddress, 8), 'Time servers, IPv4 and IPv6 mixed.'),
    defaultRoute: optional(z.boolean(), 'Whether the guest is told a default route; true.'),
    gateway: optional(ipv4Address, "IPv4 router in place of the network's own."),
    routes: optional(list(route, 32), 'Static routes.'),
    mtu: optional(
      z.int().min(576).max(65535),
      "MTU in bytes; the segment's own: on an underlay 1500, else the controller's `mtu`.",
    ),
    leaseSeconds: optional(seconds(60), 'How long a lease lasts; 3600.'),
    renewSeconds: optional(
      seconds(1),
      'T1, when a guest begins to renew; half the lease. Needs leaseSeconds beside it.',
    ),
    rebindSeconds: optional(
      seconds(1),
      'T2, when it asks any server; seven eighths of the lease. Needs leaseSeconds beside it.',
    ),
    hostName: optional(hostLabel, "Host name; the VM's name."),
    fqdn: optional(domainName, 'Fully qualified name (options 81 and 39); hostName.domain when both are set.'),
    domain: optional(domainName, 'Domain name (option 15).'),
    boot: optional(boot, 'Booting from the network.'),
    captivePortal: optional(webUrl, 'Captive portal API (RFC 8910).'),
    ipv6OnlyPreferredSeconds: optional(
      seconds(300),
      'How long a guest that can may do without IPv4 (option 108, RFC 8925).',
    ),
    vendorOptions: optional(list(vendorOption, 8), 'Vendor-specific information (option 43), the first that fits.'),
    options: optional(options, 'Any other option, by code.'),
    ra: optional(ra, 'Router advertisements. Set for a whole network, not per VM.'),
  })
  .readonly();
