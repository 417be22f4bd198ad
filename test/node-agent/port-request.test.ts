import { expect, test } from 'vitest';
import { type PortBindingRow, parsePortBinding } from '#node-agent/port-request.ts';

const row = (
  externalIds: Readonly<Record<string, string>>,
  mac: readonly string[] = ['0A:58:0a:f4:00:05 10.244.0.5 fd00:10:244::5'],
): PortBindingRow => ({ logical_port: 'vm/default/db', mac, external_ids: new Map(Object.entries(externalIds)) });

const ids = {
  'hawser:owner': 'vm/default/db',
  'hawser:uid': 'b1d3',
  'hawser:attach': 'managedTap',
  'hawser:pod:aaaa': 'eth0',
  'hawser:pod:bbbb': 'eth0',
  'hawser:gateways': '10.244.0.1/16 fd00:10:244::1/64',
  'hawser:mtu': '1400',
  'hawser:routes': '10.9.0.0/16,10.244.0.7 fd09::/48,fd00:10:244::7',
};

test('a row is read whole', () => {
  expect(parsePortBinding(row(ids))).toEqual({
    kind: 'request',
    request: {
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
      routes: [
        { destination: '10.9.0.0/16', nextHop: '10.244.0.7' },
        { destination: 'fd09::/48', nextHop: 'fd00:10:244::7' },
      ],
      pods: new Map([
        ['aaaa', 'eth0'],
        ['bbbb', 'eth0'],
      ]),
    },
  });
});

test('either family, both or none may be there; IPv4 comes first whatever the order', () => {
  const addressesOf = (mac: string) => {
    const parsed = parsePortBinding(row(ids, [mac]));
    return parsed?.kind === 'request' ? parsed.request.addresses.map(({ address }) => address) : parsed;
  };
  expect(addressesOf('0a:58:0a:f4:00:05')).toEqual([]);
  expect(addressesOf('0a:58:0a:f4:00:05 10.244.0.5')).toEqual(['10.244.0.5']);
  expect(addressesOf('0a:58:0a:f4:00:05 fd00:10:244::5')).toEqual(['fd00:10:244::5']);
  expect(addressesOf('0a:58:0a:f4:00:05 fd00:10:244::5 10.244.0.5')).toEqual(['10.244.0.5', 'fd00:10:244::5']);
});

test('an address outside the subnets of all gateways is a host address without a gateway', () => {
  const parsed = parsePortBinding(row({ ...ids, 'hawser:gateways': '10.99.0.1/24' }));
  expect(parsed).toMatchObject({
    request: {
      addresses: [
        { address: '10.244.0.5', family: 4, prefixLength: 32 },
        { address: 'fd00:10:244::5', family: 6, prefixLength: 128 },
      ],
    },
  });
});

test("a row without Hawser's mark is none of the agent's business", () => {
  expect(parsePortBinding(row({ 'neutron:port_name': 'x' }, ['unknown']))).toBeUndefined();
});

test.each([
  ['hawser:uid is missing', { 'hawser:uid': '' }, undefined],
  [
    'hawser:attach is "macvtap", this agent knows veth, managedTap, podTap, tap, management, outside',
    { 'hawser:attach': 'macvtap' },
    undefined,
  ],
  ['hawser:mtu is "9k", not a number of bytes from 68 to 65535', { 'hawser:mtu': '9k' }, undefined],
  ['hawser:pod:aaaa is "et h0", not an interface name', { 'hawser:pod:aaaa': 'et h0' }, undefined],
  [
    'hawser:gateways has "10.244.0.1", not an address with a prefix length',
    { 'hawser:gateways': '10.244.0.1' },
    undefined,
  ],
  [
    'hawser:routes has "10.9.0.0/16", not <destination>,<next hop> of one family',
    { 'hawser:routes': '10.9.0.0/16' },
    undefined,
  ],
  [
    'hawser:routes has "10.9.0.0/16,fd00::1", not <destination>,<next hop> of one family',
    { 'hawser:routes': '10.9.0.0/16,fd00::1' },
    undefined,
  ],
  [
    'hawser:guest-server is "net/dhcp", not <logical port> <MAC> [<router\'s MAC>]',
    { 'hawser:guest-server': 'net/dhcp' },
    undefined,
  ],
  [
    'hawser:guest-server is "net/dhcp storage 4095", not <segment> <physical network> [<VLAN>]',
    { 'hawser:attach': 'outside', 'hawser:guest-server': 'net/dhcp storage 4095' },
    undefined,
  ],
  [
    'hawser:guest cannot be used: it is not a JSON object',
    { 'hawser:guest-server': 'net/dhcp 0a:00:00:00:00:01 0a:00:00:00:00:02', 'hawser:guest': '{' },
    undefined,
  ],
  ['mac is "dynamic", it does not start with a MAC address', {}, ['dynamic']],
  ['mac has "10.244.5", not an IP address', {}, ['0a:58:0a:f4:00:05 10.244.5']],
])('a bad row is a problem that names the key: %s', (sentence, changes, mac) => {
  expect(parsePortBinding(row({ ...ids, ...changes }, mac))).toMatchObject({
    kind: 'problem',
    problem: { logicalPort: 'vm/default/db', sentence },
  });
});
