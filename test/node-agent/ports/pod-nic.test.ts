import { expect, test } from 'vitest';
import type { PortRequest } from '#node-agent/port-request.ts';
import { managedTap } from '#node-agent/ports/managed-tap.ts';
import { podTap, podTapDevice } from '#node-agent/ports/pod-tap.ts';
import { veth } from '#node-agent/ports/veth.ts';

const port: PortRequest = {
  logicalPort: 'pod/default/web-0',
  owner: 'pod/default/web-0',
  ownerUid: '9c1e',
  attach: 'veth',
  mac: '0a:58:0a:f4:00:05',
  addresses: [
    { address: '10.244.0.5', family: 4, prefixLength: 16, gateway: '10.244.0.1' },
    { address: 'fd00:10:244::5', family: 6, prefixLength: 64, gateway: 'fd00:10:244::1' },
  ],
  mtuBytes: 1400,
  routes: [{ destination: '10.9.0.0/16', nextHop: '10.244.0.7' }],
  pods: new Map([['9c1e', 'eth0']]),
};

test('a veth carries addresses at once usable, both default routes and the extra ones', () => {
  expect(veth(port, 'eth0')).toEqual({
    ipv6: { accept_dad: 0, accept_ra: 0, disable_ipv6: 0 },
    ip: [
      'address add 10.244.0.5/16 dev eth0',
      'address add fd00:10:244::5/64 dev eth0 nodad',
      'link set dev eth0 up',
      'route add default via 10.244.0.1 dev eth0',
      'route add default via fd00:10:244::1 dev eth0',
      'route add 10.9.0.0/16 via 10.244.0.7 dev eth0',
    ],
  });
});

test('an IPv4-only veth leaves it to the runtime whether the pod has IPv6', () => {
  expect(veth({ ...port, addresses: port.addresses.slice(0, 1) }, 'eth0').ipv6).toEqual({
    accept_dad: 0,
    accept_ra: 0,
  });
});

test('a further NIC gets no default route', () => {
  expect(veth({ ...port, logicalPort: 'pod/default/web-0/blue' }, 'net1').ip).toEqual([
    'address add 10.244.0.5/16 dev net1',
    'address add fd00:10:244::5/64 dev net1 nodad',
    'link set dev net1 up',
    'route add 10.9.0.0/16 via 10.244.0.7 dev net1',
  ]);
});

test('a managedTap is up and mute: no address, no IPv6, no ARP', () => {
  expect(managedTap({ ...port, attach: 'managedTap' }, 'eth0')).toEqual({
    ipv6: { disable_ipv6: 1 },
    ip: ['link set dev eth0 arp off', 'link set dev eth0 up'],
  });
});

test('a podTap is a tap beside the NIC, each redirected to the other, and the NIC is as mute as a managedTap', () => {
  const redirect = 'parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev';
  expect(podTap({ ...port, attach: 'podTap' }, 'eth0', { tapOwner: 107 })).toEqual({
    ipv6: { disable_ipv6: 1 },
    devices: ['tap0'],
    ip: [
      'tuntap add dev tap0 mode tap user 107 group 107 vnet_hdr',
      'link set dev tap0 mtu 1400 addrgenmode none',
      'link set dev tap0 up',
      'link set dev eth0 arp off',
      'link set dev eth0 up',
    ],
    tc: [
      'qdisc add dev eth0 ingress',
      `filter add dev eth0 ${redirect} tap0`,
      'qdisc add dev tap0 ingress',
      `filter add dev tap0 ${redirect} eth0`,
    ],
  });
});

test.each([
  ['eth0', 'tap0'],
  ['pod16477688c0e', 'tap16477688c0e'],
  ['net1', 'tap1'],
])('beside %s KubeVirt looks for %s', (interfaceName, tap) => {
  expect(podTapDevice(interfaceName)).toBe(tap);
});
