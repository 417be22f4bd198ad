import { conditions } from './conditions.ts';
import { networkSpec } from './network-spec.ts';
import type { Structural } from './structural.ts';

/** The CustomResourceDefinition of `ClusterNetwork` or `Network`, ready to be written as YAML. */
export function networkCrd(scope: 'Cluster' | 'Namespaced'): object {
  const isCluster = scope === 'Cluster';
  const kind = isCluster ? 'ClusterNetwork' : 'Network';
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.hawser.dev` },
    spec: {
      group: 'hawser.dev',
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [isCluster ? 'cnet' : 'net'],
        categories: ['hawser'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: objectSchema(scope) },
        },
      ],
    },
  };
}

function objectSchema(scope: 'Cluster' | 'Namespaced'): Structural {
  const about =
    scope === 'Cluster'
      ? 'A network for the namespaces it selects. The one named default is for every namespace that no other primary network selects.'
      : 'A network for one namespace.';
  const isDefault = "self.metadata.name != 'default'";
  return {
    type: 'object',
    description: about,
    required: ['spec'],
    properties: { spec: networkSpec(scope), status },
    ...(scope === 'Cluster'
      ? {
          'x-kubernetes-validations': [
            {
              rule: `${isDefault} || !has(self.spec.namespaceSelector)`,
              message:
                'the ClusterNetwork named default selects no namespaces: it is for all that no other network selects',
            },
            {
              rule: `${isDefault} || self.spec.role == 'primary'`,
              message: 'the ClusterNetwork named default is primary',
            },
          ],
        }
      : {}),
  };
}

const status: Structural = {
  type: 'object',
  description: 'Written by the controller.',
  properties: {
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      description: 'metadata.generation the rest was made from.',
    },
    allocated: { type: 'integer', format: 'int64', description: 'Addresses in use, of the family that has most.' },
    free: {
      type: 'integer',
      format: 'int64',
      description: 'Guests that can still be given an address of each family; at most 2^53 - 1 is told.',
    },
    conditions: conditions('Ready: guests can use the network. AddressesExhausted: a guest waits for an address.'),
  },
};

const columns = [
  { name: 'Topology', type: 'string', jsonPath: '.spec.topology' },
  { name: 'Role', type: 'string', jsonPath: '.spec.role' },
  { name: 'Subnets', type: 'string', jsonPath: '.spec.subnets' },
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Allocated', type: 'integer', jsonPath: '.status.allocated' },
  { name: 'Free', type: 'integer', jsonPath: '.status.free' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];
