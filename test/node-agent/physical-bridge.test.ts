import { expect, test } from 'vitest';
import { moveLines, parseDevice } from '#node-agent/addresses.ts';
import { bridgeMappings, staleBridges } from '#node-agent/physical-bridge.ts';

const lan = { name: 'lan', bridge: 'br-lan', nic: 'eth1' };
const madeBridge = { uuid: 'b1', name: 'br-lan', external_ids: new Map([['hawser:nic', 'eth1']]) };
const theirBridge = { uuid: 'b2', name: 'br-theirs', external_ids: new Map() };

test.each([
  ['nothing is said where nobody has said anything', undefined, [], undefined],
  ['a configured network is mapped', undefined, [lan], 'lan:br-lan'],
  ["other people's mappings stay beside ours", 'dmz:br-theirs', [lan], 'lan:br-lan,dmz:br-theirs'],
  ['the configuration decides of a name that both have', 'lan:br-theirs', [lan], 'lan:br-lan'],
  ['what is not configured any more goes, theirs stays', 'lan:br-lan,dmz:br-theirs', [], 'dmz:br-theirs'],
] as const)('%s', (_, current, networks, expected) => {
  expect(bridgeMappings(current, networks, [madeBridge, theirBridge])).toBe(expected);
});

test('a bridge is stale when we made it and its network is gone or has another NIC', () => {
  const stale = (networks: Parameters<typeof staleBridges>[0]) =>
    staleBridges(networks, [madeBridge, theirBridge]).map(({ name }) => name);
  expect(stale([lan])).toEqual([]);
  expect(stale([])).toEqual(['br-lan']);
  expect(stale([{ ...lan, nic: 'eth2' }])).toEqual(['br-lan']);
});

test('addresses move with their lifetimes, routes after them, and those through gateways last', () => {
  const links = JSON.stringify([
    {
      address: '02:00:00:00:00:01',
      mtu: 1500,
      addr_info: [
        {
          local: '192.0.2.7',
          prefixlen: 24,
          scope: 'global',
          valid_life_time: 4294967295,
          preferred_life_time: 4294967295,
        },
        { local: '2001:db8::7', prefixlen: 64, scope: 'global', valid_life_time: 600, preferred_life_time: 300 },
        {
          local: 'fe80::1',
          prefixlen: 64,
          scope: 'link',
          valid_life_time: 4294967295,
          preferred_life_time: 4294967295,
        },
      ],
    },
  ]);
  const v4 = JSON.stringify([
    { dst: 'default', gateway: '192.0.2.1', metric: 100 },
    { dst: '192.0.2.0/24', protocol: 'kernel', prefsrc: '192.0.2.7' },
    { dst: '198.51.100.1', prefsrc: '192.0.2.7' },
  ]);
  expect(moveLines(parseDevice(links, [v4, '']), 'eth1', 'br-lan')).toEqual([
    'address del 192.0.2.7/24 dev eth1',
    'address del 2001:db8::7/64 dev eth1',
    'address replace 192.0.2.7/24 dev br-lan',
    'address replace 2001:db8::7/64 dev br-lan valid_lft 600 preferred_lft 300 nodad',
    'route replace 198.51.100.1 dev br-lan src 192.0.2.7',
    'route replace default via 192.0.2.1 dev br-lan metric 100',
  ]);
});
