// Made by `npm run codegen` from ovn-northbound.ovsschema. Do not edit.
import { map, optional, scalar, set } from '../column-types.ts';
import type { DatabaseSchema } from '../schema.ts';

/** Columns of `ACL`. */
export interface ACL {
  readonly action: 'allow' | 'allow-related' | 'allow-stateless' | 'drop' | 'reject' | 'pass';
  readonly direction: 'from-lport' | 'to-lport';
  readonly external_ids: ReadonlyMap<string, string>;
  readonly label: number;
  readonly log: boolean;
  readonly match: string;
  readonly meter: string | undefined;
  readonly name: string | undefined;
  readonly options: ReadonlyMap<string, string>;
  readonly priority: number;
  readonly sample_est: string | undefined;
  readonly sample_new: string | undefined;
  readonly severity: 'alert' | 'warning' | 'notice' | 'info' | 'debug' | undefined;
  readonly tier: number;
}

/** Columns of `Address_Set`. */
export interface AddressSet {
  readonly addresses: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly name: string;
}

/** Columns of `BFD`. */
export interface BFD {
  readonly detect_mult: number | undefined;
  readonly dst_ip: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly logical_port: string;
  readonly min_rx: number | undefined;
  readonly min_tx: number | undefined;
  readonly options: ReadonlyMap<string, string>;
  readonly status: 'down' | 'init' | 'up' | 'admin_down' | undefined;
}

/** Columns of `Chassis_Template_Var`. */
export interface ChassisTemplateVar {
  readonly chassis: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly variables: ReadonlyMap<string, string>;
}

/** Columns of `Connection`. */
export interface Connection {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly inactivity_probe: number | undefined;
  readonly is_connected: boolean;
  readonly max_backoff: number | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly status: ReadonlyMap<string, string>;
  readonly target: string;
}

/** Columns of `Copp`. */
export interface Copp {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly meters: ReadonlyMap<string, string>;
  readonly name: string;
}

/** Columns of `DHCP_Options`. */
export interface DHCPOptions {
  readonly cidr: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly options: ReadonlyMap<string, string>;
}

/** Columns of `DHCP_Relay`. */
export interface DHCPRelay {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly servers: string | undefined;
}

/** Columns of `DNS`. */
export interface DNS {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly options: ReadonlyMap<string, string>;
  readonly records: ReadonlyMap<string, string>;
}

/** Columns of `Forwarding_Group`. */
export interface ForwardingGroup {
  readonly child_port: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly liveness: boolean;
  readonly name: string;
  readonly vip: string;
  readonly vmac: string;
}

/** Columns of `Gateway_Chassis`. */
export interface GatewayChassis {
  readonly chassis_name: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly priority: number;
}

/** Columns of `HA_Chassis`. */
export interface HAChassis {
  readonly chassis_name: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly priority: number;
}

/** Columns of `HA_Chassis_Group`. */
export interface HAChassisGroup {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ha_chassis: readonly string[];
  readonly name: string;
}

/** Columns of `Load_Balancer`. */
export interface LoadBalancer {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly health_check: readonly string[];
  readonly ip_port_mappings: ReadonlyMap<string, string>;
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | undefined;
  readonly selection_fields: readonly (
    | 'eth_src'
    | 'eth_dst'
    | 'ip_src'
    | 'ip_dst'
    | 'ipv6_src'
    | 'ipv6_dst'
    | 'tp_src'
    | 'tp_dst'
  )[];
  readonly vips: ReadonlyMap<string, string>;
}

/** Columns of `Load_Balancer_Group`. */
export interface LoadBalancerGroup {
  readonly load_balancer: readonly string[];
  readonly name: string;
}

/** Columns of `Load_Balancer_Health_Check`. */
export interface LoadBalancerHealthCheck {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly options: ReadonlyMap<string, string>;
  readonly vip: string;
}

/** Columns of `Logical_Router`. */
export interface LogicalRouter {
  readonly copp: string | undefined;
  readonly enabled: boolean | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly load_balancer: readonly string[];
  readonly load_balancer_group: readonly string[];
  readonly name: string;
  readonly nat: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly policies: readonly string[];
  readonly ports: readonly string[];
  readonly static_routes: readonly string[];
}

/** Columns of `Logical_Router_Policy`. */
export interface LogicalRouterPolicy {
  readonly action: 'allow' | 'drop' | 'reroute' | 'jump';
  readonly bfd_sessions: readonly string[];
  readonly chain: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly jump_chain: string | undefined;
  readonly match: string;
  readonly nexthop: string | undefined;
  readonly nexthops: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly priority: number;
}

/** Columns of `Logical_Router_Port`. */
export interface LogicalRouterPort {
  readonly dhcp_relay: string | undefined;
  readonly enabled: boolean | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly gateway_chassis: readonly string[];
  readonly ha_chassis_group: string | undefined;
  readonly ipv6_prefix: readonly string[];
  readonly ipv6_ra_configs: ReadonlyMap<string, string>;
  readonly mac: string;
  readonly name: string;
  readonly networks: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly peer: string | undefined;
  readonly status: ReadonlyMap<string, string>;
}

/** Columns of `Logical_Router_Static_Route`. */
export interface LogicalRouterStaticRoute {
  readonly bfd: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ip_prefix: string;
  readonly nexthop: string;
  readonly options: ReadonlyMap<string, string>;
  readonly output_port: string | undefined;
  readonly policy: 'src-ip' | 'dst-ip' | undefined;
  readonly route_table: string;
  readonly selection_fields: readonly (
    | 'eth_src'
    | 'eth_dst'
    | 'ip_proto'
    | 'ip_src'
    | 'ip_dst'
    | 'ipv6_src'
    | 'ipv6_dst'
    | 'tp_src'
    | 'tp_dst'
  )[];
}

/** Columns of `Logical_Switch`. */
export interface LogicalSwitch {
  readonly acls: readonly string[];
  readonly copp: string | undefined;
  readonly dns_records: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly forwarding_groups: readonly string[];
  readonly load_balancer: readonly string[];
  readonly load_balancer_group: readonly string[];
  readonly name: string;
  readonly other_config: ReadonlyMap<string, string>;
  readonly ports: readonly string[];
  readonly qos_rules: readonly string[];
}

/** Columns of `Logical_Switch_Port`. */
export interface LogicalSwitchPort {
  readonly addresses: readonly string[];
  readonly dhcpv4_options: string | undefined;
  readonly dhcpv6_options: string | undefined;
  readonly dynamic_addresses: string | undefined;
  readonly enabled: boolean | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ha_chassis_group: string | undefined;
  readonly mirror_rules: readonly string[];
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly parent_name: string | undefined;
  readonly peer: string | undefined;
  readonly port_security: readonly string[];
  readonly tag: number | undefined;
  readonly tag_request: number | undefined;
  readonly type: string;
  readonly up: boolean | undefined;
}

/** Columns of `Meter`. */
export interface Meter {
  readonly bands: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly fair: boolean | undefined;
  readonly name: string;
  readonly unit: 'kbps' | 'pktps';
}

/** Columns of `Meter_Band`. */
export interface MeterBand {
  readonly action: 'drop';
  readonly burst_size: number;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly rate: number;
}

/** Columns of `Mirror`. */
export interface Mirror {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly filter: 'from-lport' | 'to-lport' | 'both';
  readonly index: number;
  readonly name: string;
  readonly sink: string;
  readonly type: 'gre' | 'erspan' | 'local';
}

/** Columns of `NAT`. */
export interface NAT {
  readonly allowed_ext_ips: string | undefined;
  readonly exempted_ext_ips: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly external_ip: string;
  readonly external_mac: string | undefined;
  readonly external_port_range: string;
  readonly gateway_port: string | undefined;
  readonly logical_ip: string;
  readonly logical_port: string | undefined;
  readonly match: string;
  readonly options: ReadonlyMap<string, string>;
  readonly priority: number;
  readonly type: 'dnat' | 'snat' | 'dnat_and_snat';
}

/** Columns of `NB_Global`. */
export interface NBGlobal {
  readonly connections: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly hv_cfg: number;
  readonly hv_cfg_timestamp: number;
  readonly ipsec: boolean;
  readonly name: string;
  readonly nb_cfg: number;
  readonly nb_cfg_timestamp: number;
  readonly options: ReadonlyMap<string, string>;
  readonly sb_cfg: number;
  readonly sb_cfg_timestamp: number;
  readonly ssl: string | undefined;
}

/** Columns of `Port_Group`. */
export interface PortGroup {
  readonly acls: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly name: string;
  readonly ports: readonly string[];
}

/** Columns of `QoS`. */
export interface QoS {
  readonly action: ReadonlyMap<'dscp' | 'mark', number>;
  readonly bandwidth: ReadonlyMap<'rate' | 'burst', number>;
  readonly direction: 'from-lport' | 'to-lport';
  readonly external_ids: ReadonlyMap<string, string>;
  readonly match: string;
  readonly priority: number;
}

/** Columns of `SSL`. */
export interface SSL {
  readonly bootstrap_ca_cert: boolean;
  readonly ca_cert: string;
  readonly certificate: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly private_key: string;
  readonly ssl_ciphers: string;
  readonly ssl_ciphersuites: string;
  readonly ssl_protocols: string;
}

/** Columns of `Sample`. */
export interface Sample {
  readonly collectors: readonly string[];
  readonly metadata: number;
}

/** Columns of `Sample_Collector`. */
export interface SampleCollector {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly id: number;
  readonly name: string;
  readonly probability: number;
  readonly set_id: number;
}

/** Columns of `Sampling_App`. */
export interface SamplingApp {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly id: number;
  readonly type: 'drop' | 'acl-new' | 'acl-est';
}

/** Columns of `Static_MAC_Binding`. */
export interface StaticMACBinding {
  readonly ip: string;
  readonly logical_port: string;
  readonly mac: string;
  readonly override_dynamic_mac: boolean;
}

export type OvnNorthboundTables = {
  readonly ACL: { readonly row: ACL; readonly references: 'sample_est' | 'sample_new' };
  readonly Address_Set: { readonly row: AddressSet; readonly references: never };
  readonly BFD: { readonly row: BFD; readonly references: never };
  readonly Chassis_Template_Var: { readonly row: ChassisTemplateVar; readonly references: never };
  readonly Connection: { readonly row: Connection; readonly references: never };
  readonly Copp: { readonly row: Copp; readonly references: never };
  readonly DHCP_Options: { readonly row: DHCPOptions; readonly references: never };
  readonly DHCP_Relay: { readonly row: DHCPRelay; readonly references: never };
  readonly DNS: { readonly row: DNS; readonly references: never };
  readonly Forwarding_Group: { readonly row: ForwardingGroup; readonly references: never };
  readonly Gateway_Chassis: { readonly row: GatewayChassis; readonly references: never };
  readonly HA_Chassis: { readonly row: HAChassis; readonly references: never };
  readonly HA_Chassis_Group: { readonly row: HAChassisGroup; readonly references: 'ha_chassis' };
  readonly Load_Balancer: { readonly row: LoadBalancer; readonly references: 'health_check' };
  readonly Load_Balancer_Group: { readonly row: LoadBalancerGroup; readonly references: 'load_balancer' };
  readonly Load_Balancer_Health_Check: { readonly row: LoadBalancerHealthCheck; readonly references: never };
  readonly Logical_Router: {
    readonly row: LogicalRouter;
    readonly references:
      | 'copp'
      | 'load_balancer'
      | 'load_balancer_group'
      | 'nat'
      | 'policies'
      | 'ports'
      | 'static_routes';
  };
  readonly Logical_Router_Policy: { readonly row: LogicalRouterPolicy; readonly references: 'bfd_sessions' };
  readonly Logical_Router_Port: {
    readonly row: LogicalRouterPort;
    readonly references: 'dhcp_relay' | 'gateway_chassis' | 'ha_chassis_group';
  };
  readonly Logical_Router_Static_Route: { readonly row: LogicalRouterStaticRoute; readonly references: 'bfd' };
  readonly Logical_Switch: {
    readonly row: LogicalSwitch;
    readonly references:
      | 'acls'
      | 'copp'
      | 'dns_records'
      | 'forwarding_groups'
      | 'load_balancer'
      | 'load_balancer_group'
      | 'ports'
      | 'qos_rules';
  };
  readonly Logical_Switch_Port: {
    readonly row: LogicalSwitchPort;
    readonly references: 'dhcpv4_options' | 'dhcpv6_options' | 'ha_chassis_group' | 'mirror_rules';
  };
  readonly Meter: { readonly row: Meter; readonly references: 'bands' };
  readonly Meter_Band: { readonly row: MeterBand; readonly references: never };
  readonly Mirror: { readonly row: Mirror; readonly references: never };
  readonly NAT: { readonly row: NAT; readonly references: 'allowed_ext_ips' | 'exempted_ext_ips' | 'gateway_port' };
  readonly NB_Global: { readonly row: NBGlobal; readonly references: 'connections' | 'ssl' };
  readonly Port_Group: { readonly row: PortGroup; readonly references: 'acls' | 'ports' };
  readonly QoS: { readonly row: QoS; readonly references: never };
  readonly SSL: { readonly row: SSL; readonly references: never };
  readonly Sample: { readonly row: Sample; readonly references: 'collectors' };
  readonly Sample_Collector: { readonly row: SampleCollector; readonly references: never };
  readonly Sampling_App: { readonly row: SamplingApp; readonly references: never };
  readonly Static_MAC_Binding: { readonly row: StaticMACBinding; readonly references: never };
};

export const ovnNorthbound: DatabaseSchema<OvnNorthboundTables> = {
  name: 'OVN_Northbound',
  version: '7.11.0',
  tables: {
    ACL: {
      isRoot: false,
      indexes: [],
      columns: {
        action: scalar({
          type: 'string',
          enum: ['allow', 'allow-related', 'allow-stateless', 'drop', 'reject', 'pass'],
        }),
        direction: scalar({ type: 'string', enum: ['from-lport', 'to-lport'] }),
        external_ids: map('string', 'string'),
        label: scalar({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        log: scalar('boolean'),
        match: scalar('string'),
        meter: optional('string'),
        name: optional({ type: 'string', maxLength: 63 }),
        options: map('string', 'string'),
        priority: scalar({ type: 'integer', minInteger: 0, maxInteger: 32767 }),
        sample_est: optional({ type: 'uuid', refTable: 'Sample', refType: 'strong' }),
        sample_new: optional({ type: 'uuid', refTable: 'Sample', refType: 'strong' }),
        severity: optional({ type: 'string', enum: ['alert', 'warning', 'notice', 'info', 'debug'] }),
        tier: scalar({ type: 'integer', minInteger: 0, maxInteger: 3 }),
      },
    },
    Address_Set: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        addresses: set('string'),
        external_ids: map('string', 'string'),
        name: scalar('string'),
      },
    },
    BFD: {
      isRoot: true,
      indexes: [['logical_port', 'dst_ip']],
      columns: {
        detect_mult: optional({ type: 'integer', minInteger: 1 }),
        dst_ip: scalar('string'),
        external_ids: map('string', 'string'),
        logical_port: scalar('string'),
        min_rx: optional('integer'),
        min_tx: optional({ type: 'integer', minInteger: 1 }),
        options: map('string', 'string'),
        status: optional({ type: 'string', enum: ['down', 'init', 'up', 'admin_down'] }),
      },
    },
    Chassis_Template_Var: {
      isRoot: true,
      indexes: [['chassis']],
      columns: {
        chassis: scalar('string'),
        external_ids: map('string', 'string'),
        variables: map('string', 'string'),
      },
    },
    Connection: {
      isRoot: false,
      indexes: [['target']],
      columns: {
        external_ids: map('string', 'string'),
        inactivity_probe: optional('integer'),
        is_connected: scalar('boolean', { ephemeral: true }),
        max_backoff: optional({ type: 'integer', minInteger: 1000 }),
        other_config: map('string', 'string'),
        status: map('string', 'string', { ephemeral: true }),
        target: scalar('string'),
      },
    },
    Copp: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        external_ids: map('string', 'string'),
        meters: map('string', 'string'),
        name: scalar('string'),
      },
    },
    DHCP_Options: {
      isRoot: true,
      indexes: [],
      columns: {
        cidr: scalar('string'),
        external_ids: map('string', 'string'),
        options: map('string', 'string'),
      },
    },
    DHCP_Relay: {
      isRoot: true,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        name: scalar('string'),
        options: map('string', 'string'),
        servers: optional('string'),
      },
    },
    DNS: {
      isRoot: true,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        options: map('string', 'string'),
        records: map('string', 'string'),
      },
    },
    Forwarding_Group: {
      isRoot: false,
      indexes: [],
      columns: {
        child_port: set('string', { min: 1, max: Infinity }),
        external_ids: map('string', 'string'),
        liveness: scalar('boolean'),
        name: scalar('string'),
        vip: scalar('string'),
        vmac: scalar('string'),
      },
    },
    Gateway_Chassis: {
      isRoot: false,
      indexes: [['name']],
      columns: {
        chassis_name: scalar('string'),
        external_ids: map('string', 'string'),
        name: scalar('string'),
        options: map('string', 'string'),
        priority: scalar({ type: 'integer', minInteger: 0, maxInteger: 32767 }),
      },
    },
    HA_Chassis: {
      isRoot: false,
      indexes: [],
      columns: {
        chassis_name: scalar('string'),
        external_ids: map('string', 'string'),
        priority: scalar({ type: 'integer', minInteger: 0, maxInteger: 32767 }),
      },
    },
    HA_Chassis_Group: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        external_ids: map('string', 'string'),
        ha_chassis: set({ type: 'uuid', refTable: 'HA_Chassis', refType: 'strong' }),
        name: scalar('string'),
      },
    },
    Load_Balancer: {
      isRoot: true,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        health_check: set({ type: 'uuid', refTable: 'Load_Balancer_Health_Check', refType: 'strong' }),
        ip_port_mappings: map('string', 'string'),
        name: scalar('string'),
        options: map('string', 'string'),
        protocol: optional({ type: 'string', enum: ['tcp', 'udp', 'sctp'] }),
        selection_fields: set({
          type: 'string',
          enum: ['eth_src', 'eth_dst', 'ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst', 'tp_src', 'tp_dst'],
        }),
        vips: map('string', 'string'),
      },
    },
    Load_Balancer_Group: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        load_balancer: set({ type: 'uuid', refTable: 'Load_Balancer', refType: 'weak' }),
        name: scalar('string'),
      },
    },
    Load_Balancer_Health_Check: {
      isRoot: false,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        options: map('string', 'string'),
        vip: scalar('string'),
      },
    },
    Logical_Router: {
      isRoot: true,
      indexes: [],
      columns: {
        copp: optional({ type: 'uuid', refTable: 'Copp', refType: 'weak' }),
        enabled: optional('boolean'),
        external_ids: map('string', 'string'),
        load_balancer: set({ type: 'uuid', refTable: 'Load_Balancer', refType: 'weak' }),
        load_balancer_group: set({ type: 'uuid', refTable: 'Load_Balancer_Group', refType: 'strong' }),
        name: scalar('string'),
        nat: set({ type: 'uuid', refTable: 'NAT', refType: 'strong' }),
        options: map('string', 'string'),
        policies: set({ type: 'uuid', refTable: 'Logical_Router_Policy', refType: 'strong' }),
        ports: set({ type: 'uuid', refTable: 'Logical_Router_Port', refType: 'strong' }),
        static_routes: set({ type: 'uuid', refTable: 'Logical_Router_Static_Route', refType: 'strong' }),
      },
    },
    Logical_Router_Policy: {
      isRoot: false,
      indexes: [],
      columns: {
        action: scalar({ type: 'string', enum: ['allow', 'drop', 'reroute', 'jump'] }),
        bfd_sessions: set({ type: 'uuid', refTable: 'BFD', refType: 'weak' }),
        chain: optional('string'),
        external_ids: map('string', 'string'),
        jump_chain: optional('string'),
        match: scalar('string'),
        nexthop: optional('string'),
        nexthops: set('string'),
        options: map('string', 'string'),
        priority: scalar({ type: 'integer', minInteger: 0, maxInteger: 32767 }),
      },
    },
    Logical_Router_Port: {
      isRoot: false,
      indexes: [['name']],
      columns: {
        dhcp_relay: optional({ type: 'uuid', refTable: 'DHCP_Relay', refType: 'strong' }),
        enabled: optional('boolean'),
        external_ids: map('string', 'string'),
        gateway_chassis: set({ type: 'uuid', refTable: 'Gateway_Chassis', refType: 'strong' }),
        ha_chassis_group: optional({ type: 'uuid', refTable: 'HA_Chassis_Group', refType: 'strong' }),
        ipv6_prefix: set('string'),
        ipv6_ra_configs: map('string', 'string'),
        mac: scalar('string'),
        name: scalar('string'),
        networks: set('string'),
        options: map('string', 'string'),
        peer: optional('string'),
        status: map('string', 'string'),
      },
    },
    Logical_Router_Static_Route: {
      isRoot: false,
      indexes: [],
      columns: {
        bfd: optional({ type: 'uuid', refTable: 'BFD', refType: 'weak' }),
        external_ids: map('string', 'string'),
        ip_prefix: scalar('string'),
        nexthop: scalar('string'),
        options: map('string', 'string'),
        output_port: optional('string'),
        policy: optional({ type: 'string', enum: ['src-ip', 'dst-ip'] }),
        route_table: scalar('string'),
        selection_fields: set({
          type: 'string',
          enum: ['eth_src', 'eth_dst', 'ip_proto', 'ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst', 'tp_src', 'tp_dst'],
        }),
      },
    },
    Logical_Switch: {
      isRoot: true,
      indexes: [],
      columns: {
        acls: set({ type: 'uuid', refTable: 'ACL', refType: 'strong' }),
        copp: optional({ type: 'uuid', refTable: 'Copp', refType: 'weak' }),
        dns_records: set({ type: 'uuid', refTable: 'DNS', refType: 'weak' }),
        external_ids: map('string', 'string'),
        forwarding_groups: set({ type: 'uuid', refTable: 'Forwarding_Group', refType: 'strong' }),
        load_balancer: set({ type: 'uuid', refTable: 'Load_Balancer', refType: 'weak' }),
        load_balancer_group: set({ type: 'uuid', refTable: 'Load_Balancer_Group', refType: 'strong' }),
        name: scalar('string'),
        other_config: map('string', 'string'),
        ports: set({ type: 'uuid', refTable: 'Logical_Switch_Port', refType: 'strong' }),
        qos_rules: set({ type: 'uuid', refTable: 'QoS', refType: 'strong' }),
      },
    },
    Logical_Switch_Port: {
      isRoot: false,
      indexes: [['name']],
      columns: {
        addresses: set('string'),
        dhcpv4_options: optional({ type: 'uuid', refTable: 'DHCP_Options', refType: 'weak' }),
        dhcpv6_options: optional({ type: 'uuid', refTable: 'DHCP_Options', refType: 'weak' }),
        dynamic_addresses: optional('string'),
        enabled: optional('boolean'),
        external_ids: map('string', 'string'),
        ha_chassis_group: optional({ type: 'uuid', refTable: 'HA_Chassis_Group', refType: 'strong' }),
        mirror_rules: set({ type: 'uuid', refTable: 'Mirror', refType: 'weak' }),
        name: scalar('string'),
        options: map('string', 'string'),
        parent_name: optional('string'),
        peer: optional('string'),
        port_security: set('string'),
        tag: optional({ type: 'integer', minInteger: 1, maxInteger: 4095 }),
        tag_request: optional({ type: 'integer', minInteger: 0, maxInteger: 4095 }),
        type: scalar('string'),
        up: optional('boolean'),
      },
    },
    Meter: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        bands: set({ type: 'uuid', refTable: 'Meter_Band', refType: 'strong' }, { min: 1, max: Infinity }),
        external_ids: map('string', 'string'),
        fair: optional('boolean'),
        name: scalar('string'),
        unit: scalar({ type: 'string', enum: ['kbps', 'pktps'] }),
      },
    },
    Meter_Band: {
      isRoot: false,
      indexes: [],
      columns: {
        action: scalar({ type: 'string', enum: ['drop'] }),
        burst_size: scalar({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        external_ids: map('string', 'string'),
        rate: scalar({ type: 'integer', minInteger: 1, maxInteger: 4294967295 }),
      },
    },
    Mirror: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        external_ids: map('string', 'string'),
        filter: scalar({ type: 'string', enum: ['from-lport', 'to-lport', 'both'] }),
        index: scalar('integer'),
        name: scalar('string'),
        sink: scalar('string'),
        type: scalar({ type: 'string', enum: ['gre', 'erspan', 'local'] }),
      },
    },
    NAT: {
      isRoot: false,
      indexes: [],
      columns: {
        allowed_ext_ips: optional({ type: 'uuid', refTable: 'Address_Set', refType: 'strong' }),
        exempted_ext_ips: optional({ type: 'uuid', refTable: 'Address_Set', refType: 'strong' }),
        external_ids: map('string', 'string'),
        external_ip: scalar('string'),
        external_mac: optional('string'),
        external_port_range: scalar('string'),
        gateway_port: optional({ type: 'uuid', refTable: 'Logical_Router_Port', refType: 'weak' }),
        logical_ip: scalar('string'),
        logical_port: optional('string'),
        match: scalar('string'),
        options: map('string', 'string'),
        priority: scalar({ type: 'integer', minInteger: 0, maxInteger: 32767 }),
        type: scalar({ type: 'string', enum: ['dnat', 'snat', 'dnat_and_snat'] }),
      },
    },
    NB_Global: {
      isRoot: true,
      indexes: [],
      maxRows: 1,
      columns: {
        connections: set({ type: 'uuid', refTable: 'Connection', refType: 'strong' }),
        external_ids: map('string', 'string'),
        hv_cfg: scalar('integer'),
        hv_cfg_timestamp: scalar('integer'),
        ipsec: scalar('boolean'),
        name: scalar('string'),
        nb_cfg: scalar('integer'),
        nb_cfg_timestamp: scalar('integer'),
        options: map('string', 'string'),
        sb_cfg: scalar('integer'),
        sb_cfg_timestamp: scalar('integer'),
        ssl: optional({ type: 'uuid', refTable: 'SSL', refType: 'strong' }),
      },
    },
    Port_Group: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        acls: set({ type: 'uuid', refTable: 'ACL', refType: 'strong' }),
        external_ids: map('string', 'string'),
        name: scalar('string'),
        ports: set({ type: 'uuid', refTable: 'Logical_Switch_Port', refType: 'weak' }),
      },
    },
    QoS: {
      isRoot: false,
      indexes: [],
      columns: {
        action: map(
          { type: 'string', enum: ['dscp', 'mark'] },
          { type: 'integer', minInteger: 0, maxInteger: 4294967295 },
        ),
        bandwidth: map(
          { type: 'string', enum: ['rate', 'burst'] },
          { type: 'integer', minInteger: 1, maxInteger: 4294967295 },
        ),
        direction: scalar({ type: 'string', enum: ['from-lport', 'to-lport'] }),
        external_ids: map('string', 'string'),
        match: scalar('string'),
        priority: scalar({ type: 'integer', minInteger: 0, maxInteger: 32767 }),
      },
    },
    SSL: {
      isRoot: false,
      indexes: [],
      maxRows: 1,
      columns: {
        bootstrap_ca_cert: scalar('boolean'),
        ca_cert: scalar('string'),
        certificate: scalar('string'),
        external_ids: map('string', 'string'),
        private_key: scalar('string'),
        ssl_ciphers: scalar('string'),
        ssl_ciphersuites: scalar('string'),
        ssl_protocols: scalar('string'),
      },
    },
    Sample: {
      isRoot: false,
      indexes: [['metadata']],
      columns: {
        collectors: set({ type: 'uuid', refTable: 'Sample_Collector', refType: 'strong' }),
        metadata: scalar({ type: 'integer', minInteger: 1, maxInteger: 4294967295 }),
      },
    },
    Sample_Collector: {
      isRoot: true,
      indexes: [['id']],
      columns: {
        external_ids: map('string', 'string'),
        id: scalar({ type: 'integer', minInteger: 1, maxInteger: 255 }),
        name: scalar('string'),
        probability: scalar({ type: 'integer', minInteger: 0, maxInteger: 65535 }),
        set_id: scalar({ type: 'integer', minInteger: 1, maxInteger: 4294967295 }),
      },
    },
    Sampling_App: {
      isRoot: true,
      indexes: [['type']],
      columns: {
        external_ids: map('string', 'string'),
        id: scalar({ type: 'integer', minInteger: 1, maxInteger: 255 }),
        type: scalar({ type: 'string', enum: ['drop', 'acl-new', 'acl-est'] }),
      },
    },
    Static_MAC_Binding: {
      isRoot: true,
      indexes: [['logical_port', 'ip']],
      columns: {
        ip: scalar('string'),
        logical_port: scalar('string'),
        mac: scalar('string'),
        override_dynamic_mac: scalar('boolean'),
      },
    },
  },
};
