import { expect, test } from 'vitest';
import { applyYaml, deleteYaml } from './kube-api/apply.ts';
import { startKubeApi } from './kube-api/server.ts';

const manifest = `
apiVersion: v1
kind: Namespace
metadata: { name: blue }
---
# An empty document is no object.
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: db, namespace: blue, labels: { tier: data } }
spec: { runStrategy: Always, template: { spec: { domain: { devices: {} } } } }
`;

test('a manifest is created the first time and merged into what is there the second time', async () => {
  await using api = await startKubeApi();
  const first = applyYaml(api, manifest);
  expect(first.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}/${metadata.name}`)).toEqual([
    'Namespace -/blue',
    'VirtualMachine blue/db',
  ]);
  const [, vm] = applyYaml(api, manifest.replace('Always', 'Halted').replace(', labels: { tier: data }', ''));
  expect(vm).toMatchObject({
    metadata: { uid: first[1]?.metadata.uid, generation: 2, labels: { tier: 'data' } },
    spec: { runStrategy: 'Halted' },
  });
});

test('applying the same manifest again changes nothing', async () => {
  await using api = await startKubeApi();
  expect(applyYaml(api, manifest)).toEqual(applyYaml(api, manifest));
});

test('what a manifest names is deleted, and what is not there is no error', async () => {
  await using api = await startKubeApi();
  applyYaml(api, manifest);
  deleteYaml(api, manifest);
  deleteYaml(api, manifest);
  const response = await fetch(`${api.url}/apis/kubevirt.io/v1/virtualmachines`);
  expect(await response.json()).toMatchObject({ items: [] });
});

test('a namespace is default where none is given, and a schema is kept', async () => {
  await using api = await startKubeApi();
  const network = 'apiVersion: hawser.dev/v1alpha1\nkind: Network\nmetadata: { name: n }\nspec: { topology: overlay }';
  expect(applyYaml(api, network)[0]?.metadata.namespace).toBe('default');
  expect(() => applyYaml(api, network.replace('overlay', 'mesh'))).toThrow(
    'Network.hawser.dev "n" is invalid: spec.topology: Unsupported value: "mesh": supported values: "overlay", "underlay"',
  );
});

test('a manifest that is no YAML, no object, or of no kind served is refused', async () => {
  await using api = await startKubeApi();
  expect(() => applyYaml(api, 'a: [')).toThrow();
  expect(() => applyYaml(api, '- a')).toThrow('a manifest should be an object, not ["a"]');
  expect(() => applyYaml(api, 'apiVersion: v2\nkind: Ship\nmetadata: {name: a}')).toThrow('no resource serves v2 Ship');
});
