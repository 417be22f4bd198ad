import { z } from 'zod';
import { run } from '#test/lab/topology/command.ts';
import type { Attachment } from '../attachments.ts';

/**
 * What KubeVirt's virt-handler builds in a launcher pod's namespace for `domainAttachmentType: managedTap`
 * (pkg/network/setup/netpod/netpod.go, managedTapSpec): the NIC, renamed and without addresses, and a tap in one bridge, and in the
 * NIC's stead a device that is down and has its name, MAC, MTU and addresses.
 *
 * @param netns name of the pod's namespace under /run/netns
 * @param guestMac from the VMI; the NIC's own when absent
 * @param nic name of the NIC; for a further one `pod<hash>`, of which KubeVirt's other names keep the hash (pkg/network/link/names.go)
 */
export async function attachManagedTap(netns: string, guestMac?: string, nic = 'eth0'): Promise<Attachment> {
  const [, id = nic] = /^pod(.+)$/.exec(nic) ?? [];
  const [bridge, renamed, tap] = [`k6t-${id}`, `${id}-nic`, id === nic ? 'tap0' : `tap${id}`];
  const { address: nicMac, mtu, addresses } = await readNic(netns, nic);
  const ip = (lines: readonly string[]) => run('ip', ['-batch', '-'], { netns, input: `${lines.join('\n')}\n` });
  await ip([`link add ${bridge} type bridge`]);
  await run('ethtool', ['-K', bridge, 'tx', 'off'], { netns });
  const { address: bridgeMac } = await readNic(netns, bridge);
  await ip([
    `link set ${nic} down`,
    `addr flush dev ${nic}`,
    `link set ${nic} name ${renamed}`,
    `link set ${renamed} address ${bridgeMac}`,
    `link set ${renamed} master ${bridge}`,
    `link set ${renamed} type bridge_slave learning off`,
    `tuntap add dev ${tap} mode tap user 107 group 107 vnet_hdr`,
    `link set ${tap} mtu ${mtu} master ${bridge}`,
    // KubeVirt's is a dummy; a bridge without ports does nothing either, and every kernel that can run the lab has it.
    `link add ${nic} type bridge`,
    `link set ${nic} address ${nicMac} mtu ${mtu}`,
    ...addresses.map((address) => `addr add ${address} dev ${nic}`),
    `link set ${bridge} up`,
    `link set ${renamed} up`,
    `link set ${tap} up`,
  ]);
  return { tap, netns, mac: guestMac ?? nicMac, detach: async () => {} };
}

/** The MAC, MTU in bytes and global addresses (`10.244.0.5/16`) of a device. */
async function readNic(netns: string, device: string) {
  const [nic] = ipAddrShow.parse(JSON.parse(await run('ip', ['-json', 'addr', 'show', 'dev', device], { netns })));
  if (!nic) throw new Error(`${netns} has no ${device}`);
  const global = (nic.addr_info ?? []).filter(({ scope }) => scope === 'global');
  return { ...nic, addresses: global.map(({ local, prefixlen }) => `${local}/${prefixlen}`) };
}

const ipAddrShow = z.array(
  z.object({
    address: z.string(),
    mtu: z.number(),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number(), scope: z.string() })).optional(),
  }),
);
