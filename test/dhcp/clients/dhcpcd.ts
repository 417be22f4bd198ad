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
/** It would do without the last two by itself: RFC 8910 and RFC 8781, which it tells as bytes. */
const advertised = `ipv6only
nodhcp6
definend 37 string captive_portal
definend 38 binhex pref64
`;

/**
 * Runs dhcpcd until it is bound, and gives what it told its script, without the `new_`. Over IPv6 it asks with IAID 7. `sends` are lines of
 * dhcpcd.conf(5) that say what it sends of itself.
 */
export async function dhcpcd(place: ClientPlace, family: 4 | 6, sends = ''): Promise<Told> {
  return family === 4
    ? await oneRun(place, '-4', `${asked4}${sends}`, 'BOUND')
    : await oneRun(place, '-6', `${asked6}${sends}`, 'BOUND6');
}

/** What dhcpcd reads in a router advertisement: `nd1_rdnss1_servers`, `nd1_pref64`, … */
export async function dhcpcdAdvertised(place: ClientPlace): Promise<Told> {
  return await oneRun(place, '-6', advertised, 'ROUTERADVERT');
}

/** @param reason why it calls its script when it has what it came for */
async function oneRun({ netns, device }: ClientPlace, family: string, asked: string, reason: string): Promise<Told> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell fills it in
  await using script = await toldScript('${reason}');
  const conf = join(script.folder, 'conf');
  await writeFile(conf, asked);
  const flags = `${family} -B -1 -t 10 --noarp -f ${conf} -c ${script.path}`;
  // Two of them on this machine would find each other's process number and leases. It leaves its addresses behind, and a
  // kernel that makes no link-local address by itself.
  const own = ['/run/dhcpcd', '/var/lib/dhcpcd'];
  const alone = own.map((path) => `mkdir -p ${path}; mount -t tmpfs none ${path}`).join('; ');
  const asBefore = `ip addr flush dev ${device} scope global; ip link set ${device} addrgenmode eui64`;
  const command = `${alone}; timeout 12 dhcpcd ${flags} ${device} >${script.folder}/log 2>&1; ${asBefore}`;
  await run('unshare', ['--mount', 'sh', '-c', command], { netns });
  const told = await script.told(reason);
  return told && Object.fromEntries(Object.entries(told).map(([name, value]) => [name.replace(/^new_/, ''), value]));
}
