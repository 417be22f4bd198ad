import { run } from '#test/lab/topology/command.ts';
import type { ClientPlace } from './place.ts';

/** Solicits a router and gives what rdisc6 prints of its advertisement, runs of blanks made one. */
export async function rdisc6({ netns, device }: ClientPlace): Promise<string> {
  return (await run('rdisc6', ['-1', '-w', '3000', device], { netns })).replaceAll(/ +/g, ' ');
}
