/** The columns a program of ours reads; the peers are asked for the same. */
export const northboundColumns = {
  Logical_Switch: { columns: ['name', 'ports', 'acls', 'other_config', 'external_ids'] },
  Logical_Switch_Port: {
    columns: [
      'name',
      'type',
      'addresses',
      'port_security',
      'options',
      'external_ids',
      'up',
      'enabled',
      'dhcpv4_options',
      'dhcpv6_options',
    ],
  },
} as const;
export const southboundColumns = {
  Datapath_Binding: { columns: ['tunnel_key', 'load_balancers', 'external_ids'] },
  Logical_Flow: {
    columns: [
      'logical_datapath',
      'logical_dp_group',
      'pipeline',
      'table_id',
      'priority',
      'match',
      'actions',
      'tags',
      'controller_meter',
      'external_ids',
    ],
  },
} as const;
