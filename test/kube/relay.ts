import { join } from 'node:path';
import { Daemon } from '#test/lab/topology/daemon.ts';
import { untilSocketAccepts } from '#test/lab/topology/until-socket.ts';

/**
 * Makes a TCP port of a network namespace reachable at the same port of this machine's 127.0.0.1, over a unix socket between the two,
 * as namespaces share the file system and not the network.
 */
export async function startRelay(options: {
  readonly netns: string;
  readonly address: string;
  readonly port: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<AsyncDisposable> {
  const { netns, address, port, folder, env } = options;
  await using stack = new AsyncDisposableStack();
  const socket = join(folder, `${port}.sock`);
  const relay = (name: string, ends: readonly [string, string], inside: boolean) =>
    new Daemon({
      name: `relay ${name}`,
      command: 'socat',
      args: ends,
      env,
      logFile: join(folder, 'relay.log'),
      ...(inside ? { netns, ready: (_pid, signal) => untilSocketAccepts(socket, signal) } : {}),
    });
  const inner = relay('inside', [`UNIX-LISTEN:${socket},fork,backlog=128`, `TCP:${address}:${port}`], true);
  const outer = relay(
    'outside',
    [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=128`, `UNIX-CONNECT:${socket}`],
    false,
  );
  for (const daemon of [inner, outer]) {
    await daemon.start();
    stack.use(daemon);
  }
  const whole = stack.move();
  return { [Symbol.asyncDispose]: () => whole.disposeAsync() };
}
