import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP line to a server that a test can make slow, cut or leave dead. */
export interface BadLine extends AsyncDisposable {
  readonly port: number;
  /** Added to every chunk, in both directions. */
  latencyMs: number;
  /** Resets every connection there is. */
  cut(): void;
  /** From now on nothing passes, and nothing says so: a proxy that swallows, a cable that is out. */
  dead: boolean;
  /** Connections so far. */
  readonly connections: number;
}

export async function badLineTo(target: { readonly host: string; readonly port: number }): Promise<BadLine> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let connections = 0;
  const server = createServer((near) => {
    connections += 1;
    const far = connect(target);
    const pair = [near, far] as const;
    pairs.add(pair);
    pass(near, far);
    pass(far, near);
    near.once('close', () => pairs.delete(pair));
  });

  /** Chunks keep their order: each waits as long as the one before it, and equal timers fire in the order they were set. */
  function pass(from: Socket, to: Socket): void {
    const later = (work: () => void): void => {
      if (line.latencyMs === 0) work();
      else setTimeout(work, line.latencyMs);
    };
    from.on('data', (chunk) => {
      if (line.dead) return;
      later(() => {
        if (!to.destroyed) to.write(chunk);
      });
    });
    from.on('end', () => later(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => later(() => to.destroy()));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const cut = (): void => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  };
  const line: BadLine = {
    port: address.port,
    latencyMs: 0,
    dead: false,
    get connections() {
      return connections;
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      server.close();
      cut();
      if (server.listening) await once(server, 'close');
    },
  };
  return line;
}
