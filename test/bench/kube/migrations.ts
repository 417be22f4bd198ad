import type { KubeApi } from '#controller/kube/api.ts';
import { apiObject } from '#test/kube/api-object.ts';

const vms = '/apis/kubevirt.io/v1/namespaces/default/virtualmachines';
const vmis = '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances';
const vmims = '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations';
const pods = '/api/v1/namespaces/default/pods';

/** A VM that runs on a node, as KubeVirt's controllers leave it in the API. Resolves with the UID of its VMI. */
export async function runningVm(api: KubeApi, name: string, nodeName: string): Promise<string> {
  const devices = { interfaces: [{ name: 'default', binding: { name: 'hawser' } }] };
  const spec = { domain: { devices }, networks: [{ name: 'default', pod: {} }] };
  const vm = apiObject(
    await api.create(vms, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { name },
      spec: { runStrategy: 'Always', template: { spec } },
    }),
  );
  const vmi = apiObject(
    await api.create(vmis, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstance',
      metadata: { name, ownerReferences: [controllerOf('VirtualMachine', name, vm.metadata.uid)] },
      spec,
    }),
  );
  const { uid } = vmi.metadata;
  await api.create(pods, { ...launcherPod(name, uid, 'source'), spec: { ...launcherSpec, nodeName } });
  await api.patch(`${vmis}/${name}`, 'merge', { status: { phase: 'Running', nodeName } });
  return uid;
}

/** A migration whose target pod waits to be bound to a node. Resolves with the pod's name. */
export async function migrationToBeBound(api: KubeApi, vm: string, vmiUid: string): Promise<string> {
  const migration = apiObject(
    await api.create(vmims, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstanceMigration',
      metadata: { name: `${vm}-migration` },
      spec: { vmiName: vm },
    }),
  );
  await api.patch(`${vmims}/${vm}-migration/status`, 'merge', { status: { phase: 'Scheduling' } });
  const labels = { 'kubevirt.io/migrationJobUID': migration.metadata.uid };
  const target = launcherPod(vm, vmiUid, 'target', labels);
  // Nobody else is to bind it.
  await api.create(pods, { ...target, spec: { ...launcherSpec, schedulerName: 'bench' } });
  return target.metadata.name;
}

export async function bind(api: KubeApi, pod: string, nodeName: string): Promise<void> {
  await api.create(`${pods}/${pod}/binding`, {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: pod },
    target: { kind: 'Node', name: nodeName },
  });
}

const launcherSpec = { containers: [{ name: 'compute', image: 'none' }] };

function launcherPod(vm: string, vmiUid: string, suffix: string, labels: Readonly<Record<string, string>> = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `virt-launcher-${vm}-${suffix}`,
      labels: { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': vmiUid, ...labels },
      annotations: { 'kubevirt.io/domain': vm },
      ownerReferences: [controllerOf('VirtualMachineInstance', vm, vmiUid)],
    },
  };
}

function controllerOf(kind: string, name: string, uid: string): object {
  return { apiVersion: 'kubevirt.io/v1', kind, name, uid, controller: true, blockOwnerDeletion: true };
}
