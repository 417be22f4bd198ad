import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeCgroup } from '#test/lab/topology/cgroups.ts';
import type { Daemon } from '#test/lab/topology/daemon.ts';
import { runtimeSocket } from './container-runtime.ts';
import type { Machine } from './machine.ts';

export interface RealKubeletOptions {
  /** What its Kubernetes node is called. */
  readonly name: string;
  /** Path of the program. */
  readonly kubelet: string;
  readonly kubeconfig: string;
  /** Authority of the API server's client certificate, PEM file. */
  readonly clientAuthority: string;
  /** Cgroup below which all pods of the node are. */
  readonly cgroup: string;
}

/** Starts a node's kubelet, which joins the cluster by itself. */
export async function startRealKubelet(machine: Machine, options: RealKubeletOptions): Promise<Daemon> {
  const { node, folder } = machine;
  await makeCgroup(options.cgroup);
  const [configFile, resolvConf] = [join(folder, 'kubelet.yaml'), join(folder, 'resolv.conf')];
  await writeFile(resolvConf, '');
  await writeFile(configFile, stringify(configuration({ ...options, resolvConf })));
  const kubelet = machine.daemon({
    name: 'kubelet',
    command: options.kubelet,
    args: [
      `--config=${configFile}`,
      `--kubeconfig=${options.kubeconfig}`,
      `--hostname-override=${options.name}`,
      `--node-ip=${node.encapIp}`,
      '--v=2',
    ],
  });
  await kubelet.start();
  return kubelet;
}

/** KubeletConfiguration, kubelet.config.k8s.io/v1beta1. */
function configuration({ clientAuthority, cgroup, resolvConf }: RealKubeletOptions & { resolvConf: string }): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: clientAuthority },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${runtimeSocket}`,
    resolvConf,
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    maxPods: 250,
    // Kubernetes means to leave cgroup v1; a machine may still be on it.
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    // The nodes share one machine: no one of them can say what it has.
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    evictionHard: { 'memory.available': '100Mi' },
    imageGCHighThresholdPercent: 100,
    imageMaximumGCAge: '0s',
    registerWithTaints: [],
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    nodeStatusUpdateFrequency: '5s',
    syncFrequency: '30s',
  };
}
