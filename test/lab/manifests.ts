import { busyboxImage } from './cluster/images.ts';

/** What a user applies to a cluster with Hawser: a dual-stack network, VMs and an ordinary pod. */
export const networkYaml = `apiVersion: hawser.dev/v1alpha1
kind: ClusterNetwork
metadata:
  name: default
spec:
  topology: overlay
  role: primary
  subnets: [10.244.0.0/16, "fd00:10:244::/64"]
  guest:
    dns:
      servers: [10.96.0.10, "fd00:10:96::a"]
      search: [lab.hawser.test]
    ntp: [10.96.0.123]
    mtu: 1400
    leaseSeconds: 3600
    domain: lab.hawser.test
    routes:
      - {to: 192.168.77.0/24, via: 10.244.0.1}
`;

/** What the guests of that network are to report of themselves. */
export const expectedOfGuests = {
  dns: ['10.96.0.10', 'fd00:10:96::a'],
  search: 'lab.hawser.test',
  ntp: '10.96.0.123',
  mtu: 1400,
  route: '192.168.77.0/24 via 10.244.0.1',
} as const;

/** How a VM's NIC is attached: KubeVirt network binding plugin → what that is called here. */
export const attachments = [
  { binding: 'hawser-tap', attach: 'tap' },
  { binding: 'hawser', attach: 'managedTap' },
] as const;

export function vmYaml(name: string, binding: string): string {
  return `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: ${name}
  namespace: default
spec:
  runStrategy: Always
  template:
    spec:
      domain:
        devices:
          interfaces:
            - name: default
              binding:
                name: ${binding}
        memory:
          guest: 128Mi
      networks:
        - name: default
          pod: {}
`;
}

/** `addedNodeSelector` is KubeVirt's way to say where to. */
export function migrationYaml(name: string, vmi: string, node: string): string {
  return `apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: ${name}
  namespace: default
spec:
  vmiName: ${vmi}
  addedNodeSelector:
    kubernetes.io/hostname: ${node}
`;
}

export const observerYaml = `apiVersion: v1
kind: Pod
metadata:
  name: observer
  namespace: default
spec:
  nodeName: node-a
  # As process 1 of its container it hears no SIGTERM.
  terminationGracePeriodSeconds: 1
  containers:
    - name: observer
      image: ${busyboxImage}
      command: [sleep, infinity]
`;
