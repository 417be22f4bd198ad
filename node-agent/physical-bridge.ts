import type { OpenVswitchTables } from '#ovsdb/schemas/open-vswitch.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import type { Config } from './config.ts';

/** A bridge of this node's switch, as far as physical networks go. */
export interface BridgeState {
  readonly uuid: string;
  readonly name: string;
  readonly external_ids: ReadonlyMap<string, string>;
}

export type PhysicalNetwork = Config['physicalNetworks'][number];

/** On a `Bridge`: the NIC that the agent put there, and by that the bridge is ours to remove. */
export const nicMark = 'hawser:nic';

/**
 * `ovn-bridge-mappings` as it is to be (ovn-controller(8)): the configured networks, and whatever others have put there. What names a
 * bridge of ours that is not configured any more goes.
 * @returns undefined when there is nothing to be said and nobody has said anything.
 */
export function bridgeMappings(
  current: string | undefined,
  networks: readonly PhysicalNetwork[],
  bridges: readonly BridgeState[],
): string | undefined {
  const mappings = new Map(networks.map(({ name, bridge }) => [name, bridge]));
  const stale = new Set(staleBridges(networks, bridges).map(({ name }) => name));
  for (const word of (current ?? '').split(',')) {
    const [name = '', bridge = ''] = word.split(':');
    if (name !== '' && !mappings.has(name) && !stale.has(bridge)) mappings.set(name, bridge);
  }
  if (mappings.size === 0 && current === undefined) return undefined;
  return [...mappings].map((pair) => pair.join(':')).join(',');
}

/** Bridges that the agent made for networks that are not in its configuration any more. */
export function staleBridges(
  networks: readonly PhysicalNetwork[],
  bridges: readonly BridgeState[],
): readonly (BridgeState & { readonly nic: string })[] {
  return bridges.flatMap((bridge) => {
    const nic = bridge.external_ids.get(nicMark);
    const isWanted = networks.some((network) => network.bridge === bridge.name && network.nic === nic);
    return nic === undefined || isWanted ? [] : [{ ...bridge, nic }];
  });
}

/** A bridge with the NIC as its port. Its own device has the NIC's MAC and MTU, so that nobody outside sees a difference. */
export function addBridgeOperations(
  rootUuid: string,
  { bridge, nic }: { readonly bridge: string; readonly nic: string },
  { mac, mtuBytes }: { readonly mac: string; readonly mtuBytes: number },
  datapathType: Config['datapathType'],
): Operation<OpenVswitchTables>[] {
  return [
    {
      op: 'insert',
      table: 'Interface',
      uuidName: 'bridge_interface',
      row: { name: bridge, type: 'internal', mtu_request: mtuBytes },
    },
    {
      op: 'insert',
      table: 'Port',
      uuidName: 'bridge_port',
      row: { name: bridge, interfaces: [{ named: 'bridge_interface' }] },
    },
    { op: 'insert', table: 'Interface', uuidName: 'nic_interface', row: { name: nic } },
    { op: 'insert', table: 'Port', uuidName: 'nic_port', row: { name: nic, interfaces: [{ named: 'nic_interface' }] } },
    {
      op: 'insert',
      table: 'Bridge',
      uuidName: 'physical_bridge',
      row: {
        name: bridge,
        ports: [{ named: 'bridge_port' }, { named: 'nic_port' }],
        datapath_type: datapathType,
        // Without a controller it goes on as an ordinary switch: the node is reached whatever happens to OVN.
        fail_mode: 'standalone',
        other_config: { hwaddr: mac },
        external_ids: { [nicMark]: nic },
      },
    },
    {
      op: 'mutate',
      table: 'Open_vSwitch',
      where: { _uuid: rootUuid },
      mutations: [['bridges', 'insert', [{ named: 'physical_bridge' }]]],
    },
  ];
}

export function removeBridgeOperations(rootUuid: string, { uuid }: BridgeState): Operation<OpenVswitchTables>[] {
  return [
    { op: 'mutate', table: 'Open_vSwitch', where: { _uuid: rootUuid }, mutations: [['bridges', 'delete', [uuid]]] },
  ];
}
