/** What a user may get wrong in a network, and what the API server says to it. */
export const refusedNetworks: readonly (readonly [sentence: string, spec: object])[] = [
  ['spec.topology: Unsupported value: "mesh": supported values: "overlay", "underlay"', { topology: 'mesh' }],
  ['spec.topology: Required value', { subnets: ['10.1.0.0/16'] }],
  ["'10.1.0.0' should be a subnet such as 10.1.0.0/16 or fd00:1::/64", overlay({ subnets: ['10.1.0.0'] })],
  ["'10.1.0.0/33' should be a subnet such as 10.1.0.0/16 or fd00:1::/64", overlay({ subnets: ['10.1.0.0/33'] })],
  [
    '10.1.0.7/16 is an address within a subnet; write the subnet by its first address',
    overlay({ subnets: ['10.1.0.7/16'] }),
  ],
  [
    'should have room for a gateway and a guest: at most /30 (IPv4) or /126 (IPv6)',
    overlay({ subnets: ['10.1.0.0/31'] }),
  ],
  [
    'two of these subnets overlap: 10.1.0.0/16, fd00:1::/64, 10.1.128.0/17',
    overlay({ subnets: ['10.1.0.0/16', 'fd00:1::/64', '10.1.128.0/17'] }),
  ],
  ['two of these subnets overlap', overlay({ subnets: ['10.1.0.0/16', '10.1.0.0/16'] })],
  ['a primary overlay needs at least one subnet', { topology: 'overlay' }],
  ['a primary overlay needs at least one subnet', overlay({ subnets: [] })],
  [
    'of the gateway addresses 10.2.0.1, fd00:1::1 one is outside the subnets 10.1.0.0/16, fd00:1::/64',
    overlay({ subnets: ['10.1.0.0/16', 'fd00:1::/64'], gateway: ['10.2.0.1', 'fd00:1::1'] }),
  ],
  ['a gateway should be an address such as 10.1.0.1 or fd00:1::1', overlay({ gateway: ['10.1.0.1/16'] })],
  ['a subnet has one gateway', overlay({ gateway: ['10.1.0.1', '10.1.0.2'] })],
  ['the first address of a subnet names the subnet and cannot be its gateway', overlay({ gateway: ['10.1.0.0'] })],
  [
    "'10.1.0.20-fd00::1' should be an address, a range such as 10.1.0.10-10.1.0.20, or a prefix",
    overlay({ excludeIPs: ['10.1.0.20-fd00::1'] }),
  ],
  ['an underlay needs physicalNetwork: the name that the nodes map to a bridge', { topology: 'underlay' }],
  ['physicalNetwork and vlan are for topology underlay only', overlay({ vlan: 5 })],
  ['spec.vlan: Invalid value: 4095', { topology: 'underlay', physicalNetwork: 'lan', vlan: 4095 }],
  ['spec.guest.mtu: Invalid value: 100', overlay({ guest: { mtu: 100 } })],
  ['spec.guest.mtu: Invalid value: 70000', overlay({ guest: { mtu: 70_000 } })],
  ['should be an IPv4 or IPv6 address', overlay({ guest: { dns: { servers: ['dns.example'] } } })],
  [
    'should be a prefix such as 10.1.0.0/16 or fd00:1::/64',
    overlay({ guest: { routes: [{ to: '10.9', via: '10.1.0.7' }] } }),
  ],
];

/** What a user may want to change while the network exists, and what the API server says to it. */
export const refusedChanges: readonly (readonly [sentence: string, before: object, change: object])[] = [
  ['topology cannot be changed; make another network', overlay({}), { topology: 'underlay', physicalNetwork: 'lan' }],
  ['role cannot be changed; make another network', overlay({}), { role: 'secondary' }],
  [
    'a subnet cannot be removed or changed while the network exists, because guests may have addresses of it',
    overlay({ subnets: ['10.1.0.0/16', 'fd00:1::/64'] }),
    { subnets: ['10.1.0.0/16'] },
  ],
  [
    'a subnet cannot be removed or changed while the network exists, because guests may have addresses of it',
    { topology: 'underlay', physicalNetwork: 'lan', subnets: ['10.1.0.0/16'] },
    { subnets: null },
  ],
  [
    'a gateway cannot be changed while the network exists, because guests keep the one they were told',
    overlay({ gateway: ['10.1.0.1'] }),
    { gateway: ['10.1.0.254'] },
  ],
  [
    'a gateway cannot be changed while the network exists, because guests keep the one they were told',
    overlay({}),
    { gateway: ['10.1.0.254'] },
  ],
  [
    'physicalNetwork cannot be changed; make another network',
    { topology: 'underlay', physicalNetwork: 'lan', vlan: 5 },
    { physicalNetwork: 'dmz' },
  ],
  [
    'vlan cannot be changed; make another network',
    { topology: 'underlay', physicalNetwork: 'lan', vlan: 5 },
    { vlan: 6 },
  ],
  [
    'vlan cannot be changed; make another network',
    { topology: 'underlay', physicalNetwork: 'lan', vlan: 5 },
    { vlan: null },
  ],
];

export const acceptedNetworks: readonly (readonly [what: string, spec: object])[] = [
  ['the least there can be', overlay({})],
  [
    'dual stack with gateways',
    overlay({ subnets: ['10.1.0.0/16', 'fd00:1::/64'], gateway: ['10.1.0.1', 'fd00:1::1'] }),
  ],
  [
    'as many subnets, gateways and exclusions as there may be',
    overlay({
      subnets: Array.from({ length: 16 }, (_, n) => `10.${n}.0.0/16`),
      gateway: Array.from({ length: 16 }, (_, n) => `10.${n}.0.1`),
      excludeIPs: Array.from({ length: 64 }, (_, n) => `10.1.${n}.10-10.1.${n}.20`),
    }),
  ],
  ['an underlay without subnets', { topology: 'underlay', physicalNetwork: 'lan', vlan: 5 }],
  ['a secondary network without subnets', { topology: 'overlay', role: 'secondary' }],
  [
    'guest settings of every kind',
    overlay({
      guest: {
        dns: { servers: ['10.1.0.2', 'fd00:1::2'], search: ['example.org'] },
        ntp: ['10.1.0.3'],
        routes: [{ to: '10.9.0.0/16', via: '10.1.0.7' }],
        mtu: 1400,
        leaseSeconds: 3600,
        ra: { mode: 'stateful', pref64: '64:ff9b::/96' },
        options: { dhcpv4: [{ code: 224, text: 'x' }] },
      },
    }),
  ],
];

export const acceptedChanges: readonly (readonly [what: string, before: object, change: object])[] = [
  [
    'a subnet is added, with its gateway',
    overlay({ gateway: ['10.1.0.1'] }),
    { subnets: ['10.1.0.0/16', 'fd00:1::/64'], gateway: ['10.1.0.1', 'fd00:1::1'] },
  ],
  ['guest settings change', overlay({}), { guest: { mtu: 1500 } }],
  ['addresses are excluded', overlay({}), { excludeIPs: ['10.1.0.0/24'] }],
];

function overlay(spec: object): object {
  return { topology: 'overlay', subnets: ['10.1.0.0/16'], ...spec };
}
