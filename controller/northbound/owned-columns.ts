/**
 * The columns that are ours on rows that are ours: what no feature says there is taken away again, so that a restart forgets nothing
 * (the `activation-strategy` of a migration that ended meanwhile, say). Columns not listed belong to northd or to others. Of
 * `external_ids` only keys that begin with `hawser:` are ours. Sets of child rows are not listed: a child is in its parent as long
 * as it exists, and other people's children stay.
 */
export const ownedColumns: Readonly<Record<string, readonly string[]>> = {
  DHCP_Options: ['cidr', 'options', 'external_ids'],
  Logical_Switch: ['name', 'other_config', 'external_ids'],
  Logical_Router: ['name', 'options', 'external_ids'],
  Logical_Router_Port: ['name', 'mac', 'networks', 'ipv6_ra_configs', 'options', 'external_ids'],
  Logical_Router_Static_Route: ['ip_prefix', 'nexthop', 'external_ids'],
  Port_Group: ['name', 'ports', 'external_ids'],
  ACL: ['action', 'direction', 'match', 'priority', 'external_ids'],
  Logical_Switch_Port: [
    'name',
    'type',
    'tag',
    'addresses',
    'port_security',
    'options',
    'dhcpv4_options',
    'dhcpv6_options',
    'external_ids',
  ],
};

/** Sets that may have thousands of entries: read and written entry by entry. */
export const largeSets: Readonly<Record<string, readonly string[]>> = {
  Logical_Switch: ['ports'],
  Logical_Router: ['ports', 'static_routes'],
  Port_Group: ['ports', 'acls'],
};

/** Parents and referents first, so that a port comes with what holds it to its policies. */
export const tableOrder: readonly string[] = [
  'DHCP_Options',
  'Logical_Switch',
  'Logical_Router',
  'Logical_Router_Port',
  'Port_Group',
  'ACL',
  'Logical_Switch_Port',
  'Logical_Router_Static_Route',
];

/** The `external_ids` prefix of everything of ours. */
export const ownPrefix = 'hawser:';

/** The `external_ids` key without which a row is somebody else's and is not touched. */
export const ownerKey = 'hawser:owner';
