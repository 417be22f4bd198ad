import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { agnhostImage, busyboxImage } from './images.ts';

/** What a person can do with a cluster that is left running. */
export function howToUse({ topology, plane, nodes, kubectlPath }: Cluster): string {
  const kubectl = `${kubectlPath} --kubeconfig=${plane.adminKubeconfig}`;
  return [
    'The cluster is left running. To use it:',
    `  alias k='${kubectl}'`,
    '  k get nodes,pods -A -o wide',
    `  k create deployment web --image=${agnhostImage} --replicas=6 -- /agnhost netexec --http-port=8080`,
    '  k exec deploy/web -- ip addr; k logs deploy/web; k port-forward deploy/web 8080',
    `images there are: ${agnhostImage} ${busyboxImage}; more: ctr images import on each node, whose shell is`,
    ...nodes.map(
      ({ name, machine }) =>
        `  nsenter --net=/run/netns/${topology.node(name).netns} --mount=${machine.mountNamespace}   # ${name}`,
    ),
    `  ovn-nbctl --db=${topology.central.nbRemote} show`,
    `  logs: ${nodes.map(({ node }) => join(node.runDir, '{kubelet,containerd}.log')).join(' ')} ${join(topology.folder, 'kube/*.log')}`,
    '  npm run lab -- --down   takes it down',
  ].join('\n');
}
