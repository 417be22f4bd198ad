import { guestSchema } from './guest.ts';
import type { Rule, Structural } from './structural.ts';

/** `spec` of Network and of ClusterNetwork; the latter selects namespaces besides. */
export function networkSpec(scope: 'Namespaced' | 'Cluster'): Structural {
  return {
    type: 'object',
    required: ['topology'],
    properties: {
      topology: {
        type: 'string',
        enum: ['overlay', 'underlay'],
        description:
          'overlay: a network of its own between the nodes (Geneve), with a router. underlay: a physical network that the nodes are on.',
        'x-kubernetes-validations': [fixed('topology')],
      },
      role: {
        type: 'string',
        enum: ['primary', 'secondary'],
        default: 'primary',
        description:
          'primary: what eth0 of a pod, or the pod network of a VM, is on. secondary: for further NICs, through a NetworkAttachmentDefinition.',
        'x-kubernetes-validations': [fixed('role')],
      },
      subnets: subnets,
      gateway: gateway,
      excludeIPs: excludeIPs,
      physicalNetwork: {
        type: 'string',
        minLength: 1,
        maxLength: 63,
        pattern: '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$',
        description: 'Of an underlay: the name that the nodes map to a bridge (ovn-bridge-mappings).',
      },
      vlan: {
        type: 'integer',
        format: 'int32',
        minimum: 1,
        maximum: 4094,
        description: 'Of an underlay: 802.1Q tag; none when absent.',
      },
      egress: {
        type: 'string',
        enum: ['nodeNAT', 'routed', 'none'],
        default: 'nodeNAT',
        description: 'How guests reach what is outside: with the address of their node, with their own, or not at all.',
      },
      ...(scope === 'Cluster' ? { namespaceSelector } : {}),
      guest: guestSchema(),
    },
    'x-kubernetes-validations': rules,
  };
}

const subnets: Structural = {
  type: 'array',
  maxItems: 16,
  'x-kubernetes-list-type': 'atomic',
  description: 'IPv4 and IPv6 subnets. More can be added later; none can be removed.',
  items: {
    type: 'string',
    maxLength: 49,
    'x-kubernetes-validations': [
      {
        rule: 'isCIDR(self)',
        message: 'should be a subnet such as 10.1.0.0/16 or fd00:1::/64',
        messageExpression: "'\\'' + self + '\\' should be a subnet such as 10.1.0.0/16 or fd00:1::/64'",
      },
      {
        rule: '!isCIDR(self) || cidr(self) == cidr(self).masked()',
        message: 'should be the first address of the subnet',
        messageExpression: "self + ' is an address within a subnet; write the subnet by its first address'",
      },
      {
        rule: '!isCIDR(self) || (cidr(self).ip().family() == 4 ? cidr(self).prefixLength() <= 30 : cidr(self).prefixLength() <= 126)',
        message: 'should have room for a gateway and a guest: at most /30 (IPv4) or /126 (IPv6)',
      },
    ],
  },
  'x-kubernetes-validations': [
    {
      rule: '!self.all(a, isCIDR(a)) || self.all(a, self.filter(b, cidr(a).containsCIDR(b)).size() == 1)',
      message: 'subnets overlap',
      messageExpression: "'two of these subnets overlap: ' + self.join(', ')",
    },
    {
      rule: 'oldSelf.all(subnet, subnet in self)',
      message:
        'a subnet cannot be removed or changed while the network exists, because guests may have addresses of it',
    },
  ],
};

const gateway: Structural = {
  type: 'array',
  maxItems: 16,
  'x-kubernetes-list-type': 'atomic',
  description:
    'The address of the router in each subnet, at most one per subnet; the first address of a subnet where none is given.',
  items: address('a gateway should be an address such as 10.1.0.1 or fd00:1::1'),
};

const excludeIPs: Structural = {
  type: 'array',
  maxItems: 64,
  'x-kubernetes-list-type': 'atomic',
  description: 'Addresses never given to a guest: single ones, ranges (10.1.0.10-10.1.0.20) or prefixes.',
  items: {
    type: 'string',
    maxLength: 91,
    'x-kubernetes-validations': [
      {
        rule: "isIP(self) || isCIDR(self) || (self.split('-').size() == 2 && self.split('-').all(end, isIP(end)) && ip(self.split('-')[0]).family() == ip(self.split('-')[1]).family())",
        message: 'should be an address, a range such as 10.1.0.10-10.1.0.20, or a prefix',
        messageExpression:
          "'\\'' + self + '\\' should be an address, a range such as 10.1.0.10-10.1.0.20, or a prefix'",
      },
    ],
  },
};

const namespaceSelector: Structural = {
  type: 'object',
  description: 'The namespaces whose pods and VMs may use this network; none when absent, all when empty.',
  properties: {
    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
    matchExpressions: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        properties: {
          key: { type: 'string' },
          operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
          values: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' },
        },
      },
    },
  },
};

/** What binds several fields together. `has` first: a field that is absent or malformed is another rule's business. */
const rules: readonly Rule[] = [
  {
    rule: "self.topology != 'underlay' || has(self.physicalNetwork)",
    message: 'an underlay needs physicalNetwork: the name that the nodes map to a bridge',
  },
  {
    rule: "self.topology != 'overlay' || (!has(self.physicalNetwork) && !has(self.vlan))",
    message: 'physicalNetwork and vlan are for topology underlay only',
  },
  {
    rule: "self.topology != 'overlay' || self.role != 'primary' || (has(self.subnets) && self.subnets.size() > 0)",
    message: 'a primary overlay needs at least one subnet',
  },
  {
    rule: '!has(self.gateway) || !has(self.subnets) || !self.gateway.all(g, isIP(g)) || !self.subnets.all(s, isCIDR(s)) || self.gateway.all(g, self.subnets.exists(s, cidr(s).containsIP(g)))',
    message: 'gateway is outside the subnets',
    messageExpression:
      "'of the gateway addresses ' + self.gateway.join(', ') + ' one is outside the subnets ' + self.subnets.join(', ')",
  },
  {
    rule: '!has(self.gateway) || self.gateway.size() == 0 || has(self.subnets)',
    message: 'a gateway needs a subnet that it is in',
  },
  {
    rule: '!has(self.gateway) || !has(self.subnets) || !self.gateway.all(g, isIP(g)) || !self.subnets.all(s, isCIDR(s)) || self.subnets.all(s, self.gateway.filter(g, cidr(s).containsIP(g)).size() <= 1)',
    message: 'a subnet has one gateway',
  },
  {
    rule: '!has(self.gateway) || !has(self.subnets) || !self.gateway.all(g, isIP(g)) || !self.subnets.all(s, isCIDR(s)) || self.gateway.all(g, !self.subnets.exists(s, cidr(s).ip() == ip(g)))',
    message: 'the first address of a subnet names the subnet and cannot be its gateway',
  },
  {
    rule: 'has(self.physicalNetwork) == has(oldSelf.physicalNetwork) && (!has(self.physicalNetwork) || self.physicalNetwork == oldSelf.physicalNetwork)',
    message: 'physicalNetwork cannot be changed; make another network',
  },
  {
    rule: 'has(self.vlan) == has(oldSelf.vlan) && (!has(self.vlan) || self.vlan == oldSelf.vlan)',
    message: 'vlan cannot be changed; make another network',
  },
  {
    rule: '!has(oldSelf.subnets) || oldSelf.subnets.size() == 0 || has(self.subnets)',
    message: 'a subnet cannot be removed or changed while the network exists, because guests may have addresses of it',
  },
  {
    rule: '!has(oldSelf.gateway) || (has(self.gateway) && oldSelf.gateway.all(g, g in self.gateway))',
    message: 'a gateway cannot be changed while the network exists, because guests keep the one they were told',
  },
  {
    rule: '!has(self.gateway) || !has(oldSelf.subnets) || !self.gateway.all(g, isIP(g)) || !oldSelf.subnets.all(s, isCIDR(s)) || self.gateway.all(g, (has(oldSelf.gateway) && g in oldSelf.gateway) || !oldSelf.subnets.exists(s, cidr(s).containsIP(g)))',
    message: 'a gateway cannot be changed while the network exists, because guests keep the one they were told',
  },
];

function fixed(field: string): Rule {
  return { rule: 'self == oldSelf', message: `${field} cannot be changed; make another network` };
}

function address(message: string): Structural {
  return { type: 'string', maxLength: 45, 'x-kubernetes-validations': [{ rule: 'isIP(self)', message }] };
}
