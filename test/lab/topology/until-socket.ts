import { watch } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/**
 * Resolves when somebody accepts connections at a unix socket.
 *
 * The socket's folder, which must exist, is watched, so nothing is lost between the socket's appearance and the attempt.
 * Between a server's bind(2) and its listen(2) the file is there but refuses; no event tells of listen(2), so that
 * moment alone is retried after 2 ms.
 *
 * @throws the signal's reason when it aborts first; the watch's own error when the folder is missing.
 */
export async function untilSocketAccepts(path: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  let again: NodeJS.Timeout | undefined;
  const attempt = () => {
    clearTimeout(again);
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') again = setTimeout(attempt, 2);
      else if (error.code !== 'ENOENT') reject(error);
    });
  };
  const watcher = watch(dirname(path), attempt);
  watcher.once('error', reject);
  signal.addEventListener('abort', onAbort);
  try {
    attempt();
    await promise;
  } finally {
    clearTimeout(again);
    watcher.close();
    signal.removeEventListener('abort', onAbort);
  }
}
