import type { OpenVswitchTables } from '#ovsdb/schemas/open-vswitch.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { Config } from './config.ts';
import { type BridgeState, bridgeMappings } from './physical-bridge.ts';

type Row<Table extends keyof OpenVswitchTables> = OpenVswitchTables[Table]['row'];

/** What of this node's Open_vSwitch database says what chassis it is. */
export interface ChassisState {
  readonly root: { readonly uuid: string } & Pick<Row<'Open_vSwitch'>, 'external_ids'>;
  /** The integration bridge, if it is there. */
  readonly bridge:
    | ({ readonly uuid: string } & Pick<Row<'Bridge'>, 'datapath_type' | 'fail_mode' | 'other_config'>)
    | undefined;
  /** All bridges there are. */
  readonly bridges: readonly BridgeState[];
}

/**
 * What is missing for this node to be the configured chassis: the integration bridge and ovn-controller(8)'s external_ids.
 * Nothing else in the database is touched; nothing at all when everything is already so.
 */
export function chassisOperations(state: ChassisState, config: Config): Operation<OpenVswitchTables>[] {
  return [...rootOperations(state, config), ...bridgeOperations(state, config)];
}

/** Keys of ovn-controller(8). `system-id` and `hostname` are both the node name: `requested-chassis` matches either. */
export function chassisExternalIds(config: Config): Readonly<Record<string, string>> {
  return {
    'system-id': config.nodeName,
    hostname: config.nodeName,
    'ovn-remote': config.southbound.join(','),
    'ovn-encap-type': config.encap.type,
    'ovn-encap-ip': config.encap.ip,
    'ovn-bridge': config.integrationBridge,
    'ovn-bridge-datapath-type': config.datapathType,
    'ovn-monitor-all': String(config.monitorAll),
    'ovn-remote-probe-interval': String(config.southboundProbeMilliseconds),
  };
}

const mappingsKey = 'ovn-bridge-mappings';

function rootOperations({ root, bridges }: ChassisState, config: Config): Operation<OpenVswitchTables>[] {
  const mappings = bridgeMappings(root.external_ids.get(mappingsKey), config.physicalNetworks, bridges);
  const wanted = { ...chassisExternalIds(config), ...(mappings !== undefined && { [mappingsKey]: mappings }) };
  const changed = Object.entries(wanted).filter(([key, value]) => root.external_ids.get(key) !== value);
  if (changed.length === 0) return [];
  return [
    {
      op: 'mutate',
      table: 'Open_vSwitch',
      where: { _uuid: root.uuid },
      mutations: [
        ['external_ids', 'delete', changed.map(([key]) => key)],
        ['external_ids', 'insert', Object.fromEntries(changed)],
      ],
    },
  ];
}

/** As ovn-controller would make it (controller/ovn-controller.c, create_br_int), with the datapath type that is configured. */
function bridgeOperations({ root, bridge }: ChassisState, config: Config): Operation<OpenVswitchTables>[] {
  const name = config.integrationBridge;
  const wanted = { datapath_type: config.datapathType, fail_mode: 'secure' } as const;
  if (!bridge) {
    return [
      { op: 'insert', table: 'Interface', uuidName: 'local_interface', row: { name, type: 'internal' } },
      {
        op: 'insert',
        table: 'Port',
        uuidName: 'local_port',
        row: { name, interfaces: [{ named: 'local_interface' }] },
      },
      {
        op: 'insert',
        table: 'Bridge',
        uuidName: 'integration_bridge',
        row: { name, ports: [{ named: 'local_port' }], ...wanted, other_config: { 'disable-in-band': 'true' } },
      },
      {
        op: 'mutate',
        table: 'Open_vSwitch',
        where: { _uuid: root.uuid },
        mutations: [['bridges', 'insert', [{ named: 'integration_bridge' }]]],
      },
    ];
  }
  const operations: Operation<OpenVswitchTables>[] = [];
  if (bridge.datapath_type !== wanted.datapath_type || bridge.fail_mode !== wanted.fail_mode) {
    operations.push({ op: 'update', table: 'Bridge', where: { _uuid: bridge.uuid }, row: wanted });
  }
  if (bridge.other_config.get('disable-in-band') !== 'true') {
    operations.push({
      op: 'mutate',
      table: 'Bridge',
      where: { _uuid: bridge.uuid },
      mutations: [
        ['other_config', 'delete', ['disable-in-band']],
        ['other_config', 'insert', { 'disable-in-band': 'true' }],
      ],
    });
  }
  return operations;
}
