import type { Topology } from '#test/lab/topology/topology.ts';
import { attachManagedTap } from '#test/lab/virt/attachments/managed-tap.ts';
import type { Bed, BedPod } from './bed.ts';

/** The namespace and the name of the tap that a guest is to be started on. */
export type GuestTap = { readonly netns: string; readonly tap: string };

/** How a VM's NIC of each kind is attached on `node-a`. */
export const guestTaps: Readonly<Record<'tap' | 'managedTap' | 'podTap', (bed: Bed, vm: BedPod) => Promise<GuestTap>>> =
  {
    tap: async (bed, { port }) => {
      const { body } = await bed.agent('node-a').send('PUT', `/ports/${port.name}`);
      return { netns: bed.topology.node('node-a').netns, tap: JSON.parse(body).tap };
    },
    managedTap: async (_bed, { sandbox }) => {
      await sandbox.add();
      return await attachManagedTap(sandbox.netns);
    },
    podTap: async (_bed, { sandbox }) => {
      await sandbox.add();
      return { netns: sandbox.netns, tap: 'tap0' };
    },
  };

/** OVN answers DHCPv4 for the port. */
export async function answerDhcp(topology: Topology, { port }: BedPod): Promise<void> {
  const options = 'server_id=10.244.0.1 server_mac="0a:58:0a:f4:00:01" lease_time=3600 router=10.244.0.1 mtu=1400';
  const uuid = await topology.nbctl(
    'create',
    'DHCP_Options',
    'cidr=10.244.0.0/16',
    ...options.split(' ').map((pair) => `options:${pair}`),
  );
  await topology.nbctl('lsp-set-dhcpv4-options', port.name, uuid.trim());
}
