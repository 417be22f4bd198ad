import { ipamClaims, pathOf } from '#controller/kube/kinds.ts';
import { apiList } from '#test/kube/api-object.ts';
import type { Lab } from './lab.ts';

/** What is still there when every VM and pod has been deleted and nothing should be, in sentences. */
export async function leftovers({ topology, kubernetes, workers }: Lab): Promise<readonly string[]> {
  const found: string[] = [];
  const ports = await topology.nbctl('--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'type!=router');
  for (const port of words(ports).filter(isGuests)) found.push(`logical switch port ${port}`);
  for (const row of words(await topology.nbctl('--bare', '--columns=_uuid', 'list', 'DHCP_Options'))) {
    found.push(`DHCP_Options row ${row}`);
  }
  const claims = apiList(await kubernetes.api.get(pathOf(ipamClaims)));
  for (const claim of claims.names) found.push(`IPAMClaim ${claim}`);
  for (const { node } of workers) {
    const switchPorts = await node.vsctl(
      ...['--bare', '--columns=name', 'find', 'Interface', 'external_ids:iface-id!=""'],
      'external_ids:"hawser:attach"!=management',
    );
    for (const port of words(switchPorts)) found.push(`${node.name}: port ${port} on br-int`);
    const links: { ifname: string; linkinfo?: { info_kind?: string } }[] = JSON.parse(
      await node.exec('ip', ['-json', '-details', 'link', 'show']),
    );
    const bridgeDevices = words(await node.vsctl('--bare', '--columns=name', 'list', 'Bridge'));
    for (const { ifname, linkinfo } of links) {
      const isOurs = linkinfo?.info_kind === 'tun' && !bridgeDevices.includes(ifname) && !ifname.startsWith('ovs-');
      if (isOurs) found.push(`${node.name}: tap ${ifname}`);
    }
  }
  return found;
}

/** A node's own port is there as long as the node is. */
function isGuests(logicalPort: string): boolean {
  return !logicalPort.startsWith('node/');
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
