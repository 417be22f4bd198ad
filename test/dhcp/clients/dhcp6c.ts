import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#test/lab/topology/command.ts';
import type { ClientPlace, Told } from './place.ts';
import { toldScript } from './told-script.ts';

/**
 * Runs wide-dhcpv6's client with this IAID (its default is 0) until `device` has an address by DHCPv6, and gives what it told its
 * script, with the address as `address`.
 */
export async function dhcp6c({ netns, device }: ClientPlace, iaid: number, seconds = 6): Promise<Told> {
  // It is called on its way out too, and then has nothing to tell.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell fills it in
  await using script = await toldScript('${new_domain_name_servers:+reply}');
  const conf = join(script.folder, 'conf');
  const requests = 'request domain-name-servers; request domain-name; request ntp-servers;';
  await writeFile(
    conf,
    `interface ${device} { send ia-na ${iaid}; ${requests} script "${script.path}"; };\nid-assoc na ${iaid} { };\n`,
  );
  // Asked to end, it would release its address first, and wait half a minute for a server that never answers that.
  const command = `dhcp6c -f -c ${conf} -p ${script.folder}/pid ${device} >${script.folder}/log 2>&1 & pid=$!
    i=0; while [ $i -lt ${seconds * 10} ] && ! { ip -6 addr show dev ${device} | grep -q '/128' && ls ${script.folder}/told.reply >/dev/null 2>&1; }; do sleep 0.1; i=$((i+1)); done
    ip -6 addr show dev ${device}; kill -9 $pid; ip -6 addr flush dev ${device} scope global`;
  const shown = await run('sh', ['-c', command], { netns });
  const address = /inet6 (\S+)\/128/.exec(shown)?.[1];
  return address === undefined ? undefined : { ...(await script.told('reply')), address };
}
