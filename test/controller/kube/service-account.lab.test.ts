import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { virtualMachineInstances, virtualMachines } from '#controller/kube/kinds.ts';
import { ContractClient } from '#test/kube/contract-client.ts';
import { kubeconfigText } from '#test/kube/kubeconfig.ts';
import { applyManifest } from '#test/kube/manifest.ts';
import { describeOnRealKube } from '#test/kube/on-real-kube.ts';
import { hawserController } from '#test/lab/control-plane.ts';
import { startTopology } from '#test/lab/topology/topology.ts';

const objects = `
apiVersion: hawser.dev/v1alpha1
kind: ClusterNetwork
metadata: { name: default }
spec: { topology: overlay, subnets: [10.244.0.0/16, 'fd00:10:244::/64'] }
---
apiVersion: v1
kind: Node
metadata: { name: node-a }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { nodeName: node-a, containers: [{ name: c, image: none }] }
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: db }
spec:
  runStrategy: Always
  template:
    spec:
      domain: { devices: { interfaces: [{ name: default, binding: { name: hawser } }] } }
      networks: [{ name: default, pod: {} }]
`;

describeOnRealKube('the controller with nothing but its ServiceAccount', (cluster) => {
  test('a pod and a VM get their ports, and the VM its claim', { timeout: 60_000 }, async () => {
    const { url, ca, api, kubectl, serviceAccountToken } = cluster();
    await using topology = await startTopology({ nodes: 1 });
    await kubectl(['apply', '--server-side', '-k', join(import.meta.dirname, '../../../deploy/base')]);
    const token = await serviceAccountToken('hawser-system', 'hawser-controller');
    await using controller = await hawserController(topology, kubeconfigText({ url, ca, token }));
    await controller.start();
    await applyManifest(api, objects);
    const vm = await new ContractClient(api, virtualMachines, 'default').get('db');
    // As virt-controller makes it.
    await new ContractClient(api, virtualMachineInstances, 'default').create(
      {
        name: 'db',
        ownerReferences: [
          { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'db', uid: vm.metadata.uid, controller: true },
        ],
      },
      {
        spec: {
          domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] } },
          networks: [{ name: 'default', pod: {} }],
        },
        status: { phase: 'Pending' },
      },
    );
    await vi.waitFor(
      async () => {
        const ports = await topology.nbctl('--bare', '--columns=name', 'list', 'Logical_Switch_Port');
        expect(ports.split('\n')).toEqual(expect.arrayContaining(['pod/default/web', 'vm/default/db']));
      },
      { timeout: 20_000 },
    );
    const claims = JSON.parse(await kubectl(['get', 'ipamclaims', '-n', 'default', '-o', 'json']));
    expect(claims.items).toMatchObject([
      {
        metadata: { ownerReferences: [{ uid: vm.metadata.uid }] },
        status: { ips: [expect.any(String), expect.any(String)] },
      },
    ]);
  });
});
