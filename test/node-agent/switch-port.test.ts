import { expect, test } from 'vitest';
import { plugOperations, unplugOperations } from '#node-agent/plug-operations.ts';
import { marksOf, readMarks, type SwitchPort } from '#node-agent/switch-port.ts';

const podPort: SwitchPort = {
  device: 'hp000000000001',
  logicalPort: 'vm/default/db',
  mac: '0a:58:0a:f4:00:05',
  attach: 'managedTap',
  sandbox: { podUid: 'p1', containerId: 'c1', interfaceName: 'eth0', network: 'hawser' },
};
const tap: SwitchPort = {
  device: 'ht000000000001',
  logicalPort: 'vm/default/web',
  mac: '0a:58:0a:f4:00:06',
  attach: 'tap',
};

test.each([podPort, tap])('the marks of a port are read back as they were written: $attach', (port) => {
  expect(readMarks(port.device, new Map(Object.entries(marksOf(port))))).toEqual(port);
});

test("an interface of somebody else's is not ours, whatever it is called and whichever port it binds", () => {
  expect(readMarks('hp000000000001', new Map([['iface-id', 'vm/default/db']]))).toBeUndefined();
  expect(readMarks('patch-br-int', new Map())).toBeUndefined();
});

test('plugging takes the logical port over from every other interface of ours, in the same transaction', () => {
  const plugged = [
    { ...podPort, device: 'hp000000000009', portUuid: 'old-sandbox' },
    { ...tap, portUuid: 'another-vm' },
  ];
  expect(plugOperations('br', podPort, plugged)).toEqual([
    { op: 'mutate', table: 'Bridge', where: { _uuid: 'br' }, mutations: [['ports', 'delete', ['old-sandbox']]] },
    {
      op: 'insert',
      table: 'Interface',
      uuidName: 'new_interface',
      row: {
        name: 'hp000000000001',
        external_ids: {
          'iface-id': 'vm/default/db',
          'attached-mac': '0a:58:0a:f4:00:05',
          'hawser:attach': 'managedTap',
          'hawser:pod': 'p1',
          'hawser:sandbox': 'c1',
          'hawser:interface': 'eth0',
          'hawser:network': 'hawser',
        },
      },
    },
    {
      op: 'insert',
      table: 'Port',
      uuidName: 'new_port',
      row: { name: 'hp000000000001', interfaces: [{ named: 'new_interface' }] },
    },
    {
      op: 'mutate',
      table: 'Bridge',
      where: { _uuid: 'br' },
      mutations: [['ports', 'insert', [{ named: 'new_port' }]]],
    },
  ]);
});

test('unplugging nothing writes nothing', () => {
  expect(unplugOperations('br', [])).toEqual([]);
});
