import type { GuestResult } from './results.ts';

/** What a guest's own clients report, for people. */
export function guestText({ vm, attach, node, report, problems }: GuestResult): string {
  const { gateway, routes, lease } = report;
  const lines: [string, string][] = [
    ['host name', report.hostName],
    ['MAC, MTU', `${report.mac}, ${report.mtu} (IPv6 ${report.mtu6})`],
    ['IPv4', `${report.ipv4.join(' ')}, DHCPv4 from ${lease.dhcpv4.serverid} for ${lease.dhcpv4.lease} s`],
    ['IPv6', `${report.ipv6.join(' ')}, DHCPv6 from ${lease.dhcpv6.new_dhcp6_server_id ?? '?'}`],
    ['gateway', `${gateway.ipv4?.ip} at ${gateway.ipv4?.mac}, ${gateway.ipv6?.ip} at ${gateway.ipv6?.mac}`],
    ['routes', [...routes.ipv4, ...routes.ipv6].join('; ')],
    ['DNS', `${report.dns.join(' ')}, search ${report.search.join(' ')}`],
    ['NTP', report.ntp.join(' ')],
    ...problems.map((sentence): [string, string] => ['!', sentence]),
  ];
  const body = lines.map(([name, value]) => `           ${name.padEnd(10)} ${value}`).join('\n');
  return `           ${vm} (${attach}, on ${node}) says of itself:\n${body}`;
}
