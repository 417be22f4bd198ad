// Made by `npm run codegen` from ovn-southbound.ovsschema. Do not edit.
import { map, optional, scalar, set } from '../column-types.ts';
import type { DatabaseSchema } from '../schema.ts';

/** Columns of `ACL_ID`. */
export interface ACLID {
  readonly id: number;
}

/** Columns of `Address_Set`. */
export interface AddressSet {
  readonly addresses: readonly string[];
  readonly name: string;
}

/** Columns of `Advertised_Route`. */
export interface AdvertisedRoute {
  readonly datapath: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ip_prefix: string;
  readonly logical_port: string;
  readonly tracked_port: string | undefined;
}

/** Columns of `BFD`. */
export interface BFD {
  readonly chassis_name: string;
  readonly detect_mult: number;
  readonly disc: number;
  readonly dst_ip: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly logical_port: string;
  readonly min_rx: number;
  readonly min_tx: number;
  readonly options: ReadonlyMap<string, string>;
  readonly src_port: number;
  readonly status: 'down' | 'init' | 'up' | 'admin_down';
}

/** Columns of `Chassis`. */
export interface Chassis {
  readonly encaps: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly hostname: string;
  readonly name: string;
  readonly nb_cfg: number;
  readonly other_config: ReadonlyMap<string, string>;
  readonly transport_zones: readonly string[];
  readonly vtep_logical_switches: readonly string[];
}

/** Columns of `Chassis_Private`. */
export interface ChassisPrivate {
  readonly chassis: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly name: string;
  readonly nb_cfg: number;
  readonly nb_cfg_timestamp: number;
}

/** Columns of `Chassis_Template_Var`. */
export interface ChassisTemplateVar {
  readonly chassis: string;
  readonly variables: ReadonlyMap<string, string>;
}

/** Columns of `Connection`. */
export interface Connection {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly inactivity_probe: number | undefined;
  readonly is_connected: boolean;
  readonly max_backoff: number | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly read_only: boolean;
  readonly role: string;
  readonly status: ReadonlyMap<string, string>;
  readonly target: string;
}

/** Columns of `Controller_Event`. */
export interface ControllerEvent {
  readonly chassis: string | undefined;
  readonly event_info: ReadonlyMap<string, string>;
  readonly event_type: 'empty_lb_backends';
  readonly seq_num: number;
}

/** Columns of `DHCP_Options`. */
export interface DHCPOptions {
  readonly code: number;
  readonly name: string;
  readonly type: 'bool' | 'uint8' | 'uint16' | 'uint32' | 'ipv4' | 'static_routes' | 'str' | 'host_id' | 'domains';
}

/** Columns of `DHCPv6_Options`. */
export interface DHCPv6Options {
  readonly code: number;
  readonly name: string;
  readonly type: 'ipv6' | 'str' | 'mac' | 'domain';
}

/** Columns of `DNS`. */
export interface DNS {
  readonly datapaths: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly options: ReadonlyMap<string, string>;
  readonly records: ReadonlyMap<string, string>;
}

/** Columns of `Datapath_Binding`. */
export interface DatapathBinding {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly load_balancers: readonly string[];
  readonly tunnel_key: number;
}

/** Columns of `ECMP_Nexthop`. */
export interface ECMPNexthop {
  readonly datapath: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly mac: string;
  readonly nexthop: string;
  readonly port: string;
}

/** Columns of `Encap`. */
export interface Encap {
  readonly chassis_name: string;
  readonly ip: string;
  readonly options: ReadonlyMap<string, string>;
  readonly type: 'geneve' | 'stt' | 'vxlan';
}

/** Columns of `FDB`. */
export interface FDB {
  readonly dp_key: number;
  readonly mac: string;
  readonly port_key: number;
  readonly timestamp: number;
}

/** Columns of `Gateway_Chassis`. */
export interface GatewayChassis {
  readonly chassis: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly priority: number;
}

/** Columns of `HA_Chassis`. */
export interface HAChassis {
  readonly chassis: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly priority: number;
}

/** Columns of `HA_Chassis_Group`. */
export interface HAChassisGroup {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ha_chassis: readonly string[];
  readonly name: string;
  readonly ref_chassis: readonly string[];
}

/** Columns of `IGMP_Group`. */
export interface IGMPGroup {
  readonly address: string;
  readonly chassis: string | undefined;
  readonly chassis_name: string;
  readonly datapath: string | undefined;
  readonly ports: readonly string[];
  readonly protocol: string;
}

/** Columns of `IP_Multicast`. */
export interface IPMulticast {
  readonly datapath: string;
  readonly enabled: boolean | undefined;
  readonly eth_src: string;
  readonly idle_timeout: number | undefined;
  readonly ip4_src: string;
  readonly ip6_src: string;
  readonly querier: boolean | undefined;
  readonly query_interval: number | undefined;
  readonly query_max_resp: number | undefined;
  readonly seq_no: number;
  readonly table_size: number | undefined;
}

/** Columns of `Learned_Route`. */
export interface LearnedRoute {
  readonly datapath: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ip_prefix: string;
  readonly logical_port: string;
  readonly nexthop: string;
}

/** Columns of `Load_Balancer`. */
export interface LoadBalancer {
  readonly datapath_group: string | undefined;
  readonly datapaths: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly lr_datapath_group: string | undefined;
  readonly ls_datapath_group: string | undefined;
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | undefined;
  readonly vips: ReadonlyMap<string, string>;
}

/** Columns of `Logical_DP_Group`. */
export interface LogicalDPGroup {
  readonly datapaths: readonly string[];
}

/** Columns of `Logical_Flow`. */
export interface LogicalFlow {
  readonly actions: string;
  readonly controller_meter: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly flow_desc: string | undefined;
  readonly logical_datapath: string | undefined;
  readonly logical_dp_group: string | undefined;
  readonly match: string;
  readonly pipeline: 'ingress' | 'egress';
  readonly priority: number;
  readonly table_id: number;
  readonly tags: ReadonlyMap<string, string>;
}

/** Columns of `MAC_Binding`. */
export interface MACBinding {
  readonly datapath: string;
  readonly ip: string;
  readonly logical_port: string;
  readonly mac: string;
  readonly timestamp: number;
}

/** Columns of `Meter`. */
export interface Meter {
  readonly bands: readonly string[];
  readonly name: string;
  readonly unit: 'kbps' | 'pktps';
}

/** Columns of `Meter_Band`. */
export interface MeterBand {
  readonly action: 'drop';
  readonly burst_size: number;
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

/** Columns of `Multicast_Group`. */
export interface MulticastGroup {
  readonly datapath: string;
  readonly name: string;
  readonly ports: readonly string[];
  readonly tunnel_key: number;
}

/** Columns of `Port_Binding`. */
export interface PortBinding {
  readonly additional_chassis: readonly string[];
  readonly additional_encap: readonly string[];
  readonly chassis: string | undefined;
  readonly datapath: string;
  readonly encap: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly gateway_chassis: readonly string[];
  readonly ha_chassis_group: string | undefined;
  readonly logical_port: string;
  readonly mac: readonly string[];
  readonly mirror_rules: readonly string[];
  readonly nat_addresses: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly parent_port: string | undefined;
  readonly port_security: readonly string[];
  readonly requested_additional_chassis: readonly string[];
  readonly requested_chassis: string | undefined;
  readonly tag: number | undefined;
  readonly tunnel_key: number;
  readonly type: string;
  readonly up: boolean | undefined;
  readonly virtual_parent: string | undefined;
}

/** Columns of `Port_Group`. */
export interface PortGroup {
  readonly name: string;
  readonly ports: readonly string[];
}

/** Columns of `RBAC_Permission`. */
export interface RBACPermission {
  readonly authorization: readonly string[];
  readonly insert_delete: boolean;
  readonly table: string;
  readonly update: readonly string[];
}

/** Columns of `RBAC_Role`. */
export interface RBACRole {
  readonly name: string;
  readonly permissions: ReadonlyMap<string, string>;
}

/** Columns of `SB_Global`. */
export interface SBGlobal {
  readonly connections: readonly string[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ipsec: boolean;
  readonly nb_cfg: number;
  readonly options: ReadonlyMap<string, string>;
  readonly ssl: string | undefined;
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

/** Columns of `Service_Monitor`. */
export interface ServiceMonitor {
  readonly chassis_name: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ip: string;
  readonly logical_port: string;
  readonly options: ReadonlyMap<string, string>;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | undefined;
  readonly src_ip: string;
  readonly src_mac: string;
  readonly status: 'online' | 'offline' | 'error' | undefined;
}

/** Columns of `Static_MAC_Binding`. */
export interface StaticMACBinding {
  readonly datapath: string;
  readonly ip: string;
  readonly logical_port: string;
  readonly mac: string;
  readonly override_dynamic_mac: boolean;
}

export type OvnSouthboundTables = {
  readonly ACL_ID: { readonly row: ACLID; readonly references: never };
  readonly Address_Set: { readonly row: AddressSet; readonly references: never };
  readonly Advertised_Route: {
    readonly row: AdvertisedRoute;
    readonly references: 'datapath' | 'logical_port' | 'tracked_port';
  };
  readonly BFD: { readonly row: BFD; readonly references: never };
  readonly Chassis: { readonly row: Chassis; readonly references: 'encaps' };
  readonly Chassis_Private: { readonly row: ChassisPrivate; readonly references: 'chassis' };
  readonly Chassis_Template_Var: { readonly row: ChassisTemplateVar; readonly references: never };
  readonly Connection: { readonly row: Connection; readonly references: never };
  readonly Controller_Event: { readonly row: ControllerEvent; readonly references: 'chassis' };
  readonly DHCP_Options: { readonly row: DHCPOptions; readonly references: never };
  readonly DHCPv6_Options: { readonly row: DHCPv6Options; readonly references: never };
  readonly DNS: { readonly row: DNS; readonly references: 'datapaths' };
  readonly Datapath_Binding: { readonly row: DatapathBinding; readonly references: 'load_balancers' };
  readonly ECMP_Nexthop: { readonly row: ECMPNexthop; readonly references: 'datapath' | 'port' };
  readonly Encap: { readonly row: Encap; readonly references: never };
  readonly FDB: { readonly row: FDB; readonly references: never };
  readonly Gateway_Chassis: { readonly row: GatewayChassis; readonly references: 'chassis' };
  readonly HA_Chassis: { readonly row: HAChassis; readonly references: 'chassis' };
  readonly HA_Chassis_Group: { readonly row: HAChassisGroup; readonly references: 'ha_chassis' | 'ref_chassis' };
  readonly IGMP_Group: { readonly row: IGMPGroup; readonly references: 'chassis' | 'datapath' | 'ports' };
  readonly IP_Multicast: { readonly row: IPMulticast; readonly references: 'datapath' };
  readonly Learned_Route: { readonly row: LearnedRoute; readonly references: 'datapath' | 'logical_port' };
  readonly Load_Balancer: {
    readonly row: LoadBalancer;
    readonly references: 'datapath_group' | 'datapaths' | 'lr_datapath_group' | 'ls_datapath_group';
  };
  readonly Logical_DP_Group: { readonly row: LogicalDPGroup; readonly references: 'datapaths' };
  readonly Logical_Flow: { readonly row: LogicalFlow; readonly references: 'logical_datapath' | 'logical_dp_group' };
  readonly MAC_Binding: { readonly row: MACBinding; readonly references: 'datapath' };
  readonly Meter: { readonly row: Meter; readonly references: 'bands' };
  readonly Meter_Band: { readonly row: MeterBand; readonly references: never };
  readonly Mirror: { readonly row: Mirror; readonly references: never };
  readonly Multicast_Group: { readonly row: MulticastGroup; readonly references: 'datapath' | 'ports' };
  readonly Port_Binding: {
    readonly row: PortBinding;
    readonly references:
      | 'additional_chassis'
      | 'additional_encap'
      | 'chassis'
      | 'datapath'
      | 'encap'
      | 'gateway_chassis'
      | 'ha_chassis_group'
      | 'mirror_rules'
      | 'requested_additional_chassis'
      | 'requested_chassis';
  };
  readonly Port_Group: { readonly row: PortGroup; readonly references: never };
  readonly RBAC_Permission: { readonly row: RBACPermission; readonly references: never };
  readonly RBAC_Role: { readonly row: RBACRole; readonly references: 'permissions' };
  readonly SB_Global: { readonly row: SBGlobal; readonly references: 'connections' | 'ssl' };
  readonly SSL: { readonly row: SSL; readonly references: never };
  readonly Service_Monitor: { readonly row: ServiceMonitor; readonly references: never };
  readonly Static_MAC_Binding: { readonly row: StaticMACBinding; readonly references: 'datapath' };
};

export const ovnSouthbound: DatabaseSchema<OvnSouthboundTables> = {
  name: 'OVN_Southbound',
  version: '20.41.0',
  tables: {
    ACL_ID: {
      isRoot: true,
      indexes: [],
      columns: {
        id: scalar({ type: 'integer', minInteger: 0, maxInteger: 32767 }),
      },
    },
    Address_Set: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        addresses: set('string'),
        name: scalar('string'),
      },
    },
    Advertised_Route: {
      isRoot: true,
      indexes: [['datapath', 'logical_port', 'ip_prefix', 'tracked_port']],
      columns: {
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        external_ids: map('string', 'string'),
        ip_prefix: scalar('string'),
        logical_port: scalar({ type: 'uuid', refTable: 'Port_Binding', refType: 'strong' }),
        tracked_port: optional({ type: 'uuid', refTable: 'Port_Binding', refType: 'strong' }),
      },
    },
    BFD: {
      isRoot: true,
      indexes: [['logical_port', 'dst_ip', 'src_port', 'disc']],
      columns: {
        chassis_name: scalar('string'),
        detect_mult: scalar('integer'),
        disc: scalar('integer'),
        dst_ip: scalar('string'),
        external_ids: map('string', 'string'),
        logical_port: scalar('string'),
        min_rx: scalar('integer'),
        min_tx: scalar('integer'),
        options: map('string', 'string'),
        src_port: scalar({ type: 'integer', minInteger: 49152, maxInteger: 65535 }),
        status: scalar({ type: 'string', enum: ['down', 'init', 'up', 'admin_down'] }),
      },
    },
    Chassis: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        encaps: set({ type: 'uuid', refTable: 'Encap', refType: 'strong' }, { min: 1, max: Infinity }),
        external_ids: map('string', 'string'),
        hostname: scalar('string'),
        name: scalar('string'),
        nb_cfg: scalar('integer'),
        other_config: map('string', 'string'),
        transport_zones: set('string'),
        vtep_logical_switches: set('string'),
      },
    },
    Chassis_Private: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        chassis: optional({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
        external_ids: map('string', 'string'),
        name: scalar('string'),
        nb_cfg: scalar('integer'),
        nb_cfg_timestamp: scalar('integer'),
      },
    },
    Chassis_Template_Var: {
      isRoot: true,
      indexes: [['chassis']],
      columns: {
        chassis: scalar('string'),
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
        read_only: scalar('boolean'),
        role: scalar('string'),
        status: map('string', 'string', { ephemeral: true }),
        target: scalar('string'),
      },
    },
    Controller_Event: {
      isRoot: true,
      indexes: [],
      columns: {
        chassis: optional({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
        event_info: map('string', 'string'),
        event_type: scalar({ type: 'string', enum: ['empty_lb_backends'] }),
        seq_num: scalar('integer'),
      },
    },
    DHCP_Options: {
      isRoot: true,
      indexes: [],
      columns: {
        code: scalar({ type: 'integer', minInteger: 0, maxInteger: 254 }),
        name: scalar('string'),
        type: scalar({
          type: 'string',
          enum: ['bool', 'uint8', 'uint16', 'uint32', 'ipv4', 'static_routes', 'str', 'host_id', 'domains'],
        }),
      },
    },
    DHCPv6_Options: {
      isRoot: true,
      indexes: [],
      columns: {
        code: scalar({ type: 'integer', minInteger: 0, maxInteger: 254 }),
        name: scalar('string'),
        type: scalar({ type: 'string', enum: ['ipv6', 'str', 'mac', 'domain'] }),
      },
    },
    DNS: {
      isRoot: true,
      indexes: [],
      columns: {
        datapaths: set({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }, { min: 1, max: Infinity }),
        external_ids: map('string', 'string'),
        options: map('string', 'string'),
        records: map('string', 'string'),
      },
    },
    Datapath_Binding: {
      isRoot: true,
      indexes: [['tunnel_key']],
      columns: {
        external_ids: map('string', 'string'),
        load_balancers: set('uuid'),
        tunnel_key: scalar({ type: 'integer', minInteger: 1, maxInteger: 16777215 }),
      },
    },
    ECMP_Nexthop: {
      isRoot: true,
      indexes: [['nexthop', 'port']],
      columns: {
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        external_ids: map('string', 'string'),
        mac: scalar('string'),
        nexthop: scalar('string'),
        port: scalar({ type: 'uuid', refTable: 'Port_Binding', refType: 'strong' }),
      },
    },
    Encap: {
      isRoot: false,
      indexes: [['type', 'ip']],
      columns: {
        chassis_name: scalar('string'),
        ip: scalar('string'),
        options: map('string', 'string'),
        type: scalar({ type: 'string', enum: ['geneve', 'stt', 'vxlan'] }),
      },
    },
    FDB: {
      isRoot: true,
      indexes: [['mac', 'dp_key']],
      columns: {
        dp_key: scalar({ type: 'integer', minInteger: 1, maxInteger: 16777215 }),
        mac: scalar('string'),
        port_key: scalar({ type: 'integer', minInteger: 1, maxInteger: 16777215 }),
        timestamp: scalar('integer'),
      },
    },
    Gateway_Chassis: {
      isRoot: false,
      indexes: [['name']],
      columns: {
        chassis: optional({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
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
        chassis: optional({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
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
        ref_chassis: set({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
      },
    },
    IGMP_Group: {
      isRoot: true,
      indexes: [['address', 'datapath', 'chassis']],
      columns: {
        address: scalar('string'),
        chassis: optional({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
        chassis_name: scalar('string'),
        datapath: optional({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'weak' }),
        ports: set({ type: 'uuid', refTable: 'Port_Binding', refType: 'weak' }),
        protocol: scalar('string'),
      },
    },
    IP_Multicast: {
      isRoot: true,
      indexes: [['datapath']],
      columns: {
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'weak' }),
        enabled: optional('boolean'),
        eth_src: scalar('string'),
        idle_timeout: optional('integer'),
        ip4_src: scalar('string'),
        ip6_src: scalar('string'),
        querier: optional('boolean'),
        query_interval: optional('integer'),
        query_max_resp: optional('integer'),
        seq_no: scalar('integer'),
        table_size: optional('integer'),
      },
    },
    Learned_Route: {
      isRoot: true,
      indexes: [['datapath', 'logical_port', 'ip_prefix', 'nexthop']],
      columns: {
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        external_ids: map('string', 'string'),
        ip_prefix: scalar('string'),
        logical_port: scalar({ type: 'uuid', refTable: 'Port_Binding', refType: 'strong' }),
        nexthop: scalar('string'),
      },
    },
    Load_Balancer: {
      isRoot: true,
      indexes: [],
      columns: {
        datapath_group: optional({ type: 'uuid', refTable: 'Logical_DP_Group', refType: 'strong' }),
        datapaths: set({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        external_ids: map('string', 'string'),
        lr_datapath_group: optional({ type: 'uuid', refTable: 'Logical_DP_Group', refType: 'strong' }),
        ls_datapath_group: optional({ type: 'uuid', refTable: 'Logical_DP_Group', refType: 'strong' }),
        name: scalar('string'),
        options: map('string', 'string'),
        protocol: optional({ type: 'string', enum: ['tcp', 'udp', 'sctp'] }),
        vips: map('string', 'string'),
      },
    },
    Logical_DP_Group: {
      isRoot: false,
      indexes: [],
      columns: {
        datapaths: set({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'weak' }),
      },
    },
    Logical_Flow: {
      isRoot: true,
      indexes: [],
      columns: {
        actions: scalar('string'),
        controller_meter: optional('string'),
        external_ids: map('string', 'string'),
        flow_desc: optional('string'),
        logical_datapath: optional({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        logical_dp_group: optional({ type: 'uuid', refTable: 'Logical_DP_Group', refType: 'strong' }),
        match: scalar('string'),
        pipeline: scalar({ type: 'string', enum: ['ingress', 'egress'] }),
        priority: scalar({ type: 'integer', minInteger: 0, maxInteger: 65535 }),
        table_id: scalar({ type: 'integer', minInteger: 0, maxInteger: 32 }),
        tags: map('string', 'string'),
      },
    },
    MAC_Binding: {
      isRoot: true,
      indexes: [['logical_port', 'ip']],
      columns: {
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        ip: scalar('string'),
        logical_port: scalar('string'),
        mac: scalar('string'),
        timestamp: scalar('integer'),
      },
    },
    Meter: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        bands: set({ type: 'uuid', refTable: 'Meter_Band', refType: 'strong' }, { min: 1, max: Infinity }),
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
    Multicast_Group: {
      isRoot: true,
      indexes: [
        ['datapath', 'tunnel_key'],
        ['datapath', 'name'],
      ],
      columns: {
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        name: scalar('string'),
        ports: set({ type: 'uuid', refTable: 'Port_Binding', refType: 'weak' }),
        tunnel_key: scalar({ type: 'integer', minInteger: 32768, maxInteger: 65535 }),
      },
    },
    Port_Binding: {
      isRoot: true,
      indexes: [['datapath', 'tunnel_key'], ['logical_port']],
      columns: {
        additional_chassis: set({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
        additional_encap: set({ type: 'uuid', refTable: 'Encap', refType: 'weak' }),
        chassis: optional({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        encap: optional({ type: 'uuid', refTable: 'Encap', refType: 'weak' }),
        external_ids: map('string', 'string'),
        gateway_chassis: set({ type: 'uuid', refTable: 'Gateway_Chassis', refType: 'strong' }),
        ha_chassis_group: optional({ type: 'uuid', refTable: 'HA_Chassis_Group', refType: 'strong' }),
        logical_port: scalar('string'),
        mac: set('string'),
        mirror_rules: set({ type: 'uuid', refTable: 'Mirror', refType: 'weak' }),
        nat_addresses: set('string'),
        options: map('string', 'string'),
        parent_port: optional('string'),
        port_security: set('string'),
        requested_additional_chassis: set({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
        requested_chassis: optional({ type: 'uuid', refTable: 'Chassis', refType: 'weak' }),
        tag: optional({ type: 'integer', minInteger: 1, maxInteger: 4095 }),
        tunnel_key: scalar({ type: 'integer', minInteger: 1, maxInteger: 32767 }),
        type: scalar('string'),
        up: optional('boolean'),
        virtual_parent: optional('string'),
      },
    },
    Port_Group: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        name: scalar('string'),
        ports: set('string'),
      },
    },
    RBAC_Permission: {
      isRoot: true,
      indexes: [],
      columns: {
        authorization: set('string'),
        insert_delete: scalar('boolean'),
        table: scalar('string'),
        update: set('string'),
      },
    },
    RBAC_Role: {
      isRoot: true,
      indexes: [],
      columns: {
        name: scalar('string'),
        permissions: map('string', { type: 'uuid', refTable: 'RBAC_Permission', refType: 'weak' }),
      },
    },
    SB_Global: {
      isRoot: true,
      indexes: [],
      maxRows: 1,
      columns: {
        connections: set({ type: 'uuid', refTable: 'Connection', refType: 'strong' }),
        external_ids: map('string', 'string'),
        ipsec: scalar('boolean'),
        nb_cfg: scalar('integer'),
        options: map('string', 'string'),
        ssl: optional({ type: 'uuid', refTable: 'SSL', refType: 'strong' }),
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
    Service_Monitor: {
      isRoot: true,
      indexes: [['logical_port', 'ip', 'port', 'protocol']],
      columns: {
        chassis_name: scalar('string'),
        external_ids: map('string', 'string'),
        ip: scalar('string'),
        logical_port: scalar('string'),
        options: map('string', 'string'),
        port: scalar({ type: 'integer', minInteger: 0, maxInteger: 65535 }),
        protocol: optional({ type: 'string', enum: ['tcp', 'udp'] }),
        src_ip: scalar('string'),
        src_mac: scalar('string'),
        status: optional({ type: 'string', enum: ['online', 'offline', 'error'] }),
      },
    },
    Static_MAC_Binding: {
      isRoot: true,
      indexes: [['logical_port', 'ip']],
      columns: {
        datapath: scalar({ type: 'uuid', refTable: 'Datapath_Binding', refType: 'strong' }),
        ip: scalar('string'),
        logical_port: scalar('string'),
        mac: scalar('string'),
        override_dynamic_mac: scalar('boolean'),
      },
    },
  },
};
