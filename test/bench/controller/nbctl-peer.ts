import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';
import { northboundServer } from './server.ts';

const execute = promisify(execFile);
const ports = 2_000;
const portsPerCommand = 50;

/** `ovn-nbctl` as a daemon, which keeps a replica as we do, creating ports with the same columns, many in one command. */
export async function nbctlPortsPerSecond(database: string): Promise<number> {
  await using server = await northboundServer(database);
  const control = join(server.folder, 'nbctl.ctl');
  const { stdout } = await execute('ovn-nbctl', [
    `--db=${server.remote}`,
    '--no-leader-only',
    '--detach',
    `--unixctl=${control}`,
    `--pidfile=${join(server.folder, 'nbctl.pid')}`,
  ]);
  await untilSocketAccepts(control, AbortSignal.timeout(30_000));
  try {
    const run = (...args: string[]) =>
      execute('ovn-nbctl', args, { env: { ...process.env, OVN_NB_DAEMON: stdout.trim() } });
    await run('ls-add', 'bench');
    const started = performance.now();
    for (let first = 0; first < ports; first += portsPerCommand) {
      const commands = Array.from({ length: portsPerCommand }, (_, i) => portCommand(first + i));
      await run(...commands.flatMap((command, i) => (i === 0 ? command : ['--', ...command])));
    }
    return (ports / (performance.now() - started)) * 1000;
  } finally {
    await execute('ovs-appctl', ['-t', control, 'exit']);
  }
}

function portCommand(i: number): string[] {
  const name = `pod/team-${i % 100}/peer-${i}`;
  const address = `0a:58:0b:00:${(i >> 8).toString(16)}:${(i & 255).toString(16)} 11.0.${i >> 8}.${i & 255}`;
  return [
    ...['lsp-add', 'bench', name],
    ...['--', 'lsp-set-addresses', name, address],
    ...['--', 'lsp-set-port-security', name, address],
    ...['--', 'lsp-set-options', name, `requested-chassis=node-${i % 500}`],
    ...['--', 'set', 'Logical_Switch_Port', name, `external_ids:peer=${i}`, 'external_ids:mtu=1400'],
  ];
}
