import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { networkCrdFiles } from '../../deploy/schema/files.ts';

for (const [name, text] of networkCrdFiles()) {
  test(`deploy/crds/${name} is what its sources make`, () => {
    expect(readFileSync(new URL(`../../deploy/crds/${name}`, import.meta.url), 'utf8')).toBe(text);
  });
}

test('Network and ClusterNetwork have one spec, but for the namespaces a ClusterNetwork selects', () => {
  const [cluster, namespaced] = ['clusternetworks.yaml', 'networks.yaml'].map((name) => {
    const crd = parse(networkCrdFiles().get(name) ?? '');
    return crd.spec.versions[0].schema.openAPIV3Schema.properties.spec;
  });
  const { namespaceSelector, ...shared } = cluster.properties;
  expect(namespaceSelector).toBeDefined();
  expect(shared).toEqual(namespaced.properties);
});
