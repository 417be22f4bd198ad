import { expect, test } from 'vitest';
import type { AddRequest } from '#node-agent/cni/request.ts';
import { addResult } from '#node-agent/cni/result.ts';
import type { PortRequest } from '#node-agent/port-request.ts';

const add: AddRequest = {
  verb: 'ADD',
  cniVersion: '1.1.0',
  network: 'hawser',
  containerId: '0f3b',
  interfaceName: 'eth0',
  netns: '/run/netns/cni-1',
  pod: { namespace: 'default', name: 'web-0', uid: '9c1e' },
  dns: undefined,
  prevResult: undefined,
};
const port: PortRequest = {
  logicalPort: 'vm/default/db',
  owner: 'vm/default/db',
  ownerUid: 'b1d3',
  attach: 'managedTap',
  mac: '0a:58:0a:f4:00:05',
  addresses: [
    { address: '10.244.0.5', family: 4, prefixLength: 16, gateway: '10.244.0.1' },
    { address: 'fd00:10:244::5', family: 6, prefixLength: 64, gateway: 'fd00:10:244::1' },
  ],
  mtuBytes: 1400,
  routes: [{ destination: '10.9.0.0/16', nextHop: '10.244.0.7' }],
  pods: new Map(),
};
const pair = {
  hostDevice: 'hp0123456789ab',
  hostMac: '0a:01:02:03:04:05',
  netns: add.netns,
  interfaceName: 'eth0',
};

test('the result names both ends, and the addresses of the port also where the NIC carries none', () => {
  expect(addResult(add, port, pair)).toEqual({
    cniVersion: '1.1.0',
    interfaces: [
      { name: 'hp0123456789ab', mac: '0a:01:02:03:04:05', mtu: 1400 },
      { name: 'eth0', mac: '0a:58:0a:f4:00:05', mtu: 1400, sandbox: '/run/netns/cni-1' },
    ],
    ips: [
      { address: '10.244.0.5/16', gateway: '10.244.0.1', interface: 1 },
      { address: 'fd00:10:244::5/64', gateway: 'fd00:10:244::1', interface: 1 },
    ],
    routes: [
      { dst: '0.0.0.0/0', gw: '10.244.0.1' },
      { dst: '::/0', gw: 'fd00:10:244::1' },
      { dst: '10.9.0.0/16', gw: '10.244.0.7' },
    ],
    dns: {},
  });
});

test('older versions get what they had: no mtu before 1.1.0, the IP version in words before 1.0.0', () => {
  const older = (cniVersion: AddRequest['cniVersion']) => addResult({ ...add, cniVersion }, port, pair);
  expect(older('1.0.0').interfaces[1]).toEqual({
    name: 'eth0',
    mac: '0a:58:0a:f4:00:05',
    sandbox: '/run/netns/cni-1',
  });
  expect(older('1.0.0').ips[0]).toEqual({ address: '10.244.0.5/16', gateway: '10.244.0.1', interface: 1 });
  expect(older('0.3.1').ips.map(({ version }) => version)).toEqual(['4', '6']);
});

test('a further NIC gets no default route', () => {
  expect(addResult(add, { ...port, logicalPort: 'vm/default/db/blue' }, pair).routes).toEqual([
    { dst: '10.9.0.0/16', gw: '10.244.0.7' },
  ]);
});

test('after other plugins of a chain ours is added to their result', () => {
  const prevResult = {
    interfaces: [{ name: 'cni0' }, { name: 'net1', sandbox: '/run/netns/cni-1' }],
    ips: [{ address: '10.1.0.2/24', interface: 1 }],
    routes: [{ dst: '10.1.0.0/16' }],
  };
  expect(addResult({ ...add, prevResult }, port, pair)).toEqual({
    cniVersion: '1.1.0',
    interfaces: [
      { name: 'cni0' },
      { name: 'net1', sandbox: '/run/netns/cni-1' },
      expect.objectContaining({ name: 'hp0123456789ab' }),
      expect.objectContaining({ name: 'eth0' }),
    ],
    ips: [
      { address: '10.1.0.2/24', interface: 1 },
      expect.objectContaining({ address: '10.244.0.5/16', interface: 3 }),
      expect.objectContaining({ address: 'fd00:10:244::5/64', interface: 3 }),
    ],
    routes: [
      { dst: '10.1.0.0/16' },
      { dst: '0.0.0.0/0', gw: '10.244.0.1' },
      { dst: '::/0', gw: 'fd00:10:244::1' },
      { dst: '10.9.0.0/16', gw: '10.244.0.7' },
    ],
    dns: {},
  });
});
