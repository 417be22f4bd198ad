import { expect, test } from 'vitest';
import { chassisExternalIds, chassisOperations } from '#node-agent/chassis.ts';
import { parseConfig } from '#node-agent/config.ts';

const config = parseConfig(
  JSON.stringify({
    nodeName: 'node-a',
    southbound: ['tcp:10.0.0.1:6642', 'tcp:10.0.0.2:6642'],
    encap: { ip: '172.16.0.11' },
    datapathType: 'netdev',
  }),
  'agent.json',
);
const root = { uuid: 'r', external_ids: new Map(Object.entries(chassisExternalIds(config))) };
const bridge = {
  uuid: 'b',
  datapath_type: 'netdev',
  fail_mode: 'secure',
  other_config: new Map([['disable-in-band', 'true']]),
} as const;

test('a new node gets its bridge and its external_ids in one transaction', () => {
  expect(
    chassisOperations(
      { root: { ...root, external_ids: new Map([['rundir', '/run']]) }, bridge: undefined, bridges: [] },
      config,
    ),
  ).toEqual([
    {
      op: 'mutate',
      table: 'Open_vSwitch',
      where: { _uuid: 'r' },
      mutations: [
        ['external_ids', 'delete', Object.keys(chassisExternalIds(config))],
        ['external_ids', 'insert', chassisExternalIds(config)],
      ],
    },
    { op: 'insert', table: 'Interface', uuidName: 'local_interface', row: { name: 'br-int', type: 'internal' } },
    {
      op: 'insert',
      table: 'Port',
      uuidName: 'local_port',
      row: { name: 'br-int', interfaces: [{ named: 'local_interface' }] },
    },
    {
      op: 'insert',
      table: 'Bridge',
      uuidName: 'integration_bridge',
      row: {
        name: 'br-int',
        ports: [{ named: 'local_port' }],
        datapath_type: 'netdev',
        fail_mode: 'secure',
        other_config: { 'disable-in-band': 'true' },
      },
    },
    {
      op: 'mutate',
      table: 'Open_vSwitch',
      where: { _uuid: 'r' },
      mutations: [['bridges', 'insert', [{ named: 'integration_bridge' }]]],
    },
  ]);
});

test('the chassis is named for the node, in system-id and in hostname', () => {
  expect(chassisExternalIds(config)).toMatchObject({
    'system-id': 'node-a',
    hostname: 'node-a',
    'ovn-remote': 'tcp:10.0.0.1:6642,tcp:10.0.0.2:6642',
    'ovn-encap-type': 'geneve',
    'ovn-encap-ip': '172.16.0.11',
    'ovn-bridge-datapath-type': 'netdev',
    'ovn-monitor-all': 'true',
  });
});

test('a node that is as configured is not written to', () => {
  expect(chassisOperations({ root, bridge, bridges: [] }, config)).toEqual([]);
});

test('only what differs is written', () => {
  const moved = { ...root, external_ids: new Map([...root.external_ids, ['ovn-encap-ip', '172.16.0.99']]) };
  const opened = { ...bridge, fail_mode: 'standalone' } as const;
  expect(chassisOperations({ root: moved, bridge: opened, bridges: [] }, config)).toEqual([
    {
      op: 'mutate',
      table: 'Open_vSwitch',
      where: { _uuid: 'r' },
      mutations: [
        ['external_ids', 'delete', ['ovn-encap-ip']],
        ['external_ids', 'insert', { 'ovn-encap-ip': '172.16.0.11' }],
      ],
    },
    { op: 'update', table: 'Bridge', where: { _uuid: 'b' }, row: { datapath_type: 'netdev', fail_mode: 'secure' } },
  ]);
});
