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
 */
export async function attachManagedTap(netns: string, guestMac?: string): Promise<Attachment> {
  const { address: nicMac, mtu, addresses } = await readNic(netns, 'eth0');
  const ip = (lines: readonly string[]) => run('ip', ['-batch', '-'], { netns, input: `${lines.join('\n')}\n` });
  await ip(['link add k6t-eth0 type bridge']);
  await run('ethtool', ['-K', 'k6t-eth0', 'tx', 'off'], { netns });
  const bridge = await readNic(netns, 'k6t-eth0');
  await ip([
    'link set eth0 down',
    'addr flush dev eth0',
    'link set eth0 name eth0-nic',
    `link set eth0-nic address ${bridge.address}`,
    'link set eth0-nic master k6t-eth0',
    'link set eth0-nic type bridge_slave learning off',
    'tuntap add dev tap0 mode tap user 107 group 107 vnet_hdr',
    `link set tap0 mtu ${mtu} master k6t-eth0`,
    // KubeVirt's is a dummy; a bridge without ports does nothing either, and every kernel that can run the lab has it.
    'link add eth0 type bridge',
    `link set eth0 address ${nicMac} mtu ${mtu}`,
    ...addresses.map((address) => `addr add ${address} dev eth0`),
    'link set k6t-eth0 up',
    'link set eth0-nic up',
    'link set tap0 up',
  ]);
  return { tap: 'tap0', netns, mac: guestMac ?? nicMac, detach: async () => {} };
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
