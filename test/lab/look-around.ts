import { join } from 'node:path';
import type { Lab } from './lab.ts';

/** The exact commands with which to look at a lab that is left running. */
export function howToLookAround({ topology, kubernetes, workers, view, kubeVirt }: Lab): string {
  const { central, folder } = topology;
  const lines = [
    'The lab is left running. To look around:',
    `  ovn-nbctl --db=${central.nbRemote} show`,
    `  ovn-sbctl --db=${central.sbRemote} show`,
    `  ovn-trace --db=${central.sbRemote} 'inport=="pod/default/observer" && eth.src==0a:58:0a:f4:00:02 && eth.dst==0a:58:0a:f4:00:01 && ip4.src==10.244.0.2 && ip4.dst==10.244.0.3 && ip.ttl==64'`,
    `  ${kubernetes.kubectl} get vms,vmis,vmims,pods -A`,
    `  logs: ${join(folder, 'controller.log')} ${workers.map(({ node }) => join(node.runDir, 'hawser-agent.log')).join(' ')}`,
  ];
  for (const vmi of view.vmis()) {
    const { name } = vmi.metadata;
    const node = vmi.status.nodeName ?? '';
    for (const pod of view.pods()) {
      if (pod.metadata.annotations?.['kubevirt.io/domain'] !== name || pod.spec.nodeName !== node) continue;
      const machine = kubeVirt.handler(node).launcherOf(pod.metadata.name)?.machine;
      if (machine)
        lines.push(`  console of ${name}: socat -,raw,echo=0,escape=0x1d unix-connect:${machine.consoleSocket}`);
    }
  }
  lines.push('  npm run lab -- --down   takes it down');
  return lines.join('\n');
}
