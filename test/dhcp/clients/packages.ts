import { installDebianPackages } from '#test/setup/debian-packages.ts';

/** The real clients, and what they are for. */
export const clientPackages = [
  'isc-dhcp-client', // dhclient
  'udhcpc',
  'dhcpcd-base', // dhcpcd, v4 and v6
  'wide-dhcpv6-client', // dhcp6c, which asks with IAID 0
  'ndisc6', // rdisc6
  'iproute2',
  'ethtool',
] as const;

export async function prepareClients(): Promise<void> {
  await installDebianPackages(clientPackages, console.log);
}
