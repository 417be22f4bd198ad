import { multusPlugin } from '#test/kube/assets.ts';
import type { Cluster, ClusterNode } from './cluster.ts';

/**
 * Puts Multus before Hawser on these nodes, as its own installer does: the first configuration in the folder is the one that the container
 * runtime takes, and it names Hawser's as what every pod gets.
 * @returns what takes it away again.
 */
export async function installMultus({ plane }: Cluster, nodes: readonly ClusterNode[]): Promise<AsyncDisposable> {
  const program = await multusPlugin(() => {});
  for (const { machine } of nodes) {
    const conf = {
      cniVersion: '1.0.0',
      name: 'multus-cni-network',
      type: 'multus',
      kubeconfig: plane.innerKubeconfig,
      capabilities: { portMappings: true },
      delegates: [JSON.parse(await machine.exec('cat', ['/etc/cni/net.d/10-hawser.conflist']))],
    };
    await machine.exec('ln', ['-sf', program, '/opt/cni/bin/multus']);
    await machine.exec('sh', ['-ec', `cat > ${confFile}.new; mv ${confFile}.new ${confFile}`], JSON.stringify(conf));
  }
  return {
    [Symbol.asyncDispose]: async () => {
      for (const { machine } of nodes) await machine.exec('rm', [confFile]);
    },
  };
}

const confFile = '/etc/cni/net.d/00-multus.conf';
