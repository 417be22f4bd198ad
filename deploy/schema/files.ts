import { stringify } from 'yaml';
import { networkCrd } from './network-crds.ts';
import { virtualMachineNetworkCrd } from './virtual-machine-network-crd.ts';

/** File name under `deploy/crds/` → its text. */
export function networkCrdFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['clusternetworks.yaml', text(networkCrd('Cluster'))],
    ['networks.yaml', text(networkCrd('Namespaced'))],
    ['virtualmachinenetworks.yaml', text(virtualMachineNetworkCrd)],
  ]);
}

function text(crd: object): string {
  return `# Made by \`node deploy/schema/main.ts\`: change the sources there.\n${stringify(crd, { lineWidth: 120, aliasDuplicateObjects: false })}`;
}
