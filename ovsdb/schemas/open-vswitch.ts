// Made by `npm run codegen` from open-vswitch.ovsschema. Do not edit.
import { map, optional, scalar, set } from '../column-types.ts';
import type { DatabaseSchema } from '../schema.ts';

/** Columns of `AutoAttach`. */
export interface AutoAttach {
  readonly mappings: ReadonlyMap<number, number>;
  readonly system_description: string;
  readonly system_name: string;
}

/** Columns of `Bridge`. */
export interface Bridge {
  readonly auto_attach: string | undefined;
  readonly controller: readonly string[];
  readonly datapath_id: string | undefined;
  readonly datapath_type: string;
  readonly datapath_version: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly fail_mode: 'standalone' | 'secure' | undefined;
  readonly flood_vlans: readonly number[];
  readonly flow_tables: ReadonlyMap<number, string>;
  readonly ipfix: string | undefined;
  readonly mcast_snooping_enable: boolean;
  readonly mirrors: readonly string[];
  readonly name: string;
  readonly netflow: string | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly ports: readonly string[];
  readonly protocols: readonly (
    | 'OpenFlow10'
    | 'OpenFlow11'
    | 'OpenFlow12'
    | 'OpenFlow13'
    | 'OpenFlow14'
    | 'OpenFlow15'
  )[];
  readonly rstp_enable: boolean;
  readonly rstp_status: ReadonlyMap<string, string>;
  readonly sflow: string | undefined;
  readonly status: ReadonlyMap<string, string>;
  readonly stp_enable: boolean;
}

/** Columns of `CT_Timeout_Policy`. */
export interface CTTimeoutPolicy {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly timeouts: ReadonlyMap<
    | 'tcp_syn_sent'
    | 'tcp_syn_recv'
    | 'tcp_established'
    | 'tcp_fin_wait'
    | 'tcp_close_wait'
    | 'tcp_last_ack'
    | 'tcp_time_wait'
    | 'tcp_close'
    | 'tcp_syn_sent2'
    | 'tcp_retransmit'
    | 'tcp_unack'
    | 'udp_first'
    | 'udp_single'
    | 'udp_multiple'
    | 'icmp_first'
    | 'icmp_reply',
    number
  >;
}

/** Columns of `CT_Zone`. */
export interface CTZone {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly limit: number | undefined;
  readonly timeout_policy: string | undefined;
}

/** Columns of `Controller`. */
export interface Controller {
  readonly connection_mode: 'in-band' | 'out-of-band' | undefined;
  readonly controller_burst_limit: number | undefined;
  readonly controller_queue_size: number | undefined;
  readonly controller_rate_limit: number | undefined;
  readonly enable_async_messages: boolean | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly inactivity_probe: number | undefined;
  readonly is_connected: boolean;
  readonly local_gateway: string | undefined;
  readonly local_ip: string | undefined;
  readonly local_netmask: string | undefined;
  readonly max_backoff: number | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly role: 'other' | 'master' | 'slave' | undefined;
  readonly status: ReadonlyMap<string, string>;
  readonly target: string;
  readonly type: 'primary' | 'service' | undefined;
}

/** Columns of `Datapath`. */
export interface Datapath {
  readonly capabilities: ReadonlyMap<string, string>;
  readonly ct_zone_default_limit: number | undefined;
  readonly ct_zones: ReadonlyMap<number, string>;
  readonly datapath_version: string;
  readonly external_ids: ReadonlyMap<string, string>;
}

/** Columns of `Flow_Sample_Collector_Set`. */
export interface FlowSampleCollectorSet {
  readonly bridge: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly id: number;
  readonly ipfix: string | undefined;
  readonly local_group_id: number | undefined;
}

/** Columns of `Flow_Table`. */
export interface FlowTable {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly flow_limit: number | undefined;
  readonly groups: readonly string[];
  readonly name: string | undefined;
  readonly overflow_policy: 'refuse' | 'evict' | undefined;
  readonly prefixes: readonly string[];
}

/** Columns of `IPFIX`. */
export interface IPFIX {
  readonly cache_active_timeout: number | undefined;
  readonly cache_max_flows: number | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly obs_domain_id: number | undefined;
  readonly obs_point_id: number | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly sampling: number | undefined;
  readonly stats_interval: number | undefined;
  readonly targets: readonly string[];
  readonly template_interval: number | undefined;
}

/** Columns of `Interface`. */
export interface Interface {
  readonly admin_state: 'up' | 'down' | undefined;
  readonly bfd: ReadonlyMap<string, string>;
  readonly bfd_status: ReadonlyMap<string, string>;
  readonly cfm_fault: boolean | undefined;
  readonly cfm_fault_status: readonly string[];
  readonly cfm_flap_count: number | undefined;
  readonly cfm_health: number | undefined;
  readonly cfm_mpid: number | undefined;
  readonly cfm_remote_mpids: readonly number[];
  readonly cfm_remote_opstate: 'up' | 'down' | undefined;
  readonly duplex: 'half' | 'full' | undefined;
  readonly error: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly ifindex: number | undefined;
  readonly ingress_policing_burst: number;
  readonly ingress_policing_kpkts_burst: number;
  readonly ingress_policing_kpkts_rate: number;
  readonly ingress_policing_rate: number;
  readonly lacp_current: boolean | undefined;
  readonly link_resets: number | undefined;
  readonly link_speed: number | undefined;
  readonly link_state: 'up' | 'down' | undefined;
  readonly lldp: ReadonlyMap<string, string>;
  readonly mac: string | undefined;
  readonly mac_in_use: string | undefined;
  readonly mtu: number | undefined;
  readonly mtu_request: number | undefined;
  readonly name: string;
  readonly ofport: number | undefined;
  readonly ofport_request: number | undefined;
  readonly options: ReadonlyMap<string, string>;
  readonly other_config: ReadonlyMap<string, string>;
  readonly statistics: ReadonlyMap<string, number>;
  readonly status: ReadonlyMap<string, string>;
  readonly type: string;
}

/** Columns of `Manager`. */
export interface Manager {
  readonly connection_mode: 'in-band' | 'out-of-band' | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly inactivity_probe: number | undefined;
  readonly is_connected: boolean;
  readonly max_backoff: number | undefined;
  readonly other_config: ReadonlyMap<string, string>;
  readonly status: ReadonlyMap<string, string>;
  readonly target: string;
}

/** Columns of `Mirror`. */
export interface Mirror {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly filter: string | undefined;
  readonly name: string;
  readonly output_port: string | undefined;
  readonly output_vlan: number | undefined;
  readonly select_all: boolean;
  readonly select_dst_port: readonly string[];
  readonly select_src_port: readonly string[];
  readonly select_vlan: readonly number[];
  readonly snaplen: number | undefined;
  readonly statistics: ReadonlyMap<string, number>;
}

/** Columns of `NetFlow`. */
export interface NetFlow {
  readonly active_timeout: number;
  readonly add_id_to_interface: boolean;
  readonly engine_id: number | undefined;
  readonly engine_type: number | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly targets: readonly string[];
}

/** Columns of `Open_vSwitch`. */
export interface OpenVSwitch {
  readonly bridges: readonly string[];
  readonly cur_cfg: number;
  readonly datapath_types: readonly string[];
  readonly datapaths: ReadonlyMap<string, string>;
  readonly db_version: string | undefined;
  readonly dpdk_initialized: boolean;
  readonly dpdk_version: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly iface_types: readonly string[];
  readonly manager_options: readonly string[];
  readonly next_cfg: number;
  readonly other_config: ReadonlyMap<string, string>;
  readonly ovs_version: string | undefined;
  readonly ssl: string | undefined;
  readonly statistics: ReadonlyMap<string, string>;
  readonly system_type: string | undefined;
  readonly system_version: string | undefined;
}

/** Columns of `Port`. */
export interface Port {
  readonly bond_active_slave: string | undefined;
  readonly bond_downdelay: number;
  readonly bond_fake_iface: boolean;
  readonly bond_mode: 'balance-tcp' | 'balance-slb' | 'active-backup' | undefined;
  readonly bond_updelay: number;
  readonly cvlans: readonly number[];
  readonly external_ids: ReadonlyMap<string, string>;
  readonly fake_bridge: boolean;
  readonly interfaces: readonly string[];
  readonly lacp: 'active' | 'passive' | 'off' | undefined;
  readonly mac: string | undefined;
  readonly name: string;
  readonly other_config: ReadonlyMap<string, string>;
  readonly protected: boolean;
  readonly qos: string | undefined;
  readonly rstp_statistics: ReadonlyMap<string, number>;
  readonly rstp_status: ReadonlyMap<string, string>;
  readonly statistics: ReadonlyMap<string, number>;
  readonly status: ReadonlyMap<string, string>;
  readonly tag: number | undefined;
  readonly trunks: readonly number[];
  readonly vlan_mode: 'trunk' | 'access' | 'native-tagged' | 'native-untagged' | 'dot1q-tunnel' | undefined;
}

/** Columns of `QoS`. */
export interface QoS {
  readonly external_ids: ReadonlyMap<string, string>;
  readonly other_config: ReadonlyMap<string, string>;
  readonly queues: ReadonlyMap<number, string>;
  readonly type: string;
}

/** Columns of `Queue`. */
export interface Queue {
  readonly dscp: number | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly other_config: ReadonlyMap<string, string>;
}

/** Columns of `SSL`. */
export interface SSL {
  readonly bootstrap_ca_cert: boolean;
  readonly ca_cert: string;
  readonly certificate: string;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly private_key: string;
}

/** Columns of `sFlow`. */
export interface SFlow {
  readonly agent: string | undefined;
  readonly external_ids: ReadonlyMap<string, string>;
  readonly header: number | undefined;
  readonly polling: number | undefined;
  readonly sampling: number | undefined;
  readonly targets: readonly string[];
}

export type OpenVswitchTables = {
  readonly AutoAttach: { readonly row: AutoAttach; readonly references: never };
  readonly Bridge: {
    readonly row: Bridge;
    readonly references:
      | 'auto_attach'
      | 'controller'
      | 'flow_tables'
      | 'ipfix'
      | 'mirrors'
      | 'netflow'
      | 'ports'
      | 'sflow';
  };
  readonly CT_Timeout_Policy: { readonly row: CTTimeoutPolicy; readonly references: never };
  readonly CT_Zone: { readonly row: CTZone; readonly references: 'timeout_policy' };
  readonly Controller: { readonly row: Controller; readonly references: never };
  readonly Datapath: { readonly row: Datapath; readonly references: 'ct_zones' };
  readonly Flow_Sample_Collector_Set: { readonly row: FlowSampleCollectorSet; readonly references: 'bridge' | 'ipfix' };
  readonly Flow_Table: { readonly row: FlowTable; readonly references: never };
  readonly IPFIX: { readonly row: IPFIX; readonly references: never };
  readonly Interface: { readonly row: Interface; readonly references: never };
  readonly Manager: { readonly row: Manager; readonly references: never };
  readonly Mirror: { readonly row: Mirror; readonly references: 'output_port' | 'select_dst_port' | 'select_src_port' };
  readonly NetFlow: { readonly row: NetFlow; readonly references: never };
  readonly Open_vSwitch: {
    readonly row: OpenVSwitch;
    readonly references: 'bridges' | 'datapaths' | 'manager_options' | 'ssl';
  };
  readonly Port: { readonly row: Port; readonly references: 'interfaces' | 'qos' };
  readonly QoS: { readonly row: QoS; readonly references: 'queues' };
  readonly Queue: { readonly row: Queue; readonly references: never };
  readonly SSL: { readonly row: SSL; readonly references: never };
  readonly sFlow: { readonly row: SFlow; readonly references: never };
};

export const openVswitch: DatabaseSchema<OpenVswitchTables> = {
  name: 'Open_vSwitch',
  version: '8.8.0',
  tables: {
    AutoAttach: {
      isRoot: false,
      indexes: [],
      columns: {
        mappings: map(
          { type: 'integer', minInteger: 0, maxInteger: 16777215 },
          { type: 'integer', minInteger: 0, maxInteger: 4095 },
        ),
        system_description: scalar('string'),
        system_name: scalar('string'),
      },
    },
    Bridge: {
      isRoot: false,
      indexes: [['name']],
      columns: {
        auto_attach: optional({ type: 'uuid', refTable: 'AutoAttach', refType: 'strong' }),
        controller: set({ type: 'uuid', refTable: 'Controller', refType: 'strong' }),
        datapath_id: optional('string', { ephemeral: true }),
        datapath_type: scalar('string'),
        datapath_version: scalar('string'),
        external_ids: map('string', 'string'),
        fail_mode: optional({ type: 'string', enum: ['standalone', 'secure'] }),
        flood_vlans: set({ type: 'integer', minInteger: 0, maxInteger: 4095 }, { min: 0, max: 4096 }),
        flow_tables: map(
          { type: 'integer', minInteger: 0, maxInteger: 254 },
          { type: 'uuid', refTable: 'Flow_Table', refType: 'strong' },
        ),
        ipfix: optional({ type: 'uuid', refTable: 'IPFIX', refType: 'strong' }),
        mcast_snooping_enable: scalar('boolean'),
        mirrors: set({ type: 'uuid', refTable: 'Mirror', refType: 'strong' }),
        name: scalar('string', { immutable: true }),
        netflow: optional({ type: 'uuid', refTable: 'NetFlow', refType: 'strong' }),
        other_config: map('string', 'string'),
        ports: set({ type: 'uuid', refTable: 'Port', refType: 'strong' }),
        protocols: set({
          type: 'string',
          enum: ['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'],
        }),
        rstp_enable: scalar('boolean'),
        rstp_status: map('string', 'string', { ephemeral: true }),
        sflow: optional({ type: 'uuid', refTable: 'sFlow', refType: 'strong' }),
        status: map('string', 'string', { ephemeral: true }),
        stp_enable: scalar('boolean'),
      },
    },
    CT_Timeout_Policy: {
      isRoot: false,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        timeouts: map(
          {
            type: 'string',
            enum: [
              'tcp_syn_sent',
              'tcp_syn_recv',
              'tcp_established',
              'tcp_fin_wait',
              'tcp_close_wait',
              'tcp_last_ack',
              'tcp_time_wait',
              'tcp_close',
              'tcp_syn_sent2',
              'tcp_retransmit',
              'tcp_unack',
              'udp_first',
              'udp_single',
              'udp_multiple',
              'icmp_first',
              'icmp_reply',
            ],
          },
          { type: 'integer', minInteger: 0, maxInteger: 4294967295 },
        ),
      },
    },
    CT_Zone: {
      isRoot: false,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        limit: optional({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        timeout_policy: optional({ type: 'uuid', refTable: 'CT_Timeout_Policy', refType: 'strong' }),
      },
    },
    Controller: {
      isRoot: false,
      indexes: [],
      columns: {
        connection_mode: optional({ type: 'string', enum: ['in-band', 'out-of-band'] }),
        controller_burst_limit: optional({ type: 'integer', minInteger: 25 }),
        controller_queue_size: optional({ type: 'integer', minInteger: 1, maxInteger: 512 }),
        controller_rate_limit: optional({ type: 'integer', minInteger: 100 }),
        enable_async_messages: optional('boolean'),
        external_ids: map('string', 'string'),
        inactivity_probe: optional('integer'),
        is_connected: scalar('boolean', { ephemeral: true }),
        local_gateway: optional('string'),
        local_ip: optional('string'),
        local_netmask: optional('string'),
        max_backoff: optional({ type: 'integer', minInteger: 1000 }),
        other_config: map('string', 'string'),
        role: optional({ type: 'string', enum: ['other', 'master', 'slave'] }, { ephemeral: true }),
        status: map('string', 'string', { ephemeral: true }),
        target: scalar('string'),
        type: optional({ type: 'string', enum: ['primary', 'service'] }),
      },
    },
    Datapath: {
      isRoot: false,
      indexes: [],
      columns: {
        capabilities: map('string', 'string'),
        ct_zone_default_limit: optional({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        ct_zones: map(
          { type: 'integer', minInteger: 0, maxInteger: 65535 },
          { type: 'uuid', refTable: 'CT_Zone', refType: 'strong' },
        ),
        datapath_version: scalar('string'),
        external_ids: map('string', 'string'),
      },
    },
    Flow_Sample_Collector_Set: {
      isRoot: true,
      indexes: [['id', 'bridge']],
      columns: {
        bridge: scalar({ type: 'uuid', refTable: 'Bridge', refType: 'strong' }),
        external_ids: map('string', 'string'),
        id: scalar({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        ipfix: optional({ type: 'uuid', refTable: 'IPFIX', refType: 'strong' }),
        local_group_id: optional({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
      },
    },
    Flow_Table: {
      isRoot: false,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        flow_limit: optional({ type: 'integer', minInteger: 0 }),
        groups: set('string'),
        name: optional('string'),
        overflow_policy: optional({ type: 'string', enum: ['refuse', 'evict'] }),
        prefixes: set('string', { min: 0, max: 4 }),
      },
    },
    IPFIX: {
      isRoot: false,
      indexes: [],
      columns: {
        cache_active_timeout: optional({ type: 'integer', minInteger: 0, maxInteger: 4200 }),
        cache_max_flows: optional({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        external_ids: map('string', 'string'),
        obs_domain_id: optional({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        obs_point_id: optional({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }),
        other_config: map('string', 'string'),
        sampling: optional({ type: 'integer', minInteger: 1, maxInteger: 4294967295 }),
        stats_interval: optional({ type: 'integer', minInteger: 1, maxInteger: 3600 }),
        targets: set('string'),
        template_interval: optional({ type: 'integer', minInteger: 1, maxInteger: 3600 }),
      },
    },
    Interface: {
      isRoot: false,
      indexes: [['name']],
      columns: {
        admin_state: optional({ type: 'string', enum: ['up', 'down'] }, { ephemeral: true }),
        bfd: map('string', 'string'),
        bfd_status: map('string', 'string', { ephemeral: true }),
        cfm_fault: optional('boolean', { ephemeral: true }),
        cfm_fault_status: set('string', { ephemeral: true }),
        cfm_flap_count: optional('integer'),
        cfm_health: optional({ type: 'integer', minInteger: 0, maxInteger: 100 }, { ephemeral: true }),
        cfm_mpid: optional('integer'),
        cfm_remote_mpids: set('integer', { ephemeral: true }),
        cfm_remote_opstate: optional({ type: 'string', enum: ['up', 'down'] }, { ephemeral: true }),
        duplex: optional({ type: 'string', enum: ['half', 'full'] }, { ephemeral: true }),
        error: optional('string'),
        external_ids: map('string', 'string'),
        ifindex: optional({ type: 'integer', minInteger: 0, maxInteger: 4294967295 }, { ephemeral: true }),
        ingress_policing_burst: scalar({ type: 'integer', minInteger: 0 }),
        ingress_policing_kpkts_burst: scalar({ type: 'integer', minInteger: 0 }),
        ingress_policing_kpkts_rate: scalar({ type: 'integer', minInteger: 0 }),
        ingress_policing_rate: scalar({ type: 'integer', minInteger: 0 }),
        lacp_current: optional('boolean', { ephemeral: true }),
        link_resets: optional('integer', { ephemeral: true }),
        link_speed: optional('integer', { ephemeral: true }),
        link_state: optional({ type: 'string', enum: ['up', 'down'] }, { ephemeral: true }),
        lldp: map('string', 'string'),
        mac: optional('string'),
        mac_in_use: optional('string', { ephemeral: true }),
        mtu: optional('integer', { ephemeral: true }),
        mtu_request: optional({ type: 'integer', minInteger: 1 }),
        name: scalar('string', { immutable: true }),
        ofport: optional('integer'),
        ofport_request: optional({ type: 'integer', minInteger: 1, maxInteger: 65279 }),
        options: map('string', 'string'),
        other_config: map('string', 'string'),
        statistics: map('string', 'integer', { ephemeral: true }),
        status: map('string', 'string', { ephemeral: true }),
        type: scalar('string'),
      },
    },
    Manager: {
      isRoot: false,
      indexes: [['target']],
      columns: {
        connection_mode: optional({ type: 'string', enum: ['in-band', 'out-of-band'] }),
        external_ids: map('string', 'string'),
        inactivity_probe: optional('integer'),
        is_connected: scalar('boolean', { ephemeral: true }),
        max_backoff: optional({ type: 'integer', minInteger: 1000 }),
        other_config: map('string', 'string'),
        status: map('string', 'string', { ephemeral: true }),
        target: scalar('string'),
      },
    },
    Mirror: {
      isRoot: false,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        filter: optional('string'),
        name: scalar('string'),
        output_port: optional({ type: 'uuid', refTable: 'Port', refType: 'weak' }),
        output_vlan: optional({ type: 'integer', minInteger: 1, maxInteger: 4095 }),
        select_all: scalar('boolean'),
        select_dst_port: set({ type: 'uuid', refTable: 'Port', refType: 'weak' }),
        select_src_port: set({ type: 'uuid', refTable: 'Port', refType: 'weak' }),
        select_vlan: set({ type: 'integer', minInteger: 0, maxInteger: 4095 }, { min: 0, max: 4096 }),
        snaplen: optional({ type: 'integer', minInteger: 14, maxInteger: 65535 }),
        statistics: map('string', 'integer', { ephemeral: true }),
      },
    },
    NetFlow: {
      isRoot: false,
      indexes: [],
      columns: {
        active_timeout: scalar({ type: 'integer', minInteger: -1 }),
        add_id_to_interface: scalar('boolean'),
        engine_id: optional({ type: 'integer', minInteger: 0, maxInteger: 255 }),
        engine_type: optional({ type: 'integer', minInteger: 0, maxInteger: 255 }),
        external_ids: map('string', 'string'),
        targets: set('string', { min: 1, max: Infinity }),
      },
    },
    Open_vSwitch: {
      isRoot: true,
      indexes: [],
      maxRows: 1,
      columns: {
        bridges: set({ type: 'uuid', refTable: 'Bridge', refType: 'strong' }),
        cur_cfg: scalar('integer'),
        datapath_types: set('string'),
        datapaths: map('string', { type: 'uuid', refTable: 'Datapath', refType: 'strong' }),
        db_version: optional('string'),
        dpdk_initialized: scalar('boolean'),
        dpdk_version: optional('string'),
        external_ids: map('string', 'string'),
        iface_types: set('string'),
        manager_options: set({ type: 'uuid', refTable: 'Manager', refType: 'strong' }),
        next_cfg: scalar('integer'),
        other_config: map('string', 'string'),
        ovs_version: optional('string'),
        ssl: optional({ type: 'uuid', refTable: 'SSL', refType: 'strong' }),
        statistics: map('string', 'string', { ephemeral: true }),
        system_type: optional('string'),
        system_version: optional('string'),
      },
    },
    Port: {
      isRoot: false,
      indexes: [['name']],
      columns: {
        bond_active_slave: optional('string'),
        bond_downdelay: scalar('integer'),
        bond_fake_iface: scalar('boolean'),
        bond_mode: optional({ type: 'string', enum: ['balance-tcp', 'balance-slb', 'active-backup'] }),
        bond_updelay: scalar('integer'),
        cvlans: set({ type: 'integer', minInteger: 0, maxInteger: 4095 }, { min: 0, max: 4096 }),
        external_ids: map('string', 'string'),
        fake_bridge: scalar('boolean'),
        interfaces: set({ type: 'uuid', refTable: 'Interface', refType: 'strong' }, { min: 1, max: Infinity }),
        lacp: optional({ type: 'string', enum: ['active', 'passive', 'off'] }),
        mac: optional('string'),
        name: scalar('string', { immutable: true }),
        other_config: map('string', 'string'),
        protected: scalar('boolean'),
        qos: optional({ type: 'uuid', refTable: 'QoS', refType: 'strong' }),
        rstp_statistics: map('string', 'integer', { ephemeral: true }),
        rstp_status: map('string', 'string', { ephemeral: true }),
        statistics: map('string', 'integer', { ephemeral: true }),
        status: map('string', 'string', { ephemeral: true }),
        tag: optional({ type: 'integer', minInteger: 0, maxInteger: 4095 }),
        trunks: set({ type: 'integer', minInteger: 0, maxInteger: 4095 }, { min: 0, max: 4096 }),
        vlan_mode: optional({
          type: 'string',
          enum: ['trunk', 'access', 'native-tagged', 'native-untagged', 'dot1q-tunnel'],
        }),
      },
    },
    QoS: {
      isRoot: true,
      indexes: [],
      columns: {
        external_ids: map('string', 'string'),
        other_config: map('string', 'string'),
        queues: map(
          { type: 'integer', minInteger: 0, maxInteger: 4294967295 },
          { type: 'uuid', refTable: 'Queue', refType: 'strong' },
        ),
        type: scalar('string'),
      },
    },
    Queue: {
      isRoot: true,
      indexes: [],
      columns: {
        dscp: optional({ type: 'integer', minInteger: 0, maxInteger: 63 }),
        external_ids: map('string', 'string'),
        other_config: map('string', 'string'),
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
      },
    },
    sFlow: {
      isRoot: false,
      indexes: [],
      columns: {
        agent: optional('string'),
        external_ids: map('string', 'string'),
        header: optional('integer'),
        polling: optional('integer'),
        sampling: optional('integer'),
        targets: set('string', { min: 1, max: Infinity }),
      },
    },
  },
};
