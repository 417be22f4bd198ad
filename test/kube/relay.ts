import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Place } from '#test/lab/topology/command.ts';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';

/**
 * Makes a TCP port of one network namespace reachable at the same port of 127.0.0.1 in another, over a unix socket between the two, as
 * namespaces share the file system and not the network.
 */
export async function startRelay(options: {
  /** Where the port is. */
  readonly to: Place & { readonly address: string };
  /** Where it is to be. */
  readonly at: Place;
  readonly port: number;
  readonly folder: string;
}): Promise<AsyncDisposable> {
  const { to, at, port, folder } = options;
  const { address, ...place } = to;
  await using stack = new AsyncDisposableStack();
  const socket = join(folder, `${port}.sock`);
  const shared = { command: 'socat', logFile: join(folder, 'relay.log') };
  const further = new Daemon({
    ...shared,
    ...place,
    name: `relay to ${address}:${port}`,
    args: [`UNIX-LISTEN:${socket},fork,backlog=128`, `TCP:${address}:${port}`],
    ready: (_pid, signal) => untilSocketAccepts(socket, signal),
  });
  const nearer = new Daemon({
    ...shared,
    ...at,
    name: `relay of port ${port}`,
    args: [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=128`, `UNIX-CONNECT:${socket}`],
    ready: async (pid, signal) => {
      while (!(await listens(pid, port))) await delay(5, undefined, { signal });
    },
  });
  for (const daemon of [further, nearer]) {
    await daemon.start();
    stack.use(daemon);
  }
  const whole = stack.move();
  return { [Symbol.asyncDispose]: () => whole.disposeAsync() };
}

/** Whether socat runs and somebody in its network namespace listens at the port: proc(5), /proc/net/tcp, state 0A. */
async function listens(pid: number, port: number): Promise<boolean> {
  // Until then the process is nsenter, on another network.
  if ((await readFile(`/proc/${pid}/comm`, 'utf8')) !== 'socat\n') return false;
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  return (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).includes(local);
}
