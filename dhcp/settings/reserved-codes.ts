// Options the protocol itself writes, or that a setting of its own stands for: an arbitrary option must not contradict them.

const byProtocol = 'is written by the DHCP service itself';
const bySetting = (setting: string): string => `has a setting of its own: ${setting}`;

export const reservedDhcpv4: ReadonlyMap<number, string> = new Map([
  ...[1, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 80, 82].map((code): [number, string] => [code, byProtocol]),
  [3, bySetting('gateway')],
  [6, bySetting('dns.servers')],
  [12, bySetting('hostName')],
  [15, bySetting('domain')],
  [26, bySetting('mtu')],
  [42, bySetting('ntp')],
  [43, bySetting('vendorOptions')],
  [66, bySetting('boot.tftpServer')],
  [67, bySetting('boot.file')],
  [81, bySetting('fqdn')],
  [108, bySetting('ipv6OnlyPreferredSeconds')],
  [114, bySetting('captivePortal')],
  [119, bySetting('dns.search')],
  [121, bySetting('routes')],
  [150, bySetting('boot.tftpServers')],
  [210, bySetting('boot.pathPrefix')],
  [249, bySetting('routes')],
]);

export const reservedDhcpv6: ReadonlyMap<number, string> = new Map([
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 18, 19, 20, 25, 26].map((code): [number, string] => [
    code,
    byProtocol,
  ]),
  [23, bySetting('dns.servers')],
  [24, bySetting('dns.search')],
  [31, bySetting('ntp')],
  [39, bySetting('fqdn')],
  [56, bySetting('ntp')],
  [59, bySetting('boot.ipv6Url')],
  [60, bySetting('boot.ipv6Parameters')],
  [103, bySetting('captivePortal')],
]);
