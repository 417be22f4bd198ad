import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#test/lab/topology/command.ts';
import type { ClientPlace, Told } from './place.ts';
import { toldScript } from './told-script.ts';

const asked4 = `option subnet_mask, routers, domain_name_servers, domain_name, host_name, interface_mtu, domain_search, ntp_servers
option classless_static_routes, ms_classless_static_routes, tftp_server_name, bootfile_name, time_servers
`;
const asked6 = `noipv6rs
ia_na 7
option dhcp6_name_servers, dhcp6_domain_search, dhcp6_sntp_servers, dhcp6_bootfile_url
`;

/** Runs dhcpcd until it is bound, and gives what it told its script, without the `new_`. Over IPv6 it asks with IAID 7. */
export async function dhcpcd({ netns, device }: ClientPlace, family: 4 | 6): Promise<Told> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell fills it in
  await using script = await toldScript('${reason}');
  const conf = join(script.folder, 'conf');
  await writeFile(conf, family === 4 ? asked4 : asked6);
  const flags = `-${family} -B -1 -t 10 --noarp -f ${conf} -c ${script.path}`;
  // Two of them on this machine would find each other's process number and leases. It leaves its addresses behind, and a
  // kernel that makes no link-local address by itself.
  const own = ['/run/dhcpcd', '/var/lib/dhcpcd'];
  const alone = own.map((path) => `mkdir -p ${path}; mount -t tmpfs none ${path}`).join('; ');
  const asBefore = `ip addr flush dev ${device} scope global; ip link set ${device} addrgenmode eui64`;
  const command = `${alone}; timeout 12 dhcpcd ${flags} ${device} >${script.folder}/log 2>&1; ${asBefore}`;
  await run('unshare', ['--mount', 'sh', '-c', command], { netns });
  const told = await script.told(family === 4 ? 'BOUND' : 'BOUND6');
  return told && Object.fromEntries(Object.entries(told).map(([name, value]) => [name.replace(/^new_/, ''), value]));
}
