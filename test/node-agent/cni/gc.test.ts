import { expect, test } from 'vitest';
import { staleAttachments } from '#node-agent/cni/gc.ts';
import type { SwitchPort } from '#node-agent/switch-port.ts';

const port = (containerId: string, network = 'hawser', interfaceName = 'eth0'): SwitchPort => ({
  device: `hp-${containerId}`,
  logicalPort: `pod/default/${containerId}`,
  mac: '0a:58:0a:f4:00:05',
  attach: 'veth',
  sandbox: { podUid: 'p', containerId, interfaceName, network },
});
const tap: SwitchPort = { device: 'ht', logicalPort: 'vm/default/db', mac: '0a:58:0a:f4:00:06', attach: 'tap' };

test('what this network has and the runtime does not know goes; other networks and direct taps stay', () => {
  const stale = staleAttachments(
    { verb: 'GC', cniVersion: '1.1.0', network: 'hawser', attachments: [{ containerId: 'a', interfaceName: 'eth0' }] },
    [port('a'), port('a', 'hawser', 'eth1'), port('b'), port('c', 'blue'), tap],
  );
  expect(stale.map(({ containerId, interfaceName }) => `${containerId} ${interfaceName}`)).toEqual([
    'a eth1',
    'b eth0',
  ]);
});
