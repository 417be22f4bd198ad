import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Attack, attacked } from '#test/dhcp/clients/rogue.ts';
import { labSegment } from '#test/dhcp/clients/segment.ts';
import { bundled, oursFlags } from './servers.ts';

/** Our server on a bridge, on core 1, with one guest of ours and a rogue on the same bridge. `folder` is for its files. */
export async function attackOurs(folder: string): Promise<Attack> {
  await using lab = await labSegment('hwbench-rogue');
  const mac = '52:54:00:00:00:0a';
  const victim = await lab.guest('guest', mac);
  const rogue = await lab.guest('rogue', '52:54:00:00:00:66');
  const segment = {
    name: 'attack',
    interface: lab.bridge,
    netns: lab.netns,
    subnets: ['10.77.0.0/16'],
    serverId: '10.77.0.2',
    guests: [{ mac, addresses: ['10.77.0.10'] }],
  };
  const config = join(folder, 'attack.json');
  await writeFile(config, JSON.stringify({ segments: [segment] }));
  const node = [process.execPath, ...oursFlags, await bundled(folder), 'serve', '--config', config];
  const server = spawn('taskset', ['-c', '1', ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  try {
    await once(server.stdout, 'data');
    return await attacked({ victim, mac, rogueNetns: rogue.netns, seconds: 3 });
  } finally {
    server.kill('SIGTERM');
    await ended;
  }
}
