import { join } from 'node:path';
import { fetchFrom } from '#test/kube/transport.ts';
import { prepareGuest } from '#test/lab/guest/guest.ts';
import { startAdmissionWebhook } from '#test/lab/kubernetes/admission-webhook.ts';
import { kubeVirtAccount, playersRbac } from '#test/lab/kubernetes/players.ts';
import { followToken } from '#test/lab/kubernetes/rotating-token.ts';
import { admitKubeVirt } from '#test/lab/kubevirt.ts';
import { type Lab, startKubeVirtLab } from '#test/lab/lab.ts';
import { labCgroup } from '#test/lab/topology/cgroups.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import { podsOfCgroup } from './launcher-pods.ts';

/**
 * KubeVirt's part played on a real cluster: launcher pods are real pods, made and ended by real kubelets and plugged by their container
 * runtime's CNI calls; QEMU is started in their network namespaces. Disposing takes only that part down.
 *
 * @param nodes those that VMs run on.
 */
export async function startKubeVirtOn(
  cluster: Cluster,
  nodes: readonly ClusterNode[],
  log: (line: string) => void,
): Promise<Lab> {
  const { topology, plane } = cluster;
  await using stack = new AsyncDisposableStack();
  await plane.kubectl(['apply', '-f', '-'], playersRbac);
  const token = stack.use(await followToken(plane.api, kubeVirtAccount, { log }));
  stack.use(
    await startAdmissionWebhook({
      api: plane.api,
      admit: admitKubeVirt,
      folder: join(topology.folder, 'kube'),
      reachBack: plane.reachBack,
    }),
  );
  const lab = await startKubeVirtLab({
    topology,
    kubernetes: {
      api: plane.api,
      kubectl: `${cluster.kubectlPath} --kubeconfig=${plane.adminKubeconfig}`,
      asKubeVirt: fetchFrom(plane, () => token.current),
      hasScheduler: true,
    },
    workers: nodes.map(({ name, node, machine }) => ({
      name,
      node,
      agentSocket: machine.pathOf('/run/hawser/agent.sock'),
      kubelet: podsOfCgroup(join(labCgroup(topology.id), name)),
    })),
    image: await prepareGuest(log),
    gate: async () => {},
    log,
  });
  stack.use(lab);
  const whole = stack.move();
  return Object.assign(lab, { [Symbol.asyncDispose]: () => whole.disposeAsync() });
}
