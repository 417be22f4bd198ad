import type { Topology } from '#test/lab/topology/topology.ts';
import { attachManagedTap } from '#test/lab/virt/attachments/managed-tap.ts';
import type { Bed, BedPod } from './bed.ts';
import type { TestPod } from './lab-ports.ts';

/** The namespace and the name of the tap that a guest is to be started on. */
export interface GuestTap {
  readonly netns: string;
  readonly tap: string;
}

/** How a VM has its NIC: a direct tap on the node, or one of a launcher pod. */
export type GuestTapKind = 'tap' | 'managedTap' | 'podTap';

/**
 * Attaches a VM's NIC on a node by its port's kind.
 * @param launcher a sandbox on that node, which may plug the port; a direct tap needs none.
 */
export async function attachGuestTap(
  bed: Bed,
  node: string,
  port: { readonly name: string; readonly kind: GuestTapKind },
  launcher: TestPod,
): Promise<GuestTap> {
  if (port.kind === 'tap') {
    const { body } = await bed.agent(node).send('PUT', `/ports/${port.name}`);
    return { netns: bed.topology.node(node).netns, tap: JSON.parse(body).tap };
  }
  await launcher.add();
  return port.kind === 'podTap' ? { netns: launcher.netns, tap: 'tap0' } : await attachManagedTap(launcher.netns);
}

/** OVN answers DHCPv4 for the port. */
export async function answerDhcp(topology: Topology, { port }: Pick<BedPod, 'port'>): Promise<void> {
  const options = 'server_id=10.244.0.1 server_mac="0a:58:0a:f4:00:01" lease_time=3600 router=10.244.0.1 mtu=1400';
  const uuid = await topology.nbctl(
    'create',
    'DHCP_Options',
    'cidr=10.244.0.0/16',
    ...options.split(' ').map((pair) => `options:${pair}`),
  );
  await topology.nbctl('lsp-set-dhcpv4-options', port.name, uuid.trim());
}
