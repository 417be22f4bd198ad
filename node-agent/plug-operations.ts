import type { OpenVswitchTables } from '#ovsdb/schemas/open-vswitch.ts';
import type { Operation } from '#ovsdb/transaction/operation.ts';
import { marksOf, type SwitchPort } from './switch-port.ts';

/** A port of ours with the UUID of its `Port` row. */
export interface PluggedPort extends SwitchPort {
  readonly portUuid: string;
}

/**
 * Puts the port on the bridge, in one transaction with the removal of every port of ours that has the same device or the same
 * `iface-id`: the newest sandbox has the port, and ovn-controller must never see two interfaces for one logical port.
 */
export function plugOperations(
  bridgeUuid: string,
  port: SwitchPort,
  plugged: Iterable<PluggedPort>,
): Operation<OpenVswitchTables>[] {
  const superseded = [...plugged].filter(
    ({ device, logicalPort }) => device === port.device || logicalPort === port.logicalPort,
  );
  return [
    ...unplugOperations(bridgeUuid, superseded),
    {
      op: 'insert',
      table: 'Interface',
      uuidName: 'new_interface',
      row: { name: port.device, external_ids: marksOf(port) },
    },
    {
      op: 'insert',
      table: 'Port',
      uuidName: 'new_port',
      row: { name: port.device, interfaces: [{ named: 'new_interface' }] },
    },
    {
      op: 'mutate',
      table: 'Bridge',
      where: { _uuid: bridgeUuid },
      mutations: [['ports', 'insert', [{ named: 'new_port' }]]],
    },
  ];
}

/**
 * Asks ovs-vswitchd to say when it has done all that came before: it copies `next_cfg` to `cur_cfg` then (ovs-vswitchd.conf.db(5)).
 * The last result holds the number to wait for.
 */
export function fenceOperations(rootUuid: string): Operation<OpenVswitchTables>[] {
  const where = { _uuid: rootUuid };
  return [
    { op: 'mutate', table: 'Open_vSwitch', where, mutations: [['next_cfg', '+=', 1]] },
    { op: 'select', table: 'Open_vSwitch', where, columns: ['next_cfg'] },
  ];
}

/** `Port` and `Interface` are no root tables: without a bridge they go. */
export function unplugOperations(bridgeUuid: string, ports: readonly PluggedPort[]): Operation<OpenVswitchTables>[] {
  if (ports.length === 0) return [];
  return [
    {
      op: 'mutate',
      table: 'Bridge',
      where: { _uuid: bridgeUuid },
      mutations: [['ports', 'delete', ports.map(({ portUuid }) => portUuid)]],
    },
  ];
}
