import { run } from '#test/lab/topology/command.ts';
import type { ClientPlace, Told } from './place.ts';
import { toldScript } from './told-script.ts';

const asked = [
  'mtu',
  'ntpsrv',
  'search',
  'staticroutes',
  'msstaticroutes',
  'tftp',
  'bootfile',
  'wpad',
  'nissrv',
  '43',
  '108',
];

/**
 * Runs busybox' udhcpc until it is bound, and gives what it told its script: `router`, `dns`, `staticroutes`, …, and as `opt43` what it
 * has no name for. `sends` are flags that say what it sends of itself (`-x 0x5d:0007`).
 */
export async function udhcpc({ netns, device }: ClientPlace, sends = ''): Promise<Told> {
  await using script = await toldScript('$1');
  const options = asked.map((name) => `-O ${name}`).join(' ');
  const command = `udhcpc -i ${device} -f -n -q -t 5 -T 1 ${options} ${sends} -s ${script.path} >${script.folder}/log 2>&1; true`;
  await run('sh', ['-c', command], { netns });
  return await script.told('bound');
}
