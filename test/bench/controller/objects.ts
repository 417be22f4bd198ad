import type { Core } from '#controller/core.ts';
import type { IPAMClaim } from '#controller/kube/objects/ipam-claim.ts';
import type { NetworkPolicy } from '#controller/kube/objects/network-policy.ts';
import type { Pod } from '#controller/kube/objects/pod.ts';
import type { VirtualMachine } from '#controller/kube/objects/virtual-machine.ts';
import type { VirtualMachineInstance } from '#controller/kube/objects/virtual-machine-instance.ts';

export const namespaceCount = 100;
const policiesPerNamespace = 10;
const nodeCount = 500;

/** A cluster of `size` NICs, half of pods and half of running VMs, as the API server would show it to a controller that starts. */
export interface Cluster {
  readonly pods: readonly Pod[];
  readonly vms: readonly VirtualMachine[];
  readonly vmis: readonly VirtualMachineInstance[];
  readonly claims: readonly IPAMClaim[];
  readonly policies: readonly NetworkPolicy[];
}

export function cluster(size: number): Cluster {
  const half = size / 2;
  const guests = Array.from({ length: half }, (_, i) => vmOf(i));
  return {
    pods: [...Array.from({ length: size - half }, (_, i) => podOf(i)), ...guests.map(({ launcher }) => launcher)],
    vms: guests.map(({ vm }) => vm),
    vmis: guests.map(({ vmi }) => vmi),
    claims: guests.map(({ claim }) => claim),
    policies: Array.from({ length: namespaceCount * policiesPerNamespace }, (_, i) => policyOf(i)),
  };
}

/** Puts everything on the core's tables. */
export function* load({ tables }: Core, { pods, vms, vmis, claims, policies }: Cluster): Iterable<void> {
  for (let i = 0; i < namespaceCount; i += 1) {
    const name = namespaceName(i);
    const labels = { 'kubernetes.io/metadata.name': name, team: `team-${i % 10}` };
    tables.namespaces.put(name, { name, uid: `namespace-${i}`, labels });
  }
  tables.clusterNetworks.put('default', {
    name: 'default',
    uid: 'network-default',
    generation: 1,
    deleting: false,
    spec: {
      topology: 'overlay',
      subnets: ['10.16.0.0/12', 'fd00:10::/64'],
      excludeIPs: [],
      gateway: [],
      role: 'primary',
    },
  });
  for (const policy of policies) yield tables.networkPolicies.put(keyOf(policy), policy);
  for (const pod of pods) yield tables.pods.put(keyOf(pod), pod);
  for (const vm of vms) yield tables.vms.put(keyOf(vm), vm);
  for (const vmi of vmis) yield tables.vmis.put(keyOf(vmi), vmi);
  for (const claim of claims) yield tables.claims.put(keyOf(claim), claim);
}

export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return [namespace, name].join('/');
}

export function podOf(i: number, prefix = 'web'): Pod {
  const name = `${prefix}-${i}`;
  return {
    namespace: namespaceName(i % namespaceCount),
    name,
    uid: `${prefix}-uid-${i}`,
    labels: { app: `app-${Math.floor(i / namespaceCount) % 10}`, tier: 'front', 'pod-template-hash': `hash${i % 977}` },
    annotations: {},
    nodeName: nodeName(i),
    hostNetwork: false,
    phase: 'Running',
    podIps: [],
    creationTimestamp: i,
    finished: false,
  };
}

export function vmOf(i: number) {
  const namespace = namespaceName(i % namespaceCount);
  const name = `vm-${i}`;
  const uid = `vm-uid-${i}`;
  const vmiUid = `vmi-uid-${i}`;
  const labels = { app: `app-${Math.floor(i / namespaceCount) % 10}`, 'vm.kubevirt.io/name': name };
  const interfaces = [{ name: 'default', binding: { kind: 'plugin' as const, name: 'hawser' } }];
  const networks = [{ name: 'default', pod: true as const }];
  const owner = { kind: 'VirtualMachine', name, uid };
  const vm: VirtualMachine = { namespace, name, uid, annotations: {}, deleting: false, interfaces, networks };
  const vmi: VirtualMachineInstance = {
    namespace,
    name,
    uid: vmiUid,
    labels,
    annotations: {},
    deleting: false,
    phase: 'Running',
    interfaces,
    networks,
    isMigrationTarget: false,
    owner,
    nodeName: nodeName(i),
  };
  const launcher: Pod = {
    ...podOf(i),
    namespace,
    name: `virt-launcher-${name}`,
    uid: `launcher-uid-${i}`,
    labels: { ...labels, 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': vmiUid },
    annotations: { 'kubevirt.io/domain': name },
    owner: { kind: 'VirtualMachineInstance', name, uid: vmiUid },
  };
  const claim: IPAMClaim = {
    namespace,
    name: `${name}.default`,
    uid: `claim-uid-${i}`,
    labels: { 'kubevirt.io/vm': name },
    owner,
    finalizers: ['hawser.dev/addresses-in-use'],
    deleting: false,
    network: 'default',
    interface: 'eth0',
    ips: addressesOf(i),
  };
  return { vm, vmi, launcher, claim };
}

/** Addresses of the upper half of the /12, 4,000 in each segment of 4,096 and none of them a gateway. */
function addressesOf(i: number): readonly string[] {
  const segment = 128 + Math.floor(i / 4000);
  const host = 16 + (i % 4000);
  const position = (segment << 12) + host;
  const v4 = `10.${16 + (position >> 16)}.${(position >> 8) & 255}.${position & 255}/20`;
  // The /64 is cut into 256 slices of /72.
  return [v4, `fd00:10:0:0:${(segment << 8).toString(16)}::${host.toString(16)}/72`];
}

function policyOf(i: number): NetworkPolicy {
  const n = Math.floor(i / namespaceCount);
  const select = (app: number) => ({ matchLabels: { app: `app-${app % 10}` }, matchExpressions: [] });
  return {
    namespace: namespaceName(i % namespaceCount),
    name: `policy-${n}`,
    uid: `policy-uid-${i}`,
    podSelector: select(n),
    ingress: [
      {
        peers: [
          { kind: 'selector', podSelector: select(n + 1) },
          {
            kind: 'selector',
            podSelector: select(n + 2),
            namespaceSelector: { matchLabels: { team: `team-${i % 10}` }, matchExpressions: [] },
          },
        ],
        ports: [
          { protocol: 'TCP', port: 80 + n },
          { protocol: 'UDP', port: 53 },
        ],
      },
    ],
  };
}

function namespaceName(i: number): string {
  return `team-${i}`;
}

export function nodeName(i: number): string {
  return `node-${i % nodeCount}`;
}
