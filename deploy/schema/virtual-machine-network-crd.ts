import { conditions } from './conditions.ts';
import type { Structural } from './structural.ts';

/** The CustomResourceDefinition of `VirtualMachineNetwork`, ready to be written as YAML. */
export const virtualMachineNetworkCrd: object = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'virtualmachinenetworks.hawser.dev' },
  spec: {
    group: 'hawser.dev',
    scope: 'Namespaced',
    names: {
      kind: 'VirtualMachineNetwork',
      listKind: 'VirtualMachineNetworkList',
      plural: 'virtualmachinenetworks',
      singular: 'virtualmachinenetwork',
      shortNames: ['vmnet'],
      categories: ['hawser'],
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Addresses', type: 'string', jsonPath: '.status.addresses' },
          { name: 'Node', type: 'string', jsonPath: '.status.node' },
          { name: 'Migration', type: 'string', jsonPath: '.status.lastMigration.phase' },
          { name: 'From', type: 'string', jsonPath: '.status.lastMigration.from', priority: 1 },
          { name: 'To', type: 'string', jsonPath: '.status.lastMigration.to', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description:
              'What the network of a VM, or of a bare VMI, is like. It has the name of its VM and goes with it.',
            properties: { status: status() },
          },
        },
      },
    ],
  },
};

function status(): Structural {
  return {
    type: 'object',
    description: 'Written by the controller.',
    properties: {
      port: { type: 'string', description: 'Logical switch port, as ovn-nbctl knows it.' },
      mac: { type: 'string' },
      addresses: { type: 'array', items: { type: 'string' }, description: 'IPv4 first.' },
      furtherNics: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        description: 'NICs through Multus that are on networks of Hawser.',
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: 'string', description: 'As the VM calls its network.' },
            network: { type: 'string', description: 'A Network, NAMESPACE/NAME, or a ClusterNetwork.' },
            port: { type: 'string', description: 'Logical switch port.' },
            mac: { type: 'string' },
            addresses: { type: 'array', items: { type: 'string' }, description: 'IPv4 first.' },
          },
        },
      },
      node: { type: 'string', description: 'Where the guest runs.' },
      lastMigration: {
        type: 'object',
        description: 'The migration that is under way, or was the last one.',
        properties: {
          uid: { type: 'string', description: 'Of the VirtualMachineInstanceMigration.' },
          from: { type: 'string', description: 'Node.' },
          to: { type: 'string', description: 'Node.' },
          phase: { type: 'string', description: 'As KubeVirt names it.' },
          activationTime: {
            type: 'string',
            format: 'date-time',
            description: 'When the guest was first seen to run at the target.',
          },
          commitTime: {
            type: 'string',
            format: 'date-time',
            description: 'When it was acknowledged there: from then on the port is the target’s alone.',
          },
        },
      },
      conditions: conditions(
        'Ready: the port is what it should be. GuestSettings, only when False: what the guest is not told as asked, with the field.',
      ),
    },
  };
}
