import type { GuestSettings } from '../settings.ts';
import { ascii, fromHex, printable, u16 } from '../wire/bytes.ts';
import type { Dhcpv4Message } from '../wire/dhcpv4-message.ts';
import type { OptionSet } from './dhcpv4-options.ts';

/** What the client is, as far as booting and vendor options care. */
export interface BootClient {
  /** Option 60 begins with `PXEClient` (Intel PXE 2.1) or `HTTPClient` (UEFI §24.7). */
  readonly firmware: 'PXEClient' | 'HTTPClient' | undefined;
  /** iPXE sends option 175, and option 77 as the bare text `iPXE` (not RFC 3004's length-prefixed one). */
  readonly isIpxe: boolean;
  /** Option 93 (RFC 4578 §2.1). */
  readonly architecture: number | undefined;
  readonly vendorClass: string;
}

export function bootClient(options: Dhcpv4Message['options']): BootClient {
  const vendorClass = printable(options.get(60) ?? new Uint8Array());
  const userClass = printable(options.get(77) ?? new Uint8Array());
  const architecture = options.get(93);
  return {
    firmware: (['PXEClient', 'HTTPClient'] as const).find((name) => vendorClass.startsWith(name)),
    isIpxe: options.has(175) || userClass.includes('iPXE'),
    architecture: architecture && u16(architecture, 0),
    vendorClass,
  };
}

export function bootFile(settings: GuestSettings, client: BootClient): string | undefined {
  const { boot } = settings;
  if (client.isIpxe && boot?.ipxeUrl !== undefined) return boot.ipxeUrl;
  return boot?.byArchitecture?.find(({ architecture }) => architecture === client.architecture)?.file ?? boot?.file;
}

/** Options that depend on what the client is: 43, 60, 67, 97. */
export function clientOptions(
  settings: GuestSettings,
  request: Dhcpv4Message['options'],
  client: BootClient,
): OptionSet {
  const options = new Map<number, Uint8Array>();
  const file = bootFile(settings, client);
  const vendor = settings.vendorOptions?.find(({ vendorClass = '' }) => client.vendorClass.startsWith(vendorClass));
  const machine = request.get(97);
  if (file !== undefined) options.set(67, ascii(file));
  if (client.firmware !== undefined && file !== undefined) {
    options.set(60, ascii(client.firmware));
    // PXE_DISCOVERY_CONTROL 8: use the boot file given here, ask no boot server (PXE 2.1 §2.2.3).
    if (client.firmware === 'PXEClient') options.set(43, Uint8Array.of(6, 1, 8, 255));
    if (machine !== undefined) options.set(97, machine);
  }
  if (vendor !== undefined) options.set(43, fromHex(vendor.hex));
  return options;
}
