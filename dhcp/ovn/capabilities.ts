/** One option the running OVN knows: a row of the southbound `DHCP_Options` or `DHCPv6_Options` table. */
export interface OvnOption {
  readonly name: string;
  readonly code: number;
  /** `bool`, `uint8`, `uint16`, `uint32`, `ipv4`, `static_routes`, `str`, `host_id`, `domains`; v6: `ipv6`, `str`, `mac`, `domain`. */
  readonly type: string;
}

/** What the running OVN can say, by option name. It grows from release to release, so it is read, never assumed. */
export interface OvnCapabilities {
  readonly dhcpv4: ReadonlyMap<string, OvnOption>;
  readonly dhcpv6: ReadonlyMap<string, OvnOption>;
}

/** From all rows of the southbound tables `DHCP_Options` and `DHCPv6_Options`, as northd fills them at its start. */
export function ovnCapabilities(dhcpv4Rows: Iterable<OvnOption>, dhcpv6Rows: Iterable<OvnOption>): OvnCapabilities {
  return { dhcpv4: byName(dhcpv4Rows), dhcpv6: byName(dhcpv6Rows) };
}

function byName(rows: Iterable<OvnOption>): ReadonlyMap<string, OvnOption> {
  return new Map([...rows].map(({ name, code, type }) => [name, { name, code, type }]));
}
