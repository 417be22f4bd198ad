import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs `work` while holding an exclusive flock(2) on `path`, a file (made when missing) or a folder that exists.
 *
 * Node has no flock, so a child `flock(1)` holds it for as long as its standard input is open: the kernel closes that
 * when this process ends, however it ends, so a lock never outlives its holder.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  // In a session of its own, so that Ctrl-C at the terminal does not end it before us.
  const holder = spawn('flock', [path, '-c', 'echo held; exec cat'], { detached: true, stdio: 'pipe' });
  holder.stdin.on('error', () => {}); // Somebody killed it; there is nothing left to end.
  const closed = once(holder, 'close');
  let complaint = '';
  holder.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const held = await Promise.race([once(holder.stdout, 'data'), closed]);
  if (!Buffer.isBuffer(held[0])) throw new Error(complaint.trim() || `flock ${path} ended without the lock`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await closed;
  }
}
