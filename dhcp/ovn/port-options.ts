import type { GuestSettings } from '../settings.ts';
import type { OvnCapabilities } from './capabilities.ts';
import { spellOption } from './option-value.ts';

/**
 * What goes into `Logical_Switch_Port.options` of a guest: its host name (over `DHCP_Options`, so that ports can share
 * rows) and, from OVN 23.09, its FQDN for DHCPv6. `vmName` is the name to use when the settings hold none; a name that is
 * no host name is left out. northd pastes these unread as well, hence the quotes inside the value.
 */
export function portOptions(
  settings: GuestSettings,
  vmName: string,
  capabilities: OvnCapabilities,
): Readonly<Record<string, string>> {
  const hostName = settings.hostName ?? hostNameOf(vmName);
  const fqdn = guestFqdn(settings, hostName);
  const options: Record<string, string> = {};
  if (hostName !== undefined && capabilities.dhcpv4.has('hostname')) options.hostname = quoted(hostName);
  if (fqdn !== undefined && capabilities.dhcpv6.has('fqdn')) options.fqdn = quoted(fqdn);
  return options;
}

/** A Kubernetes name may be a DNS subdomain; its first label is the host name. */
export function hostNameOf(vmName: string): string | undefined {
  const [label = ''] = vmName.split('.');
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label) ? label : undefined;
}

export function guestFqdn(settings: GuestSettings, hostName: string | undefined): string | undefined {
  if (settings.fqdn !== undefined) return settings.fqdn;
  return hostName !== undefined && settings.domain !== undefined ? `${hostName}.${settings.domain}` : undefined;
}

function quoted(text: string): string {
  const { text: spelt, refusal } = spellOption('str', { kind: 'text', text });
  if (spelt === undefined) throw new TypeError(`${JSON.stringify(text)} ${refusal}`);
  return spelt;
}
