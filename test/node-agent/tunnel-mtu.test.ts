import { expect, test } from 'vitest';
import type { PortRequest } from '#node-agent/port-request.ts';
import { portsAboveTunnelMtu, tunnelMtuBytes, tunnelOverheadBytes } from '#node-agent/tunnel-mtu.ts';

test.each([
  ['geneve', '192.0.2.1', 58],
  ['geneve', '2001:db8::1', 78],
  ['vxlan', '192.0.2.1', 50],
  ['vxlan', '2001:db8::1', 70],
] as const)('%s from %s adds %i bytes', (type, ip, bytes) => {
  expect(tunnelOverheadBytes({ type, ip })).toBe(bytes);
});

test("a node's tunnels carry what the device with their address does, less the overhead", async () => {
  const run = async () => JSON.stringify([{ mtu: 9000 }]);
  expect(await tunnelMtuBytes(run, { type: 'geneve', ip: '127.0.0.1' })).toBe(8942);
  expect(await tunnelMtuBytes(run, { type: 'geneve', ip: '192.0.2.254' })).toBeUndefined();
});

test('a port is too large for them when its packets would pass them', () => {
  const port = (logicalPort: string, mtuBytes: number, attach: PortRequest['attach']): PortRequest => ({
    ...{ logicalPort, mtuBytes, attach, owner: logicalPort, ownerUid: 'uid', mac: '0a:58:0a:f4:00:05' },
    ...{ addresses: [], routes: [], pods: new Map() },
  });
  const ports = [port('fits', 1442, 'veth'), port('large', 1443, 'managedTap'), port('outside', 9000, 'outside')];
  expect(portsAboveTunnelMtu(ports, 1442).map(({ logicalPort }) => logicalPort)).toEqual(['large']);
  expect(portsAboveTunnelMtu(ports, undefined)).toEqual([]);
});
